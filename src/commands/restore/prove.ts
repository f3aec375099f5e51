import type { RestoreInputs } from '../../inputs/restore.ts'
import type { Row } from '../../restore/plan/plan.ts'
import type { SanityApi } from '../../sanity/api.ts'
import type { SnapshotFolder } from '../../snapshot/workshop/workshop.ts'
import { formatDuration, plural } from '../../text.ts'
import type { Tools } from '../../tools.ts'
import type { Journal } from './apply/journal.ts'
import type { LeftOnes } from './apply/left.ts'
import type { Difference, Proof } from './outcome.ts'
import type { Prepared } from './prepare.ts'
import { readTarget, unwritten } from './target.ts'

type ProveNeeds = {
  readonly prepared: Prepared
  readonly api: SanityApi
  readonly journal: Journal
  readonly left: LeftOnes
  readonly workshop: SnapshotFolder
}

/**
 * Reads the target again and makes the plan once more: it must have nothing left to do but what was blocked from the beginning. What others changed, made
 * or deleted since is a difference too, if it was chosen: green means equal. Throws what reading throws.
 */
export async function prove(inputs: RestoreInputs, needs: ProveNeeds, tools: Tools): Promise<Proof> {
  const startedMs = performance.now()
  tools.log.info('Reading the target again, to compare it with the snapshot')
  const { prepared, api, workshop } = needs
  const { catalog, rules, targetFilters, plan } = prepared
  const reading = { api, token: inputs.token, filters: targetFilters, pagesFolder: workshop.pages, write: unwritten, catalog, rules }
  catalog.forget('target')
  const blocked = plan.rows.filter(({ action }) => action === 'blocked')
  const accepted = new Set(blocked.map(({ document }) => document))
  // What came along is looked at like what was chosen: by now the target has it, so it would not come along again.
  const written = new Set(plan.rows.flatMap(({ document }) => (accepted.has(document) ? [] : document)))
  const now = prepared.planAgain(await readTarget(reading, tools), written)
  const differs = now.rows.filter(({ document }) => !accepted.has(document)).map((row) => differenceOf(row, needs))
  tools.log.info(
    `Compared in ${formatDuration(performance.now() - startedMs)}: ${plural(now.unchanged, 'document')} equal, ${differs.length} different`,
  )
  return { equal: now.unchanged, differs }
}

function differenceOf({ id, action, document }: Row, { prepared: { catalog, assets }, journal, left }: ProveNeeds): Difference {
  const known = left.find(document)
  const there = [document, assets.newIds.get(document) ?? document].find((each) => catalog.has('target', each))
  // What is not there, and was not left out by us, was there: it was written, or nothing had to be done about it.
  if (there === undefined) return { id, action, byOthers: known?.byOthers ?? true, why: known?.why ?? 'somebody deleted it' }
  const revision = catalog.revisionOf(there)
  const byOthers = !journal.isOurs(revision) && revision !== known?.revision
  return { id, action, byOthers, why: known?.why ?? (byOthers ? byWhom[action] : 'it is not what the snapshot has') }
}

const byWhom: Readonly<Record<Row['action'], string>> = {
  create: 'somebody made it',
  upload: 'somebody made it',
  replace: 'somebody changed it',
  delete: 'somebody made it',
  blocked: 'somebody changed it, or what it refers to',
}
