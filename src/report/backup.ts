import type { MissingAssets } from '../commands/backup/assets/missing.ts'
import type { BackupOutcome } from '../commands/backup/outcome.ts'
import { BackupError, findSystemCode, messageOf } from '../errors.ts'
import { otherAssets } from '../format/asset-id.ts'
import { changesInWords, countDifferences, signedCount } from '../format/compare.ts'
import { type Manifest, missingCount } from '../format/manifest.ts'
import { isDiskFull } from '../snapshot/workshop/room.ts'
import { escapeMarkdown, formatBytes, formatCount, plural } from '../text.ts'
import type { Ending } from './ending.ts'
import { figures } from './figures.ts'
import { type RunAddress, restoreLines } from './restore-lines.ts'
import { unexpected } from './run-errors.ts'
import { listed, pieOfTypes, renderProblem, sections } from './summary.ts'

/** How a backup ended, and why the run is to fail although the backup stored everything: the run was cancelled in its last moment. */
export type FinishedBackup = { readonly outcome: BackupOutcome; readonly cancelled: BackupError | undefined }

/** The ending of a backup that stored something. */
export function backupEnding({ outcome, cancelled }: FinishedBackup, address: RunAddress): Ending {
  const failure = outcome.failure ?? cancelled
  return {
    outputs: outputsOf(outcome),
    summary: () => renderBackup({ ...outcome, failure }, address),
    failure: failure && alsoStored(failure, outcome),
    unwritten: (error) => {
      const lost = unwritten(error, outcome)
      return backupFailure(cancelled ?? lost)
    },
  }
}

/** The ending of a backup that stored nothing. Takes whatever was thrown. */
export function backupFailure(thrown: unknown): Ending {
  const error = thrown instanceof BackupError ? thrown : unexpected(thrown)
  return {
    outputs: error.code === 'asset-missing' ? { status: 'incomplete' } : {},
    summary: () => sections(['## Sanity backup: ❌ failed', renderProblem(error)]),
    failure: error,
  }
}

function outputsOf({ status, manifest, stored, sizeBytes, digest }: BackupOutcome): Ending['outputs'] {
  const artifact = stored.find((place) => place.kind === 'artifact')
  const directory = stored.find((place) => place.kind === 'directory')
  const branch = stored.find((place) => place.kind === 'branch')
  return {
    status: missingCount(manifest.assets) > 0 ? 'incomplete' : status,
    snapshot: manifest.snapshot,
    path: directory?.folder ?? '',
    manifest: directory?.manifest ?? '',
    'document-count': manifest.documents.count,
    'asset-count': manifest.assets.count,
    'missing-asset-count': missingCount(manifest.assets),
    'size-bytes': sizeBytes,
    digest: digest ?? '',
    'artifact-id': artifact?.id ?? '',
    'artifact-url': artifact?.url ?? '',
    branch: branch?.branch ?? '',
    'commit-sha': branch?.commit ?? '',
  }
}

/** A run that failed at one destination says what the others hold. */
function alsoStored({ code, title, message, hint, cause }: BackupError, { stored, manifest }: BackupOutcome): BackupError {
  return new BackupError({ code, title, hint, cause, message: `${message} ${storedSentence(manifest.snapshot, stored)}` })
}

/** The sentence that says where a snapshot is. */
function storedSentence(snapshot: string, stored: BackupOutcome['stored']): string {
  return `The snapshot ${snapshot} is stored, and was read back, as ${stored.map(({ kind }) => kind).join(' and ')}.`
}

/**
 * The error for a snapshot that is stored, but that no later step will hear of. On a full disk its folder is taken away again: what follows could
 * not be relied on there. Anything else leaves a proven snapshot where it is.
 */
