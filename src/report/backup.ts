import type { Missed } from '../commands/backup/assets/missing.ts'
import type { BackupOutcome } from '../commands/backup/backup.ts'
import type { Stored, StoredOnBranch } from '../destinations/destination.ts'
import type { BackupError } from '../errors.ts'
import { otherAssets } from '../format/asset-id.ts'
import { changesInWords, countDifferences, signedCount } from '../format/compare.ts'
import type { Manifest } from '../format/manifest.ts'
import { joinCommand } from '../snapshot/read/join.ts'
import { escapeMarkdown, formatBytes, formatCount, formatDuration, plural, shellQuoted } from '../text.ts'

/** Where the snapshot can be found again: the repository of the run, if there is one. */
export type Place = { readonly repository: string; readonly runId: string; readonly serverUrl: string }

/** The job summary of a backup, as Markdown. What came from outside is escaped; its length does not grow with the dataset. */
export function renderBackup(outcome: BackupOutcome, place: Place): string {
  const { manifest, missed, failure } = outcome
  return sections([
    `## Sanity backup: ${statusOf(outcome)}`,
    `**${escapeMarkdown(manifest.snapshot)}**`,
    failure && renderProblem(failure),
    figures(outcome),
    chart(manifest.documents.byType),
    missingAssets(missed),
    sinceLast(outcome),
    notInside(outcome),
    restoreLines(outcome, place),
  ])
}

function statusOf({ status, missed, failure, compared }: BackupOutcome): string {
  if (failure?.code === 'asset-missing') return '❌ incomplete'
  if (failure) return '⚠️ stored, but not everywhere'
  if (missed.count > 0) return '⚠️ stored and read back, incomplete'
  if (compared.kind === 'unknown') return '⚠️ stored and read back, not compared'
  return status === 'unchanged' ? '✅ unchanged, nothing new to store' : '✅ stored and read back'
}

/** The job summary of a run that stored nothing. */
export function renderFailure(error: BackupError): string {
  return sections(['## Sanity backup: ❌ failed', renderProblem(error)])
}

function sections(parts: readonly (string | undefined)[]): string {
  return `${parts.filter((part) => part !== undefined && part !== '').join('\n\n')}\n`
}

function renderProblem({ title, message, hint, code }: BackupError): string {
  const lines = message.split('\n').map((line) => escapeMarkdown(line))
  return [`**${escapeMarkdown(title)}** (\`${code}\`)`, '', lines.join('<br>'), '', `**What to do:** ${hint}`].join('\n')
}

