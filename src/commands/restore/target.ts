import type { Filters } from '../../format/manifest/filters.ts'
import type { Catalog } from '../../restore/plan/catalog.ts'
import { type LookRules, lookAt } from '../../restore/plan/look.ts'
import { isRelease, type Release, releaseIn } from '../../restore/plan/release.ts'
import type { SanityApi } from '../../sanity/api.ts'
import type { ExportedDocument } from '../../sanity/export/stream.ts'
import type { Tools } from '../../tools.ts'
import { type SavedDocuments, saveDocuments } from '../documents/save.ts'
import type { Intake, WayNeeds } from '../documents/way.ts'

/** The dataset that is written to, as it was at one moment. */
export type ReadTarget = { readonly documents: SavedDocuments; readonly releases: ReadonlyMap<number, Release> }

type TargetNeeds = {
  readonly api: SanityApi
  readonly token: string
  /** What is written of it, while all of it is noted. */
  readonly filters: Filters
  readonly pagesFolder: string
  readonly write: WayNeeds['write']
  readonly catalog: Catalog
  readonly rules: LookRules
}

/**
 * After many deletes, ours or those of a run before that was killed, the count lags behind the documents: sanity.io/docs (transactions) speaks of seconds,
 * and of minutes for writes that were sent as `deferred`. One that is right after all costs no wait.
 */
const lagWaitsMs = [2_000, 4_000, 8_000, 16_000, 30_000] as const

/** Reads the whole target with the proofs of a backup, and notes every document in the catalog. Throws what a backup would throw. */
export async function readTarget({ catalog, rules, ...needs }: TargetNeeds, tools: Tools): Promise<ReadTarget> {
  const releases = new Map<number, Release>()
  const intake: Intake = {
    restart: () => {
      catalog.forget('target')
      releases.clear()
    },
    take: async (documents) => {
      for (const document of documents) noteTarget(document, { catalog, rules, releases })
    },
  }
  const leftOut = 'Left out of what is kept of the target, as the snapshot leaves it out'
  const documents = await saveDocuments({ ...needs, exportMode: 'auto', intake, lagWaitsMs, leftOut }, tools)
  return { documents, releases }
}

type Noting = { readonly catalog: Catalog; readonly rules: LookRules; readonly releases: Map<number, Release> }

function noteTarget(document: ExportedDocument, { catalog, rules, releases }: Noting): void {
  catalog.note('target', lookAt(document, 'target', rules))
  if (isRelease(document.id)) releases.set(catalog.numberFor(document.id), releaseIn(document.bytes))
}

/** Nothing of the target is kept: it is only looked at. */
export const unwritten: WayNeeds['write'] = async (lines) => {
  for await (const _ of lines);
  return undefined
}
