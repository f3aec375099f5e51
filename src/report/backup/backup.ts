import type { LastGood } from '../../commands/backup/look-back.ts'
import type { BackupOutcome } from '../../commands/backup/outcome.ts'
import { BackupError, findSystemCode, messageOf } from '../../errors.ts'
import { missingCount } from '../../format/manifest/manifest.ts'
import { isDiskFull } from '../../snapshot/workshop/room.ts'
import { escapeMarkdown, formatAge, formatBytes, formatDay, plural } from '../../text.ts'
import type { Ending } from '../ending.ts'
import { unexpected } from '../run-errors.ts'
import { renderProblem, sections } from '../summary.ts'
import type { Context } from './context.ts'
import { renderBackup } from './summary.ts'

/** How a backup ended, and why the run is to fail although the backup stored everything: the run was cancelled in its last moment. */
export type FinishedBackup = { readonly outcome: BackupOutcome; readonly cancelled: BackupError | undefined }

/** The ending of a backup that stored something. */
export function backupEnding({ outcome, cancelled }: FinishedBackup, context: Context): Ending {
  const failure = outcome.failure ?? cancelled
  return {
    outputs: outputsOf(outcome),
    summary: () => renderBackup({ ...outcome, failure }, context),
    failure: failure && alsoStored(failure, outcome),
    unwritten: (error) => {
      const lost = unwritten(error, outcome)
      return backupFailure(cancelled ?? lost, { dataset: outcome.manifest.source.dataset }, context)
    },
  }
}

/** What is known of a backup that stored nothing: its dataset, and the last good snapshot from before. */
export type FailedBackup = { readonly dataset?: string; readonly lastGood?: LastGood | undefined }

/** The ending of a backup that stored nothing. Takes whatever was thrown. */
export function backupFailure(thrown: unknown, { dataset, lastGood }: FailedBackup, context: FailureContext): Ending {
  const error = thrown instanceof BackupError ? thrown : unexpected(thrown)
  const of = dataset === undefined ? '' : ` of ${escapeMarkdown(dataset)}`
  return {
    outputs: error.code === 'asset-missing' ? { status: 'incomplete' } : {},
    summary: () =>
      sections([
        `## Sanity backup${of}: ❌ failed, nothing stored`,
        renderProblem(error, context.docs),
        lastGood && sayLastGood(lastGood, context),
      ]),
    failure: error,
  }
}

/** What the summary of a failure needs of the run. */
export type FailureContext = Pick<Context, 'docs' | 'now'> & Partial<Pick<Context, 'serverUrl'>>

function sayLastGood({ manifest, keptUntil }: LastGood, { now, serverUrl }: FailureContext): string {
  const age = formatAge(now.getTime() - Date.parse(manifest.takenAt))
  const kept = keptUntil === undefined ? '' : `, kept until ${formatDay(new Date(keptUntil))}`
  const page = findRunPage(manifest, serverUrl)
  const name = page === undefined ? 'last good backup' : `[last good backup](${page})`
  return `Your ${name} is **${age} old**: ${plural(manifest.documents.count, 'document')}${kept} (${escapeMarkdown(manifest.snapshot)}).`
}

/** The page of the workflow run that made a snapshot. The manifest comes from outside: only what is surely a repository and a run becomes a link. */
function findRunPage({ run }: LastGood['manifest'], serverUrl: string | undefined): string | undefined {
  if (!serverUrl || !run || !/^[A-Za-z0-9_-]{1,100}\/[A-Za-z0-9._-]{1,100}$/.test(run.repository) || !/^\d{1,15}$/.test(run.runId))
    return undefined
  return `${serverUrl}/${run.repository}/actions/runs/${run.runId}`
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
    'size-bytes': sizeBytes ?? '',
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
  const holding = stored.filter((place) => stored.length === 1 || place.kind !== 'branch' || !place.notKept)
  return `The snapshot ${snapshot} is stored, and was read back, as ${holding.map(({ kind }) => kind).join(' and ')}.`
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
      message: `There is no room left for this step's outputs or job summary (${findSystemCode(error)}); the snapshot alone needs ${formatBytes(sizeBytes ?? 0)}. ${where}`,
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
