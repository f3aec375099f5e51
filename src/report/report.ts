import * as core from '@actions/core'
import type { BackupOutcome } from '../commands/backup/outcome.ts'
import { BackupError, findSystemCode, messageOf } from '../errors.ts'
import { isDiskFull } from '../snapshot/workshop/room.ts'
import { formatBytes, neutralise, quoteOutside, redactor } from '../text.ts'
import type { Log } from '../tools.ts'
import { type Place, renderBackup, renderFailure } from './backup.ts'
import { neverDone, unexpected } from './run-errors.ts'

/** The one mouth: the log while a run goes on, and how it ended. */
export type Report = {
  readonly log: Log
  /** A short text from outside, harmless and without secrets, as it may be stored. */
  readonly clean: (text: string) => string
  /** A run that stored a snapshot. Gives the exit code. */
  readonly success: (outcome: BackupOutcome, place: Place) => Promise<number>
  /** A run that stored nothing. Gives the exit code. */
  readonly failure: (error: unknown) => Promise<number>
  /** A run that ends without a result, said in the very last moment. */
  readonly abandoned: () => void
}

/** How often a long step says how far it has come, in milliseconds: lines in GitHub's log, one live line on a terminal. */
const progressMs = { lines: 5_000, live: 200 } as const

/** What must never be shown. The runner is told to mask the inputs; the others it would see for the first time. */
type Secrets = { readonly masked: readonly string[]; readonly hidden: readonly string[] }

/** Masks the secrets and makes the report. No secret leaves it in any form, and nothing that the runner would take for a command. */
export function makeReport({ masked, hidden }: Secrets, env: NodeJS.ProcessEnv): Report {
  // Elsewhere nobody would mask it, and the command would print it.
  const heard = env['GITHUB_ACTIONS'] === 'true' || Boolean(env['GITHUB_OUTPUT'])
  for (const secret of heard ? masked : []) core.setSecret(secret)
  const redact = redactor([...masked, ...hidden])
  const redactMasked = redactor(masked)
  const clean = (text: string): string => redact(neutralise(text))
  const log = makeLog(clean, env)

  const outputs = (values: Record<string, string | number>): void => {
    // Outside a workflow there is nobody to read outputs. They are words of our own and of the inputs: a proxy’s password that reads like a piece of
    // one is in none of them, and must not bend the path of the snapshot.
    if (!env['GITHUB_OUTPUT']) return
    for (const [name, value] of Object.entries(values)) core.setOutput(name, redactMasked(neutralise(String(value))))
  }

  const summary = async (markdown: () => string): Promise<void> => {
    if (!env['GITHUB_STEP_SUMMARY']) return
    try {
      await core.summary.addRaw(clean(markdown())).write()
    } catch (error) {
      if (isDiskFull(error)) throw error
      log.warning(`The job summary could not be written (${messageOf(error)}).`)
    }
  }

  const annotate = (error: BackupError): void => {
    // The runner shows an annotation's title on the page of the run, and not in the log.
    log.info(`${error.title} (${error.code})`)
    core.error(clean(`${error.message}\nHint: ${error.hint}`), { title: clean(error.title) })
    core.debug(clean(causesOf(error)))
  }

  return {
    log,
    clean: (text) => redactMasked(quoteOutside(text)),
    success: async (outcome, place) => {
      const values = { ...outputsOf(outcome), ...(outcome.failure ? { 'error-code': outcome.failure.code } : {}) }
      try {
        outputs(values)
        await summary(() => renderBackup(outcome, place))
      } catch (error) {
        throw untold(error, outcome)
      }
      if (outcome.failure === undefined) return 0
      annotate(alsoStored(outcome.failure, outcome))
      return exitCodeOf(outcome.failure)
    },
    failure: async (thrown) => {
      const error = thrown instanceof BackupError ? thrown : unexpected(thrown)
      annotate(error)
      try {
        outputs({ 'error-code': error.code, ...(error.code === 'asset-missing' ? { status: 'incomplete' } : {}) })
        await summary(() => renderFailure(error))
      } catch (lost) {
        log.warning(`The outputs or the job summary could not be written (${messageOf(lost)}).`)
      }
      return exitCodeOf(error)
    },
    abandoned: () => annotate(neverDone()),
  }
}

