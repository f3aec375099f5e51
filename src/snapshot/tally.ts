import { type Filters, filter, isDraft, isVersion } from './filters.ts'
import { findLack } from './importable.ts'
import { isUnsafeId, isUnsafeType } from './layout.ts'
import { looksSecret, type SecretType, withDocument } from './secret-types.ts'

/** What was counted while the documents went by. */
export type Tally = {
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
  /** Kept documents with a U+FFFD, which stands for a character that was lost before the documents came here. */
  readonly damaged: number
  /** Kept documents of assets that the stock importer does not take, by the property that they lack. */
  readonly lacking: ReadonlyMap<string, number>
  /** Kept documents whose type or id makes a name that some systems do not take for a file or a folder. */
  readonly unsafeNames: number
  /** Whether a kept document holds the token. */
  readonly holdsToken: boolean
  /** Types of kept documents that look like secrets. */
  readonly secretTypes: readonly SecretType[]
}

/**
 * Picks the lines that go into the snapshot and counts all that goes by, in one pass and in constant memory.
 * `pick` gives the lines to keep of some documents; `result` may be read when all have gone by.
 */
export function tally(
  filters: Filters,
  token: Buffer,
): {
  readonly pick: (documents: readonly TalliedDocument[]) => Buffer[]
  readonly result: () => Tally
} {
  const verdictOn = filter(filters)
  const byType = new Map<string, number>()
  const secretTypes = new Map<string, SecretType>()
  const lacking = new Map<string, number>()
  const unsafeTypes = new Set<string>()
  const counts = {
    count: 0,
    drafts: 0,
    versions: 0,
    excluded: 0,
    draftsLeftOut: 0,
    received: 0,
    damaged: 0,
    unsafeNames: 0,
    holdsToken: false,
  }

  const keep = ({ id, type, bytes }: TalliedDocument): void => {
    counts.count++
    if (isDraft(id)) counts.drafts++
    else if (isVersion(id)) counts.versions++
    const ofType = byType.get(type) ?? 0
    byType.set(type, ofType + 1)
    if (ofType === 0 && isUnsafeType(type)) unsafeTypes.add(type)
    if (ofType === 0 && looksSecret(type)) secretTypes.set(type, { type, count: 0, pattern: undefined })
    const secretType = secretTypes.get(type)
    if (secretType) secretTypes.set(type, withDocument(secretType, id))
    const lack = findLack({ type, bytes })
    if (lack !== undefined) lacking.set(lack, (lacking.get(lack) ?? 0) + 1)
    if (bytes.includes(replacementCharacter)) counts.damaged++
    if (unsafeTypes.has(type) || isUnsafeId(id)) counts.unsafeNames++
    counts.holdsToken ||= bytes.includes(token)
  }

  const isKept = (document: TalliedDocument): boolean => {
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
    result: () => ({ ...counts, byType, lacking, secretTypes: [...secretTypes.values()] }),
  }
}

const replacementCharacter = Buffer.from('\ufffd')

type TalliedDocument = { readonly id: string; readonly type: string; readonly bytes: Buffer }
