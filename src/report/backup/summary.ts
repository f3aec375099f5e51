import type { MissingAssets } from '../../commands/backup/assets/missing.ts'
import type { BackupOutcome } from '../../commands/backup/outcome.ts'
import type { Stored } from '../../destinations/destination.ts'
import { otherAssets } from '../../format/asset-id.ts'
import { escapeMarkdown, formatCount, formatDay, plural } from '../../text.ts'
import { folded, listed, ownWords, renderProblem, sections } from '../summary.ts'
import { changeTable, goneTypes, sayGone, whatChanged } from './change-table.ts'
import { chartOfBackups } from './chart.ts'
import type { Context } from './context.ts'
import { details } from './details.ts'
import { restoreLines } from './restore-lines.ts'

/** The job summary of a backup that stored something, as Markdown. What came from outside is escaped; its length does not grow with the dataset. */
export function renderBackup(outcome: BackupOutcome, context: Context): string {
  const { manifest, failure, documents } = outcome
  return sections([
    `## Sanity backup of ${escapeMarkdown(manifest.source.dataset)}: ${verdictOf(outcome)}`,
    failure && renderProblem(failure, context.docs),
    partialRead(outcome),
    changeTable({ outcome, now: context.now }),
    sayGone(outcome),
    missingAssets(outcome.missed),
    documents.data && chartOfBackups(lastBackups(outcome)),
    whatChanged(outcome),
    `${verified(outcome)}<br>\n${storedAt(outcome, context)}<br>\n${notIncluded(outcome)}`,
    folded('Restore', restoreLines(outcome, context)),
    folded('Details: timings, documents by type, snapshot name, consistency', details(outcome)),
  ])
}

/** What a reader should know first: whether it is good, and how much it is. */
function verdictOf(outcome: BackupOutcome): string {
  const { manifest, missed, failure, stored, documents, status } = outcome
  const amount = documents.data
    ? plural(manifest.documents.count, 'document')
    : `${plural(manifest.assets.count, 'asset')} of shard ${manifest.shard?.index} of ${manifest.shard?.of}`
  if (failure?.code === 'asset-missing') return `❌ incomplete, ${plural(missed.count, 'asset')} missing, ${amount}`
  if (failure) return `❌ failed, but stored as ${kindsOf(stored)}, ${amount}`
  if (missed.count > 0) return `⚠️ incomplete, ${plural(missed.count, 'asset')} missing, ${amount}`
  if (manifest.access.fullRead === false) return `⚠️ possibly incomplete, ${amount}`
  const gone = goneTypes(outcome).length
  if (gone > 0) return `⚠️ complete, ${amount}, ${plural(gone, 'type')} gone`
  if (stored.some((place) => place.kind === 'branch' && place.notKept)) return `⚠️ ${notKept(status)}, ${amount}`
  const { compared } = outcome
  if (compared.kind === 'unknown') return `⚠️ complete but not compared, ${amount}`
  if (compared.kind === 'compared' && !compared.everywhere) return `⚠️ complete but not compared everywhere, ${amount}`
  return status === 'unchanged' ? `✅ unchanged, nothing new to store, ${amount}` : `✅ complete, ${amount}`
}

/** A newer snapshot lies on the branch, so that this one was not kept there. */
function notKept(status: BackupOutcome['status']): string {
  return status === 'unchanged'
    ? 'not kept: the branch holds a newer snapshot'
    : 'complete, but not kept on the branch, which holds a newer snapshot'
}

function kindsOf(stored: readonly Stored[]): string {
  return stored.map(({ kind }) => kind).join(' and ')
}

function partialRead({ manifest }: BackupOutcome): string {
  if (manifest.access.fullRead !== false) return ''
  return '⚠️ **Possibly incomplete: this token cannot read every document.** Documents may be missing from this snapshot without a trace. Give the token the Viewer role at sanity.io/manage.'
}

/** This backup and those before it. One that stored nothing new is in the list of none: its snapshot is that of the last. */
function lastBackups({ manifest }: BackupOutcome) {
  const { takenAt, documents, recent = [] } = manifest
  return [{ takenAt, documents: documents.count }, ...recent]
}

/** The first missing assets, with what refers to them. */
function missingAssets({ count, first }: MissingAssets): string | undefined {
  if (count === 0) return undefined
  const rows = first.map(
    ({ id, status, why, referrers = ['not known in this shard'] }) =>
      `| ${escapeMarkdown(id)} | ${status === 0 ? '–' : status} | ${ownWords(why)} | ${referrers.map((each) => escapeMarkdown(each)).join(', ') || 'nothing'} |`,
  )
  const more = count > first.length ? [`And ${formatCount(count - first.length)} more: the manifest lists them all.`] : []
  return [
    '### Missing assets',
    ['| asset | status | why | referred to by |', '| --- | --- | --- | --- |', ...rows].join('\n'),
    ...more,
  ].join('\n\n')
}