function unwritten(error: unknown, { stored, manifest, withdraw, sizeBytes }: BackupOutcome): BackupError {
  const full = isDiskFull(error)
  if (full) withdraw()
  const kept = stored.filter(({ kind }) => !(full && kind === 'directory'))
  const where = kept.length > 0 ? storedSentence(manifest.snapshot, kept) : 'Nothing was stored.'
  if (full) {
    return new BackupError({
      code: 'disk-full',
      title: 'The disk is full',
      message: `There is no room left for this step's outputs or job summary (${findSystemCode(error)}); the snapshot alone needs ${formatBytes(sizeBytes)}. ${where}`,
      hint: 'Free disk space before this step, let `path` point to a larger disk, use `compression: zstd`, or a runner with more room.',
      cause: error,
    })
  }
  return new BackupError({
    code: 'unexpected',
    title: 'The outputs could not be written',
    message: `The file for this step's outputs could not be written (${findSystemCode(error) ?? messageOf(error)}), so later steps would not know of the snapshot. ${where}`,
    hint: 'Check that no earlier step changes or removes the file that GITHUB_OUTPUT names.',
    cause: error,
  })
}

/** The job summary, as Markdown. What came from outside is escaped; its length does not grow with the dataset. */
function renderBackup(outcome: BackupOutcome, address: RunAddress): string {
  const { manifest, missed, failure } = outcome
  return sections([
    `## Sanity backup: ${statusOf(outcome)}`,
    `**${escapeMarkdown(manifest.snapshot)}**`,
    failure && renderProblem(failure),
    figures(outcome),
    pieOfTypes(manifest.documents.byType),
    missingAssets(missed),
    sinceLast(outcome),
    notInside(outcome),
    restoreLines(outcome, address),
  ])
}

function statusOf({ status, missed, failure, compared }: BackupOutcome): string {
  if (failure?.code === 'asset-missing') return '❌ incomplete'
  if (failure) return '⚠️ stored, but not everywhere'
  if (missed.count > 0) return '⚠️ stored and read back, incomplete'
  if (compared.kind === 'unknown') return '⚠️ stored and read back, not compared'
  return status === 'unchanged' ? '✅ unchanged, nothing new to store' : '✅ stored and read back'
}

/** The first missing assets, with what refers to them. */
function missingAssets({ count, first }: MissingAssets): string | undefined {
  if (count === 0) return undefined
  const rows = first.map(
    ({ id, status, why, referrers = ['not looked up'] }) =>
      `| ${escapeMarkdown(id)} | ${status === 0 ? '–' : status} | ${escapeMarkdown(why)} | ${referrers.map(escapeMarkdown).join(', ') || 'nothing'} |`,
  )
  const more = count > first.length ? [`And ${formatCount(count - first.length)} more: the manifest lists them all.`] : []
  return [
    '### Missing assets',
    ['| asset | status | why | referred to by |', '| --- | --- | --- | --- |', ...rows].join('\n'),
    ...more,
  ].join('\n\n')
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
    ...leftOut(manifest),
    access.fullRead === false
      ? `**Perhaps more:** the token’s role does not grant reading every document of ${escapeMarkdown(source.dataset)}.`
      : '',
    access.fullRead === null ? 'Perhaps more: Sanity did not tell whether the token may read every document.' : '',
  ]
  return ['### Not in this snapshot', ...items.filter((item) => item !== '').map((item) => `- ${item}`)].join('\n')
}

/** What the filters left out. Of an encrypted snapshot no words but numbers: who may read this need not be one who may read that. */
function leftOut({ filters, documents }: Manifest): string[] {
  const { types, excludeTypes, excludeIds } = filters
  const excludes = sizeOf(excludeTypes) + sizeOf(excludeIds) > 0
  return [
    sizeOf(types) > 0 ? `Types other than ${wordsOf(types)}.` : '',
    sizeOf(excludeTypes) > 0 ? `Types ${wordsOf(excludeTypes)} (\`exclude-types\`).` : '',
    sizeOf(excludeIds) > 0 ? `Ids like ${wordsOf(excludeIds)} (\`exclude-ids\`).` : '',
    excludes ? `Left out as excluded: ${plural(documents.excluded, 'document')}.` : '',
  ]
}

type FilterList = readonly string[] | number

const sizeOf = (list: FilterList): number => (typeof list === 'number' ? list : list.length)

const wordsOf = (list: FilterList): string => (typeof list === 'number' ? `of a list of ${formatCount(list)}` : listed(list))
