import { BackupError } from '../../errors.ts'
import { countOf, sameFilters, tellsTypes } from '../../format/compare.ts'
import type { Manifest, StoredManifest } from '../../format/manifest/manifest.ts'
import { formatCount, plural, quoteOutside } from '../../text.ts'

type LossNeeds = {
  readonly branch: string
  /** How much of what the tip holds a snapshot may take out of it; 100: all. */
  readonly maxShrinkPercent: number
  /** How many documents the tip holds that the snapshot lacks; undefined where their files do not tell. */
  readonly vanished: number | undefined
}

/**
 * Throws `dataset-shrunk` if a snapshot would take more documents than allowed, or all files of assets, out of what the tip of the branch holds,
 * whatever was left out of either: with `keep-last` what is no longer at the tip may soon be gone.
 */
export function refuseLoss(now: Manifest, there: StoredManifest | undefined, { branch, maxShrinkPercent, vanished }: LossNeeds): void {
  if (there === undefined || maxShrinkPercent === 100) return
  const lost = lostDocuments(now, there, vanished)
  const percent = there.documents.count === 0 ? 0 : (lost / there.documents.count) * 100
  // A manifest that somebody else wrote need not count assets.
  const lostFiles = now.assets.count === 0 ? (there.assets?.count ?? 0) : 0
  if (percent <= maxShrinkPercent && lostFiles === 0) return
  const losses = [
    percent > maxShrinkPercent
      ? `${formatCount(lost)} of the ${plural(there.documents.count, 'document')} (${Math.ceil(percent * 10) / 10} %, where \`max-shrink-percent\` allows ${maxShrinkPercent} %)`
      : '',
    lostFiles > 0 ? `all asset files (${formatCount(lostFiles)})` : '',
  ]
  throw shrunk({ branch, there, losses: losses.filter((text) => text !== '').join(' and '), others: differences(now, there) })
}

/**
 * How many documents are gone. With other filters as many may have come that have nothing to do with those; where their files do not tell, the types
 * show at least a part of it.
 */
function lostDocuments(now: Manifest, there: StoredManifest, vanished: number | undefined): number {
  const fewer = Math.max(0, there.documents.count - now.documents.count)
  if (sameFilters(there.filters, now.filters)) return fewer
  if (vanished !== undefined) return Math.min(there.documents.count, Math.max(fewer, vanished))
  // Encrypted snapshots do not tell their types.
  if (!tellsTypes(now)) return fewer
  const gone = Object.entries(there.documents.byType).map(([type, count]) => Math.max(0, count - countOf(now, type)))
  return Math.min(
    there.documents.count,
    Math.max(
      fewer,
      gone.reduce((sum, count) => sum + count, 0),
    ),
  )
}

/** The inputs in which the two snapshots differ, each with what it was there and is now. */
function differences(now: Manifest, there: StoredManifest): string[] {
  const rows = [
    ['include-drafts', there.filters?.includeDrafts, now.filters.includeDrafts],
    ['types', there.filters?.types, now.filters.types],
    ['exclude-types', there.filters?.excludeTypes, now.filters.excludeTypes],
    ['exclude-ids', there.filters?.excludeIds, now.filters.excludeIds],
    ['include-assets', there.assets?.included, now.assets.included],
  ] as const
  return rows.flatMap(([input, before, after]) =>
    inWords(before) === inWords(after) ? [] : `\`${input}\` (there ${inWords(before)}, here ${inWords(after)})`,
  )
}

function inWords(value: unknown): string {
  if (!Array.isArray(value)) return quoteOutside(simpleWord(value), 40)
  return value.length === 0 ? 'empty' : `"${quoteOutside(value.map(simpleWord).toSorted().join(', '), 200)}"`
}

/** An object from elsewhere may not even become a text. */
function simpleWord(value: unknown): string {
  return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : 'unknown'
}

type ShrunkNeeds = { readonly branch: string; readonly there: StoredManifest; readonly losses: string; readonly others: readonly string[] }

function shrunk({ branch, there, losses, others }: ShrunkNeeds): BackupError {
  const once = 'run once with `max-shrink-percent: 100`.'
  return new BackupError({
    code: 'dataset-shrunk',
    title: 'The snapshot would take too much out of the branch',
    message: [
      `The tip of the branch "${quoteOutside(branch)}" holds ${quoteOutside(there.snapshot, 200)}, and this snapshot would take ${losses} out of it.`,
      ...(others.length > 0 ? [`The two differ in ${others.join(', ')}.`] : []),
      'Nothing was stored there.',
    ].join(' '),
    hint:
      others.length > 0
        ? `Another selection of a dataset belongs on another \`branch\`: name one in \`branch\`. If this selection is to take the place of the other for good, ${once}`
        : `Look at the dataset now, while older snapshots still exist: something may have been deleted, or the token may not see it any more. If it is meant to be so, ${once}`,
  })
}