function figures({ manifest, documents, sizeBytes, stored, durationMs, stages }: BackupOutcome): string {
  const { count, drafts, versions, liveCountBefore, liveCountAfter } = manifest.documents
  const { contentBytes = 0, sizeBytes: dataBytes = 0 } = documents.data?.file ?? {}
  const ratio = dataBytes > 0 ? (contentBytes / dataBytes).toFixed(1) : '–'
  const rate = documents.exportMs > 0 ? `${formatBytes(Math.round(contentBytes / (documents.exportMs / 1000)))}/s` : '–'
  const live =
    liveCountBefore === liveCountAfter
      ? formatCount(liveCountBefore)
      : `${formatCount(liveCountBefore)} before, ${formatCount(liveCountAfter)} after`
  const rows: [string, string][] = [
    ['Source', `${escapeMarkdown(manifest.source.dataset)} of project ${escapeMarkdown(manifest.source.projectId)}`],
    ['Documents', documents.data ? formatCount(count) : 'saved by shard 1'],
    ['Of these drafts', versions > 0 ? `${formatCount(drafts)}, and ${plural(versions, 'version')}` : formatCount(drafts)],
    ['Assets', assetsOf(manifest)],
    ...(manifest.shard ? [['Shard', `${manifest.shard.index} of ${manifest.shard.of}`] as [string, string]] : []),
    ['Size', `${formatBytes(sizeBytes)} (${formatBytes(contentBytes)} of documents, ${ratio} to 1)`],
    ['Duration', `${formatDuration(durationMs)} (export ${formatDuration(documents.exportMs)}, ${rate})`],
    ['Time went to', stageTimes(stages)],
    ['Consistency', consistency(documents)],
    ['Complete', `${formatCount(documents.tally.received)} received; Sanity counts ${live}`],
    ['Stored as', stored.map(storedAs).join(', ')],
  ]
  return ['| | |', '| --- | --- |', ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join('\n')
}

function stageTimes({ downloadMs, compressMs, assetsMs, uploadMs, verifyMs }: BackupOutcome['stages']): string {
  const stages: [string, number][] = [
    ['download', downloadMs],
    ['compress', compressMs],
    ...(assetsMs > 0 ? [['assets', assetsMs] as [string, number]] : []),
    ['upload', uploadMs],
    ['verify', verifyMs],
  ]
  return stages.map(([name, ms]) => `${name} ${formatDuration(ms)}`).join(', ')
}

function storedAs(place: Stored): string {
  if (place.kind !== 'branch') return place.kind
  if (place.notKept)
    return `nowhere on branch ${escapeMarkdown(place.branch)} of ${escapeMarkdown(place.repository)}: the snapshots that \`keep-last\` keeps are all newer`
  const where = `branch ${escapeMarkdown(place.branch)} of ${escapeMarkdown(place.repository)}, commit ${place.commit.slice(0, 10)}`
  return place.unchanged ? `${where} (it was there already: documents and assets are the same)` : where
}

function assetsOf({ assets, documents }: Manifest): string {
  if (!assets.included) return 'not included'
  const others = otherAssets(Object.entries(documents.byType)).reduce((sum, [, count]) => sum + count, 0)
  const parts = [
    `${formatCount(assets.count)} (${formatBytes(assets.sizeBytes)})`,
    assets.reused > 0 ? `${formatCount(assets.reused)} reused from the cache` : '',
    assets.missing.length > 0 ? `**${formatCount(assets.missing.length)} missing**` : 'none missing',
    others > 0 ? `${formatCount(others)} of other types not included` : '',
  ]
  return parts.filter((part) => part !== '').join(', ')
}

/** The first missing assets, with what refers to them. */
function missingAssets({ count, first }: Missed): string | undefined {
  if (count === 0) return undefined
  const rows = first.map(
    ({ id, status, why, referrers = ['not known in this shard'] }) =>
      `| ${escapeMarkdown(id)} | ${status === 0 ? '–' : status} | ${escapeMarkdown(why)} | ${referrers.map(escapeMarkdown).join(', ') || 'nothing'} |`,
  )
  const more = count > first.length ? [`And ${formatCount(count - first.length)} more: the manifest lists them all.`] : []
  return [
    '### Missing assets',
    ['| asset | status | why | referred to by |', '| --- | --- | --- | --- |', ...rows].join('\n'),
    ...more,
  ].join('\n\n')
}

function consistency({ mode, repeated, streamGivenUp }: BackupOutcome['documents']): string {
  if (mode === 'stream') return 'one moment: a single export request'
  const why = streamGivenUp ? ', because a single request was cut or short twice' : ''
  const again = repeated > 0 ? ` (documents came again ${formatCount(repeated)} times; of each the last one was kept)` : ''
  return `not one moment: fetched page by page${why}${again}; a reference may point to a document that came or went meanwhile`
}

const slices = 12

/** A pie of the largest types; the rest is one slice. */
function chart(byType: Readonly<Record<string, number>>): string | undefined {
  const types = Object.entries(byType).sort(([, a], [, b]) => b - a)
  if (types.length === 0) return undefined
  const rest = types.slice(slices)
  const others = rest.reduce((sum, [, count]) => sum + count, 0)
  const shown: [string, number][] = [
    ...types.slice(0, slices),
    ...(rest.length > 0 ? [[`${rest.length} other types`, others] as [string, number]] : []),
  ]
  return [
    '```mermaid',
    'pie showData title Documents by type',
    ...shown.map(([type, count]) => `  "${chartLabel(type)}" : ${count}`),
    '```',
  ].join('\n')
}

/** Mermaid takes few characters in a label, and no way to escape the others. */
function chartLabel(type: string): string {
  return type.slice(0, 40).replace(/[^A-Za-z0-9._ -]/g, '?') || '?'
}

const shownTypes = 20

/** What changed since the snapshot before. */
function sinceLast({ manifest, compared, stored }: BackupOutcome): string {
  if (compared.kind === 'nothing')
    return `There was nothing to compare with: ${escapeMarkdown(compared.why)}. \`max-shrink-percent\` did not run.`
  if (compared.kind === 'unknown')
    return '⚠️ Not compared with an earlier snapshot: it could not be looked up. The warnings in the log say why.'
  if (compared.kind !== 'compared') return 'Not compared with an earlier snapshot.'
  const { previous } = compared
  const difference = manifest.documents.count - previous.documents.count
  const branch = stored.find((place) => place.kind === 'branch')
  const byType = branch?.byType && new Map([...branch.byType].map(([type, counts]) => [type, changesInWords(counts)]))
  const types = byType ?? new Map(countDifferences(manifest, previous).map(([type, count]) => [type, signedCount(count)]))
  const shown = [...types].slice(0, shownTypes).map(([type, words]) => `- ${escapeMarkdown(type)}: ${words}`)
  const rest = types.size > shown.length ? [`- and ${plural(types.size - shown.length, 'other type')}`] : []
  return [`**Since ${escapeMarkdown(previous.snapshot)}:** ${signedCount(difference)}`, '', ...shown, ...rest].join('\n').trim()
}

/** What a reader could wrongly believe to be in the snapshot. */
function notInside({ manifest, documents }: BackupOutcome): string {
  const { filters, access, source } = manifest
  const items = [
    manifest.assets.included
      ? ''
      : 'Asset files (images and other files): their documents and references are in the snapshot, the files are not.',
    ...otherAssets(Object.entries(manifest.documents.byType)).map(
      ([type, count]) => `The files of ${plural(count, 'asset')} of type ${escapeMarkdown(type)}, which lie in the Media Library.`,
    ),
    manifest.shard ? `The files of the assets of ${manifest.shard.of === 1 ? 'no other shard' : 'the other shards'}.` : '',
    filters.includeDrafts
      ? ''
      : `Drafts, versions and releases (\`include-drafts: false\`): ${formatCount(documents.tally.draftsLeftOut)} left out.`,
    filters.types.length > 0 ? `Types other than ${list(filters.types)}.` : '',
    filters.excludeTypes.length > 0 ? `Types ${list(filters.excludeTypes)} (\`exclude-types\`).` : '',
    filters.excludeIds.length > 0 ? `Ids like ${list(filters.excludeIds)} (\`exclude-ids\`).` : '',
    filters.excludeTypes.length + filters.excludeIds.length > 0
      ? `Left out as excluded: ${plural(manifest.documents.excluded, 'document')}.`
      : '',
    access.fullRead === false
      ? `**Perhaps more:** the token’s role does not grant reading every document of ${escapeMarkdown(source.dataset)}.`
      : '',
    access.fullRead === null ? 'Perhaps more: Sanity did not tell whether the token may read every document.' : '',
  ]
  return ['### Not in this snapshot', ...items.filter((item) => item !== '').map((item) => `- ${item}`)].join('\n')
}

function list(words: readonly string[]): string {
  const shown = words.slice(0, 20).map((word) => escapeMarkdown(word))
  return words.length > shown.length ? `${shown.join(', ')} and ${words.length - shown.length} more` : shown.join(', ')
}

function restoreLines(outcome: BackupOutcome, place: Place): string {
  const { manifest, documents } = outcome
  const { dataset, projectId } = manifest.source
  const { data } = documents
  if (!data) return '### Restore it\nTogether with shard 1, which holds the documents.'
  const { lines, file } = fetchLines(outcome, data.file.path, place)
  return [
    '### Restore it',
    '```sh',
    ...lines,
    `npx sanity@latest dataset import ${file} --project-id ${projectId} --dataset ${dataset} --replace${documents.tally.damaged > 0 ? ' --allow-replacement-characters' : ''}`,
    '```',
    '`--replace` overwrites documents of the same id; documents made since then stay.',
    ...(manifest.assets.included
      ? ['If Sanity has lost the files of assets too: docs/recipes.md of the action says how to bring them back.']
      : []),
  ].join('\n')
}

/** How to get the data onto one's disk, and the file that it then lies in. */
function fetchLines(
  { manifest, stored }: BackupOutcome,
  path: string,
  { repository, runId, serverUrl }: Place,
): { lines: string[]; file: string } {
  const branch = stored.find(({ kind }) => kind === 'branch')
  if (branch?.kind === 'branch' && stored.length === 1) return branchLines(branch, serverUrl)
  const artifact = stored.find(({ kind }) => kind === 'artifact')
  const folder = artifact ? 'snapshot' : `./${manifest.snapshot}`
  const plain = path.replace(/\.zst$/, '')
  const download =
    artifact?.kind === 'artifact' && repository
      ? [`gh run download ${runId} --repo ${atHost(serverUrl)}${repository} --name ${shellQuoted(artifact.name)} --dir ${folder}`]
      : []
  return { lines: [...download, ...(path === plain ? [] : [`zstd -d ${folder}/${path}`])], file: `${folder}/${plain}` }
}

/** What `gh` wants before `owner/name`, where that is not on github.com. */
function atHost(serverUrl: string): string {
  const host = URL.parse(serverUrl)?.host ?? 'github.com'
  return host === 'github.com' ? '' : `${host}/`
}

function branchLines({ manifest, repository, branch, commit }: StoredOnBranch, serverUrl: string): { lines: string[]; file: string } {
  const { projectId, dataset } = manifest.source
  const clone = [
    `git clone --quiet --single-branch --branch ${shellQuoted(branch)} ${serverUrl}/${repository} backups`,
    `mkdir snapshot && git -C backups archive ${commit || 'HEAD'}:${projectId}/${dataset} | tar -x -C snapshot`,
  ]
  if (manifest.branch) return { lines: [...clone, `${joinCommand} > data.ndjson`], file: 'data.ndjson' }
  const data = manifest.files.map(({ path }) => path).filter((path) => path.startsWith('data.ndjson.'))
  const name = data[0]?.replace(/\.001$/, '') ?? ''
  const joined = data.length > 1 ? [`cat snapshot/${name}.* > snapshot/${name}`] : []
  const plain = name.replace(/\.zst$/, '')
  return { lines: [...clone, ...joined, ...(plain === name ? [] : [`zstd -d snapshot/${name}`])], file: `snapshot/${plain}` }
}
