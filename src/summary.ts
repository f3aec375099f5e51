import type { BackupOutcome } from './commands/backup.ts'
import type { BackupError } from './errors.ts'
import { escapeMarkdown, formatBytes, formatCount, formatDuration, plural } from './text.ts'

/** Where the snapshot can be found again: the repository of the run, if there is one. */
export type Place = { readonly repository: string; readonly runId: string }

/** The job summary of a backup, as Markdown. What came from outside is escaped; its length does not grow with the dataset. */
export function renderBackup(outcome: BackupOutcome, place: Place): string {
  const { manifest, failure } = outcome
  const status = failure ? '⚠️ stored, but not everywhere' : '✅ stored and read back'
  return sections([
    `## Sanity backup: ${status}`,
    `**${escapeMarkdown(manifest.snapshot)}**`,
    failure && renderProblem(failure),
    figures(outcome),
    chart(manifest.documents.byType),
    notInside(outcome),
    restoreLines(outcome, place),
  ])
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
  const { contentBytes = 0, sizeBytes: dataBytes } = documents.file
  const ratio = dataBytes > 0 ? (contentBytes / dataBytes).toFixed(1) : '–'
  const rate = documents.exportMs > 0 ? `${formatBytes(Math.round(contentBytes / (documents.exportMs / 1000)))}/s` : '–'
  const live =
    liveCountBefore === liveCountAfter
      ? formatCount(liveCountBefore)
      : `${formatCount(liveCountBefore)} before, ${formatCount(liveCountAfter)} after`
  const rows: [string, string][] = [
    ['Source', `${escapeMarkdown(manifest.source.dataset)} of project ${escapeMarkdown(manifest.source.projectId)}`],
    ['Documents', formatCount(count)],
    ['Of these drafts', versions > 0 ? `${formatCount(drafts)}, and ${plural(versions, 'version')}` : formatCount(drafts)],
    ['Assets', 'not included'],
    ['Size', `${formatBytes(sizeBytes)} (${formatBytes(contentBytes)} of documents, ${ratio} to 1)`],
    ['Duration', `${formatDuration(durationMs)} (export ${formatDuration(documents.exportMs)}, ${rate})`],
    ['Time went to', stageTimes(stages)],
    ['Consistency', consistency(documents)],
    ['Complete', `${formatCount(documents.tally.received)} received; Sanity counts ${live}`],
    ['Stored as', stored.map(({ kind }) => kind).join(', ')],
  ]
  return ['| | |', '| --- | --- |', ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join('\n')
}

function stageTimes({ downloadMs, compressMs, uploadMs, verifyMs }: BackupOutcome['stages']): string {
  const stages: [string, number][] = [
    ['download', downloadMs],
    ['compress', compressMs],
    ['upload', uploadMs],
    ['verify', verifyMs],
  ]
  return stages.map(([name, ms]) => `${name} ${formatDuration(ms)}`).join(', ')
}

function consistency({ mode, repeated }: BackupOutcome['documents']): string {
  if (mode === 'stream') return 'one moment: a single export request'
  const twice = repeated > 0 ? ` (${plural(repeated, 'document')} came twice, the later one was kept)` : ''
  return `not one moment: fetched page by page${twice}; a reference may point to a document that came or went meanwhile`
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

/** What a reader could wrongly believe to be in the snapshot. */
function notInside({ manifest, documents }: BackupOutcome): string {
  const { filters, access, source } = manifest
  const items = [
    'Asset files (images and other files): their documents and references are in the snapshot, the files are not.',
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

function restoreLines({ manifest, stored, documents }: BackupOutcome, { repository, runId }: Place): string {
  const { dataset, projectId } = manifest.source
  const artifact = stored.find(({ kind }) => kind === 'artifact')
  const folder = artifact ? 'snapshot' : `./${manifest.snapshot}`
  const file = documents.file.path
  const plain = file.replace(/\.zst$/, '')
  const fetch =
    artifact?.kind === 'artifact' && repository
      ? [`gh run download ${runId} --repo ${repository} --name '${artifact.name.replaceAll("'", "'\\''")}' --dir ${folder}`]
      : []
  const unpack = file === plain ? [] : [`zstd -d ${folder}/${file}`]
  return [
    '### Restore it',
    '```sh',
    ...fetch,
    ...unpack,
    `npx sanity@latest dataset import ${folder}/${plain} --project-id ${projectId} --dataset ${dataset} --replace${documents.tally.damaged > 0 ? ' --allow-replacement-characters' : ''}`,
    '```',
    '`--replace` overwrites documents of the same id; documents made since then stay.',
  ].join('\n')
}