/** 130 is what a process ends with that was interrupted. */
function exitCodeOf({ code }: BackupError): number {
  return code === 'cancelled' ? 130 : 1
}

function makeLog(clean: (text: string) => string, env: NodeJS.ProcessEnv): Log {
  const live = process.stdout.isTTY && env['GITHUB_ACTIONS'] !== 'true'
  const everyMs = live ? progressMs.live : progressMs.lines
  let lastProgress = performance.now()
  const oneLine = (text: string): string => clean(text).replace(/\n/g, ' ')
  const endLiveLine = (): void => {
    if (live) process.stdout.write('\r\u001b[2K')
  }
  return {
    info: (line) => {
      endLiveLine()
      core.info(oneLine(line))
    },
    warning: (line) => {
      endLiveLine()
      core.warning(clean(line))
    },
    debug: (line) => core.debug(oneLine(line)),
    progress: (line) => {
      if (performance.now() - lastProgress < everyMs) return
      lastProgress = performance.now()
      if (live) process.stdout.write(`\r\u001b[2K${oneLine(line())}`)
      else core.info(oneLine(line()))
    },
  }
}

function outputsOf({ status: ending, manifest, stored, sizeBytes, digest }: BackupOutcome): Record<string, string | number> {
  const artifact = stored.find((place) => place.kind === 'artifact')
  const directory = stored.find((place) => place.kind === 'directory')
  const branch = stored.find((place) => place.kind === 'branch')
  return {
    status: manifest.assets.missing.length > 0 ? 'incomplete' : ending,
    snapshot: manifest.snapshot,
    path: directory?.folder ?? '',
    manifest: directory?.manifest ?? '',
    'document-count': manifest.documents.count,
    'asset-count': manifest.assets.count,
    'missing-asset-count': manifest.assets.missing.length,
    'size-bytes': sizeBytes,
    digest: digest ?? '',
    'artifact-id': artifact?.id ?? '',
    'artifact-url': artifact?.url ?? '',
    branch: branch?.branch ?? '',
    'commit-sha': branch?.commit ?? '',
  }
}

/** A run that failed at one destination says what the others hold. */
function alsoStored(failure: BackupError, { stored, manifest }: BackupOutcome): BackupError {
  const where = stored.map(({ kind }) => kind).join(' and ')
  const { code, title, hint, cause } = failure
  return new BackupError({
    code,
    title,
    hint,
    cause,
    message: `${failure.message} The snapshot ${manifest.snapshot} is stored, and was read back, as ${where}.`,
  })
}

/**
 * A snapshot that is stored, but that no later step will hear of. On a full disk its folder is taken away again: what follows could not be
 * relied on there. Anything else leaves a proven snapshot where it is.
 */
function untold(error: unknown, { stored, manifest, withdraw, sizeBytes }: BackupOutcome): BackupError {
  const full = isDiskFull(error)
  if (full) withdraw()
  const kept = stored.filter(({ kind }) => !(full && kind === 'directory')).map(({ kind }) => kind)
  const where =
    kept.length > 0 ? ` The snapshot ${manifest.snapshot} is stored, and was read back, as ${kept.join(' and ')}.` : ' Nothing was stored.'
  if (full) {
    return new BackupError({
      code: 'disk-full',
      title: 'The disk is full',
      message: `There is no room left for this step's outputs or job summary (${findSystemCode(error)}); the snapshot alone needs ${formatBytes(sizeBytes)}.${where}`,
      hint: 'Free disk space before this step, let `path` point to a larger disk, use `compression: zstd`, or a runner with more room.',
      cause: error,
    })
  }
  return new BackupError({
    code: 'unexpected',
    title: 'The outputs could not be written',
    message: `The file for this step's outputs could not be written (${findSystemCode(error) ?? messageOf(error)}), so later steps would not know of the snapshot.${where}`,
    hint: 'Check that no earlier step changes or removes the file that GITHUB_OUTPUT names.',
    cause: error,
  })
}

/** The chain of causes, for debugging. */
function causesOf(error: BackupError): string {
  const causes: string[] = []
  for (let cause: unknown = error.cause; cause !== undefined && causes.length < 5; cause = Error.isError(cause) ? cause.cause : undefined) {
    causes.push(quoteOutside(messageOf(cause), 1000))
  }
  return `${error.code} was caused by: ${causes.join(' ← ') || 'nothing else'}`
}
