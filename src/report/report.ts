import * as core from '@actions/core'
import { type BackupError, messageOf } from '../errors.ts'
import { redactor } from '../redact.ts'
import { isDiskFull } from '../snapshot/workshop/room.ts'
import { neutralise, quoteOutside, visible } from '../text.ts'
import type { FoldingLog, Log } from '../tools.ts'
import type { Ending } from './ending.ts'
import { docsAddress, errorPage } from './links.ts'
import { makeLog } from './log.ts'
import { neverDone } from './run-errors.ts'

/** The only part that talks to the runner: the log while a run goes on, and how it ended. */
export type Report = {
  readonly log: FoldingLog
  /** A short text from outside, harmless and without secrets, as it may be stored. */
  readonly clean: (text: string) => string
  /** Writes the outputs, the job summary and the annotation of a run that has ended. Gives the exit code. */
  readonly end: (ending: Ending) => Promise<number>
  /** Annotates a process that is about to exit without an ending. Does nothing that takes time. */
  readonly abandoned: () => void
}

/** What must never be shown. `masked` values are masked by the runner too, `hidden` ones only here: the runner has never heard of them. */
export type Secrets = { readonly masked: readonly string[]; readonly hidden: readonly string[] }

/** Masks the secrets and makes the report. No secret leaves it in any form, and nothing that the runner would take for a command. */
export function makeReport({ masked, hidden }: Secrets, env: NodeJS.ProcessEnv): Report {
  maskInLog(masked, env)
  const redact = redactor([...masked, ...hidden].flatMap(asShown))
  const redactMasked = redactor(masked.flatMap(asShown))
  const clean = (text: string): string => redact(neutralise(text))
  // Outputs are words of our own and of the inputs. A proxy's password is in none of them, and one that reads like a piece of a word must not
  // bend the path of the snapshot.
  const cleanOutput = (text: string): string => redactMasked(neutralise(text))
  const log = makeLog(clean, env)
  const docs = docsAddress(env)

  const end = async (ending: Ending): Promise<number> => {
    const { outputs, summary, failure, unwritten } = ending
    try {
      setOutputs({ ...outputs, ...(failure ? { 'error-code': failure.code } : {}) }, cleanOutput, env)
      await addSummary(() => clean(summary()), log, env)
    } catch (error) {
      if (unwritten) return await end(unwritten(error))
      log.warning(`The outputs or the job summary could not be written (${messageOf(error)}).`)
    }
    if (failure === undefined) return 0
    annotate(failure, { clean, log, docs })
    return exitCodeOf(failure)
  }

  return {
    log,
    // In this order: a secret that was cut is not known as one any more.
    clean: (text) => quoteOutside(redactMasked(neutralise(text))),
    end,
    abandoned: () => annotate(neverDone(), { clean, log, docs }),
  }
}

/** What is left of a secret when nobody sees the rest may be an ordinary word. */
const shortestMask = 8

/** A secret as it is, and as it is when it has been made harmless like all that is shown. */
function asShown(secret: string): string[] {
  return [...new Set([secret, neutralise(secret)])]
}

/** Has the runner mask the secrets, without what would act on a screen: no text that we show has that. Without a runner nothing reads this command, and it would print what it is to hide. */
function maskInLog(secrets: readonly string[], env: NodeJS.ProcessEnv): void {
  if (env['GITHUB_ACTIONS'] !== 'true' && !env['GITHUB_OUTPUT']) return
  for (const secret of new Set(secrets.map(visible))) if (secret.length >= shortestMask) core.setSecret(secret)
}

/** Writes the outputs where there is a workflow to read them. Throws if the file for them cannot be written. */
function setOutputs(values: Readonly<Record<string, string | number>>, clean: (text: string) => string, env: NodeJS.ProcessEnv): void {
  if (!env['GITHUB_OUTPUT']) return
  for (const [name, value] of Object.entries(values)) core.setOutput(name, clean(String(value)))
}

/** Writes the job summary. Throws if the disk is full; any other failure is only a warning. */
async function addSummary(markdown: () => string, log: Log, env: NodeJS.ProcessEnv): Promise<void> {
  if (!env['GITHUB_STEP_SUMMARY']) return
  try {
    await core.summary.addRaw(markdown()).write()
  } catch (error) {
    if (isDiskFull(error)) throw error
    log.warning(`The job summary could not be written (${messageOf(error)}).`)
  }
}

type AnnotationNeeds = { readonly clean: (text: string) => string; readonly log: Log; readonly docs: string | undefined }

/** Shows an error as the run's annotation, which ends with the address of the page that tells more. */
function annotate(error: BackupError, { clean, log, docs }: AnnotationNeeds): void {
  // The runner shows an annotation's title on the page of the run, and not in the log.
  log.info(`${error.title} (${error.code})`)
  core.error(clean(`${error.message}\nHint: ${error.hint}\n${errorPage(error.code, docs)}`), { title: clean(error.title) })
  core.debug(clean(causesOf(error)))
}

/** 130 is the exit code of a process that was interrupted. */
function exitCodeOf({ code }: BackupError): number {
  return code === 'cancelled' ? 130 : 1
}

/** The chain of causes, for debugging. */
function causesOf(error: BackupError): string {
  const causes: string[] = []
  for (let cause: unknown = error.cause; cause !== undefined && causes.length < 5; cause = Error.isError(cause) ? cause.cause : undefined) {
    causes.push(quoteOutside(messageOf(cause), 1000))
  }
  return `${error.code} was caused by: ${causes.join(' ← ') || 'nothing else'}`
}
