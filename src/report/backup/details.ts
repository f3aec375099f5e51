import type { BackupOutcome } from '../../commands/backup/outcome.ts'
import { escapeMarkdown, formatBytes, formatCount, formatDuration, plural } from '../../text.ts'
import { sections } from '../summary.ts'

/** What few readers want to know of a backup: names, times, how the documents were fetched, and how many there are of each type. */
export function details(outcome: BackupOutcome): string {
  return sections([figures(outcome), typesTable(outcome.manifest.documents.byType)]).trim()
}

function figures({ manifest, documents, sizeBytes, durationMs, stages }: BackupOutcome): string {
  const { contentBytes = 0, sizeBytes: dataBytes = 0 } = documents.data?.file ?? {}
  const { drafts, versions } = manifest.documents
  const rate = documents.exportMs > 0 ? `${formatBytes(Math.round(contentBytes / (documents.exportMs / 1000)))}/s` : '–'
  const rows: [string, string][] = [
    ['Snapshot', escapeMarkdown(manifest.snapshot)],
    ['Source', `${escapeMarkdown(manifest.source.dataset)} of project ${escapeMarkdown(manifest.source.projectId)}`],
    ...(manifest.shard ? [['Shard', `${manifest.shard.index} of ${manifest.shard.of}`] as [string, string]] : []),
    ...(documents.data ? [['Drafts and versions', `${plural(drafts, 'draft')}, ${plural(versions, 'version')}`] as [string, string]] : []),
    ...(sizeBytes === undefined
      ? []
      : [['Size', `${formatBytes(sizeBytes)} in all${dataBytes > 0 ? sizeOfDocuments(contentBytes, dataBytes) : ''}`] as [string, string]]),
    ...(manifest.assets.included ? [['Assets', assetsOf(manifest.assets)] as [string, string]] : []),
    ['Timing', `${formatDuration(durationMs)} (${stageTimes(stages)}; export at ${rate})`],
    ['Consistency', consistency(documents)],
  ]
  return ['| | |', '| --- | --- |', ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join('\n')
}

function sizeOfDocuments(contentBytes: number, dataBytes: number): string {
  return `; documents ${formatBytes(contentBytes)}, compressed to ${formatBytes(dataBytes)} (${(contentBytes / dataBytes).toFixed(1)} to 1)`
}

function assetsOf({ count, sizeBytes, reused }: BackupOutcome['manifest']['assets']): string {
  const cached = reused > 0 ? `, ${formatCount(reused)} reused from the cache` : ''
  return `${formatCount(count)} (${formatBytes(sizeBytes)})${cached}`
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

function consistency({ mode, repeated, streamGivenUp }: BackupOutcome['documents']): string {
  if (mode === 'stream') return 'one moment: a single export request'
  const why = streamGivenUp ? ', because a single request was cut or short twice' : ''
  const again = repeated > 0 ? ` (documents came again ${formatCount(repeated)} times; of each the last one was kept)` : ''
  return `not one moment: fetched page by page${why}${again}; a reference may point to a document that came or went meanwhile`
}

const shownTypes = 20
const barLength = 20

/** The largest types, each with a bar, and the rest as one row; undefined if there are none. */
function typesTable(byType: Readonly<Record<string, number>>): string | undefined {
  const types = Object.entries(byType).sort(([, a], [, b]) => b - a)
  const rest = types.slice(shownTypes)
  const others = rest.reduce((sum, [, count]) => sum + count, 0)
  const rows = [
    ...types.slice(0, shownTypes).map(([type, count]): [string, number] => [escapeMarkdown(type), count]),
    ...(rest.length > 0 ? [[plural(rest.length, 'other type'), others] as [string, number]] : []),
  ]
  const most = Math.max(...rows.map(([, count]) => count))
  if (rows.length === 0 || most === 0) return undefined
  const lines = rows.map(([type, count]) => `| ${type} | ${formatCount(count)} | ${'█'.repeat(Math.ceil((count / most) * barLength))} |`)
  return ['| type | documents | |', '| --- | ---: | --- |', ...lines].join('\n')
}