function verified({ manifest, documents, status }: BackupOutcome): string {
  const { liveCountBefore: before, liveCountAfter: after } = manifest.documents
  const { received } = documents.tally
  const copy = status === 'unchanged' ? 'the same content lies there already' : 'the stored copy was read back and compared'
  if (!documents.data) return `**Verified:** each file of this shard, and ${copy}.`
  const counted =
    before === after && before === received
      ? `all ${plural(received, 'document')} that Sanity counts were received`
      : `${plural(received, 'document')} received, Sanity counts ${formatCount(before)}${before === after ? '' : ` before and ${formatCount(after)} after`}`
  return `**Verified:** ${counted}, and ${copy}.`
}

function storedAt({ stored, failure }: BackupOutcome, context: Context): string {
  const places = stored.map((place) => placeOf(place, context)).join('; ')
  return `**Stored:** ${places}${failure && failure.code !== 'asset-missing' ? '; not everywhere: see above' : ''}.`
}

function placeOf(place: Stored, { serverUrl, keptDays, now }: Context): string {
  if (place.kind === 'directory')
    return `folder ${escapeMarkdown(place.folder.split(/[\\/]/).at(-1) ?? '')}, for the next step (output \`path\`)`
  if (place.kind === 'artifact') {
    const until = keptDays === undefined ? '' : ` until ${formatDay(new Date(now.getTime() + keptDays * 24 * 3_600_000))}`
    return `artifact ${linked(place.name, place.url)}${until}`
  }
  const { branch, repository, commit } = place
  const where = `branch ${escapeMarkdown(branch)} of ${escapeMarkdown(repository)}`
  if (place.notKept) return `not on ${where}, which holds a newer one, ${escapeMarkdown(place.manifest.snapshot)}`
  const link = linked(commit.slice(0, 10), `${serverUrl.replace(/\/+$/, '')}/${repository}/commit/${commit}`)
  return `${where}, commit ${link}${place.unchanged ? ' (it was there already: documents and assets are the same)' : ''}`
}

/** A link, unless its address holds what could end it early. */
function linked(text: string, url: string): string {
  return /^https?:\/\/[\w.:/-]+$/.test(url) ? `[${escapeMarkdown(text)}](${url})` : escapeMarkdown(text)
}

/** What a reader could wrongly believe to be in the snapshot. */
function notIncluded({ manifest, documents, missed }: BackupOutcome): string {
  const { filters, access, assets, shard } = manifest
  const items = [
    assets.included ? '' : 'image and file assets (their documents and references are)',
    missed.count > 0 ? `${plural(missed.count, 'missing asset')}` : '',
    ...otherAssets(Object.entries(manifest.documents.byType)).map(
      ([type, count]) => `the files of ${plural(count, 'asset')} of type ${escapeMarkdown(type)}, which lie in the Media Library`,
    ),
    shard ? `the assets of ${shard.of === 1 ? 'no other shard' : 'the other shards'}` : '',
    filters.includeDrafts
      ? ''
      : `drafts, versions and releases (\`include-drafts: false\`; ${formatCount(documents.tally.draftsLeftOut)} left out)`,
    sizeOf(filters.types) > 0 ? wordsOf(filters.types, 'types other than') : '',
    excludedDocuments(manifest),
    access.fullRead === false ? 'whatever this token cannot read' : '',
    access.fullRead === null ? 'possibly more: Sanity did not tell whether the token may read every document' : '',
  ].filter((item) => item !== '')
  return `**Not included:** ${items.length === 0 ? 'nothing was left out' : items.join('; ')}.`
}

/** What `exclude-types` and `exclude-ids` left out; empty if they are not used. */
function excludedDocuments({ filters: { excludeTypes, excludeIds }, documents }: BackupOutcome['manifest']): string {
  const words = [
    sizeOf(excludeTypes) > 0 ? wordsOf(excludeTypes, 'types') : '',
    sizeOf(excludeIds) > 0 ? wordsOf(excludeIds, 'ids like') : '',
  ].filter((each) => each !== '')
  return words.length === 0 ? '' : `${words.join(' and ')} (${plural(documents.excluded, 'document')} left out)`
}

/** Of an encrypted snapshot a list is the number of its entries: those who may read this need not be those who may read that. */
type FilterList = readonly string[] | number

function sizeOf(list: FilterList): number {
  return typeof list === 'number' ? list : list.length
}

function wordsOf(list: FilterList, what: string): string {
  return typeof list === 'number' ? `${what} one of a list of ${formatCount(list)}` : `${what} ${listed(list)}`
}
