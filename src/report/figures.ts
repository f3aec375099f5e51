import type { BackupOutcome } from '../commands/backup/outcome.ts'
import type { Stored } from '../destinations/destination.ts'
import { otherAssets } from '../format/asset-id.ts'
import { type Manifest, missingCount } from '../format/manifest.ts'
import { escapeMarkdown, formatBytes, formatCount, formatDuration, plural } from '../text.ts'
import { table } from './summary.ts'

/** The table of a backup's figures: what was saved, how large it is, how long it took, where it is stored. */
export function figures({ manifest, documents, sizeBytes, stored, durationMs, stages }: BackupOutcome): string {
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
    ...encryptionRow(manifest),
  ]
  return table(rows)
}

function encryptionRow({ encryption }: Manifest): [string, string][] {
  if (encryption === null) return []
  return [['Encrypted to', encryption.recipients.map(escapeMarkdown).join(', ')]]
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
    missingCount(assets) > 0 ? `**${formatCount(missingCount(assets))} missing**` : 'none missing',
    others > 0 ? `${formatCount(others)} of other types not included` : '',
  ]
  return parts.filter((part) => part !== '').join(', ')
}

function consistency({ mode, repeated, streamGivenUp }: BackupOutcome['documents']): string {
  if (mode === 'stream') return 'one moment: a single export request'
  const why = streamGivenUp ? ', because a single request was cut or short twice' : ''
  const again = repeated > 0 ? ` (documents came again ${formatCount(repeated)} times; of each the last one was kept)` : ''
  return `not one moment: fetched page by page${why}${again}; a reference may point to a document that came or went meanwhile`
}
