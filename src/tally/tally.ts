import { type Filters, filter, isDraft, isVersion } from '../format/manifest/filters.ts'
import { type Notices, noticer, type PassingDocument } from './notices.ts'

/** What was counted while the documents went by. */
export type Tally = Notices & {
  /** Lines kept. */
  readonly count: number
  readonly drafts: number
  readonly versions: number
  /** Documents left out by `exclude-types` and `exclude-ids`. */
  readonly excluded: number
  /** Drafts and versions left out because `include-drafts` is false. */
  readonly draftsLeftOut: number
  /** Documents received that are not Sanity's own (`_.…`), before any of ours was left out: what the live count is compared with. */
  readonly received: number
  /** Kept documents by type. */
  readonly byType: ReadonlyMap<string, number>
}

/**
 * Picks the lines that go into the snapshot and counts all that goes by, in one pass and in constant memory.
 * `pick` gives the lines to keep of some documents; `result` may be read when all have gone by.
 */
export function tally(
  filters: Filters,
  token: Buffer,
): {
  readonly pick: (documents: readonly PassingDocument[]) => Buffer[]
  readonly result: () => Tally
} {
  const verdictOn = filter(filters)
  const byType = new Map<string, number>()
  const notices = noticer(token)
  const counts = { count: 0, drafts: 0, versions: 0, excluded: 0, draftsLeftOut: 0, received: 0 }

  const keep = (document: PassingDocument): void => {
    const { id, type } = document
    counts.count++
    if (isDraft(id)) counts.drafts++
    else if (isVersion(id)) counts.versions++
    byType.set(type, (byType.get(type) ?? 0) + 1)
    notices.look(document)
  }

  const isKept = (document: PassingDocument): boolean => {
    const verdict = verdictOn(document)
    if (verdict !== 'foreign' && verdict !== 'keep-system') counts.received++
    if (verdict === 'draft') counts.draftsLeftOut++
    if (verdict === 'excluded') counts.excluded++
    return verdict === 'keep' || verdict === 'keep-system'
  }

  return {
    pick: (documents) => {
      const kept = documents.filter(isKept)
      for (const document of kept) keep(document)
      return kept.map(({ bytes }) => bytes)
    },
    result: () => ({ ...counts, byType, ...notices.result() }),
  }
}
