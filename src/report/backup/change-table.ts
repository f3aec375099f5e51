import type { BackupOutcome } from '../../commands/backup/outcome.ts'
import { changesInWords, countDifferences, countOf } from '../../format/compare.ts'
import { type Manifest, missingCount, type StoredManifest } from '../../format/manifest/manifest.ts'
import { escapeMarkdown, formatAge, formatBytes, formatCount, plural } from '../../text.ts'
import { ownWords, table } from '../summary.ts'

/** What is compared: this backup, and the moment from which ages count. */
export type Compared = { readonly outcome: BackupOutcome; readonly now: Date }

/** The table of this backup, the last one, and what changed. */
export function changeTable({ outcome, now }: Compared): string {
  const { compared } = outcome
  const figures = figuresOf(outcome)
  if (compared.kind !== 'compared')
    return table(
      ['', 'this backup'],
      figures.map(([name, value]) => [name, value]),
    )
  const { previous } = compared
  const before = [formatCount(previous.documents.count), draftsBefore(previous), assetsBefore(previous), formatSize(sizeBefore(previous))]
  const changes = [
    signed(outcome.manifest.documents.count - previous.documents.count),
    draftsChange(outcome.manifest, previous),
    assetsChange(outcome.manifest, previous),
    sizeChange(outcome.manifest, previous),
  ]
  const age = formatAge(now.getTime() - Date.parse(previous.takenAt))
  return table(
    ['', 'this backup', `last backup (${age} ago)`, 'change'],
    figures.map(([name, value], index) => [name, value, before[index] ?? '', changes[index] ?? '']),
  )
}

function figuresOf({ manifest, documents, sizeBytes }: BackupOutcome): [name: string, value: string][] {
  const { count, drafts, versions } = manifest.documents
  return [
    ['Documents', documents.data ? `**${formatCount(count)}**` : 'saved by shard 1'],
    ['Drafts and versions', documents.data ? formatCount(drafts + versions) : 'saved by shard 1'],
    ['Image and file assets', assetsNow(manifest)],
    ['Size', sizeBytes === undefined ? '–' : formatBytes(sizeBytes)],
  ]
}

function assetsNow({ assets }: Manifest): string {
  if (!assets.included) return 'not included'
  const missing = missingCount(assets)
  return missing > 0 ? `${formatCount(assets.count)}, **${formatCount(missing)} missing**` : formatCount(assets.count)
}

function draftsBefore({ documents: { drafts, versions } }: StoredManifest): string {
  return drafts === undefined ? 'not known' : formatCount(drafts + (versions ?? 0))
}

function draftsChange({ documents }: Manifest, previous: StoredManifest): string {
  const { drafts, versions = 0 } = previous.documents
  return drafts === undefined ? '' : signed(documents.drafts + documents.versions - drafts - versions)
}

function assetsBefore({ assets }: StoredManifest): string {
  if (assets === undefined || assets.included === undefined) return 'not known'
  return assets.included ? formatCount(assets.count) : 'not included'
}

function assetsChange({ assets }: Manifest, previous: StoredManifest): string {
  return assets.included && previous.assets?.included ? signed(assets.count - previous.assets.count) : ''
}

function formatSize(bytes: number | undefined): string {
  return bytes === undefined ? '–' : formatBytes(bytes)
}

/** All files; undefined where documents lie in files of their own, which a manifest does not list. */
function sizeBefore({ branch, files }: StoredManifest): number | undefined {
  return branch ? undefined : files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}

/** A ratio, only where both sizes are of the same thing: as many kinds of files, in the same compression. */
function sizeChange(manifest: Manifest, previous: StoredManifest): string {
  const [now, before] = [sizeBefore(manifest), sizeBefore(previous)]
  const same = kindOf(manifest) === kindOf(previous)
  if (now === undefined || !before || !same) return ''
  const percent = Math.round(((now - before) / before) * 100)
  return percent === 0 ? 'same' : `${sign(percent)}${formatCount(Math.abs(percent))} %`
}

function kindOf({ assets, encryption, files }: StoredManifest): string {
  const data = files.find(({ path }) => path.startsWith('data.ndjson.'))?.path.replace(/\.\d+$/, '')
  return JSON.stringify([assets?.included, encryption ?? null, data])
}

function signed(difference: number): string {
  return difference === 0 ? 'same' : `${sign(difference)}${formatCount(Math.abs(difference))}`
}

function sign(difference: number): string {
  return difference > 0 ? '+' : '−'
}

const shownTypes = 20

/** Types that the last backup had and this one has not, with the number of their documents then. */
export function goneTypes({ manifest, compared }: BackupOutcome): [type: string, count: number][] {
  // A snapshot that is encrypted tells no types.
  if (compared.kind !== 'compared' || manifest.encryption !== null) return []
  return Object.entries(compared.previous.documents.byType).filter(([type, count]) => count > 0 && countOf(manifest, type) === 0)
}

/** Says which types are gone; empty if none is. */
export function sayGone(outcome: BackupOutcome): string {
  const { compared } = outcome
  if (compared.kind !== 'compared') return ''
  const gone = goneTypes(outcome)
  const shown = gone
    .slice(0, shownTypes)
    .map(([type, count]) => `**${escapeMarkdown(type)} is gone** (${plural(count, 'document')} before)`)
  if (shown.length === 0) return ''
  const rest = gone.length > shown.length ? `, and ${plural(gone.length - shown.length, 'other type')}` : ''
  const cure = `If that was not intended, bring it back from ${escapeMarkdown(compared.previous.snapshot)} while that is kept.`
  return `⚠️ ${shown.join(', ')}${rest}. ${cure}`
}

/** What changed, type by type, or why nothing was compared. */
export function whatChanged({ manifest, compared, stored }: BackupOutcome): string {
  if (compared.kind === 'nothing')
    return `There was nothing to compare with: ${ownWords(compared.why)}. \`max-shrink-percent\` did not run.`
  if (compared.kind === 'unknown')
    return '⚠️ Not compared with an earlier snapshot: it could not be looked up. The warnings in the log say why.'
  if (compared.kind !== 'compared') return 'Not compared with an earlier snapshot.'
  const { previous } = compared
  const branch = stored.find((place) => place.kind === 'branch')
  const byType = branch?.byType && new Map([...branch.byType].map(([type, counts]) => [type, changesInWords(counts)]))
  const types = byType ?? new Map(countDifferences(manifest, previous).map(([type, count]) => [type, signed(count)]))
  const shown = [...types].slice(0, shownTypes).map(([type, words]) => `${escapeMarkdown(type)} ${words}`)
  if (shown.length === 0) return ''
  const rest = types.size > shown.length ? [`and ${plural(types.size - shown.length, 'other type')}`] : []
  return `**What changed:** ${[...shown, ...rest].join(byType ? '; ' : ', ')}`
}
