import type { Filters } from '../../format/manifest/filters.ts'
import type { RestoreInputs } from '../../inputs/restore.ts'
import { type Catalog, makeCatalog } from '../../restore/plan/catalog.ts'
import type { PlanNeeds } from '../../restore/plan/intents.ts'
import type { LookRules } from '../../restore/plan/look.ts'
import { makePlan, type Plan } from '../../restore/plan/plan.ts'
import { planFile } from '../../restore/plan/rows.ts'
import { findFullRead } from '../../sanity/access.ts'
import type { SanityApi } from '../../sanity/api.ts'
import type { SnapshotFolder } from '../../snapshot/workshop/workshop.ts'
import type { Digest } from '../../streams/digest.ts'
import type { Tools } from '../../tools.ts'
import type { WayNeeds } from '../documents/way.ts'
import { findLackingAssets, type LackingAssets } from './assets.ts'
import { findFilters, mirrorRules } from './filters.ts'
import { noteSnapshot, type SnapshotSide } from './snapshot-side.ts'
import type { HeldSnapshot } from './source.ts'
import { type ReadTarget, readTarget } from './target.ts'

/** Both sides, compared, and what follows from that. Nothing was written. */
export type Prepared = {
  readonly catalog: Catalog
  readonly snapshot: HeldSnapshot
  readonly assets: LackingAssets
  readonly rules: LookRules
  readonly sameDataset: boolean
  readonly target: ReadTarget
  /** Whether the token sees every document of the target; null where that is not known. */
  readonly fullRead: boolean | null
  /** What of the target its safety snapshot holds. */
  readonly targetFilters: Filters
  readonly plan: Plan
  readonly planDigest: Digest
  /** Makes the plan again for what the catalog holds of the target by now. */
  readonly planAgain: (target: ReadTarget, again?: ReadonlySet<number>) => Plan
}

type PrepareNeeds = {
  readonly api: SanityApi
  readonly snapshot: HeldSnapshot
  readonly workshop: SnapshotFolder
  /** Writes the target as it is read. */
  readonly write: WayNeeds['write']
}

/** The lines of the plan's file are many: they are not kept longer than it takes to write them. */
type WithLines = Prepared & { readonly planLines: readonly string[] }

/** Reads both sides and makes the plan. The target comes first: what the snapshot is compared with depends on what is there. */
export async function prepare(inputs: RestoreInputs, { api, snapshot, workshop, write }: PrepareNeeds, tools: Tools): Promise<WithLines> {
  const { token, includeAssets } = inputs
  const catalog = makeCatalog()
  const { source } = snapshot.manifest
  const sameDataset = source.projectId === inputs.target.projectId && source.dataset === inputs.target.dataset
  const before: LookRules = { sameDataset, newIds: new Map() }
  // What the snapshot left out for being secret does not belong into a snapshot of the target either.
  const excludeIds = findFilters(snapshot.manifest)?.excludeIds ?? []
  const safe = { includeDrafts: true, types: [], excludeTypes: [], excludeIds }
  const target = await readTarget({ api, token, filters: safe, pagesFolder: workshop.pages, write, catalog, rules: before }, tools)
  const fullRead = await findFullRead(api)
  if (fullRead === false) warnOfPartialRead(tools)
  const assets = await findLackingAssets(
    snapshot,
    { catalog, includeAssets, target: inputs.target, token, scratch: workshop.scratch },
    tools,
  )
  const rules: LookRules = { sameDataset, newIds: assets.newNames }
  const side = await noteSnapshot(snapshot, { catalog, rules }, tools)
  const planAgain = (now: ReadTarget, again: ReadonlySet<number> = new Set()) =>
    makePlan(planNeeds(inputs, { catalog, assets, side, target: now, snapshot, again }))
  // Only files that are to be uploaded are asked for: of one page these are few.
  const draft = planAgain(target)
  const asked = await assets.confirm(draft.rows.flatMap(({ action, document }) => (action === 'upload' ? document : [])))
  const plan = asked > 0 ? planAgain(target) : draft
  const { lines, digest } = planFile(plan, tools.clean)
  return {
    catalog,
    snapshot,
    assets,
    rules,
    sameDataset,
    target,
    fullRead,
    targetFilters: safe,
    plan,
    planDigest: digest,
    planLines: lines,
    planAgain,
  }
}

function warnOfPartialRead({ log }: Pick<Tools, 'log'>): void {
  log.warning(
    'The token cannot read every document of the target. What it cannot see looks as if it were missing, and the safety snapshot will lack it. Use a token whose role reads everything.',
  )
}

type PlanParts = {
  readonly catalog: Catalog
  readonly assets: LackingAssets
  readonly side: SnapshotSide
  readonly target: ReadTarget
  readonly snapshot: HeldSnapshot
  readonly again: ReadonlySet<number>
}

function planNeeds({ choice, mirror }: RestoreInputs, { catalog, assets, side, target, snapshot, again }: PlanParts): PlanNeeds {
  return {
    catalog,
    choice,
    mirror: mirror ? mirrorRules(snapshot.manifest) : undefined,
    again,
    takenMs: Date.parse(snapshot.manifest.takenAt),
    assets: assets.sources,
    newIds: assets.newIds,
    releases: { snapshot: side.releases, target: target.releases },
    unwritable: side.unwritable,
  }
}
