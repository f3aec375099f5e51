import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { abandonBackup, backup } from './commands/backup/backup.ts'
import { BackupError } from './errors.ts'
import { findSecrets, parseInputs, secretVariables } from './inputs/backup.ts'
import { checkEnvironment, findProxySecrets } from './inputs/environment.ts'
import { findHeartbeatUrl } from './inputs/reader.ts'
import { sendHeartbeat } from './report/heartbeat.ts'
import { makeReport } from './report/report.ts'
import { cancelled, tookTooLong } from './report/run-errors.ts'
import { parseRunner } from './runner.ts'
import { allowFreeing } from './streams/memory.ts'
import { makeTools, type OpenTools } from './tools.ts'

/** What a cancelled run may take to clean up, in milliseconds: the runner gives ten seconds. */
const cleanUpMs = 4_000
/** A job may last six hours on GitHub's runners (docs.github.com/actions/reference/limits). What is not done before has to be told in time. */
const runBudgetMs = 5.5 * 60 * 60 * 1000

// The artifact client's zip reader calls Buffer(): nothing that a user could do something about.
process.noDeprecation = true
allowFreeing()

// Green has to be earned: whatever ends this process early leaves it red.
process.exitCode = 1

const env = { ...process.env }
const report = makeReport({ masked: findSecrets(env), hidden: findProxySecrets(env) }, env)
for (const name of secretVariables) delete process.env[name]

let ending = false
let tools: OpenTools | undefined
/** From here on the outcome is only told: nothing that happens can change it any more. */
let decided = false
let watchdogTold: Promise<void> | undefined
const hurry = new AbortController()
const heartbeatUrl = findHeartbeatUrl(env)
const cancellation = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => giveUp(cancelled(signal)))
// A log that nobody reads any more is no reason to stop, and there is nowhere to say so.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
for (const event of ['uncaughtException', 'unhandledRejection'] as const) process.on(event, (error) => void endAtOnce(error))
process.on('exit', () => {
  abandonBackup()
  if (ending) return
  // Even if something ended the process with 0.
  process.exitCode = 1
  report.abandoned()
})
const budget = setTimeout(() => giveUp(tookTooLong(runBudgetMs)), runBudgetMs)
budget.unref()

const exitCode = await Promise.race([run(), overdue()])
await tellWatchdog(exitCode === 0, 10_000)
ending = true
process.exitCode = exitCode
// An upload cannot be stopped, and must not come to its end after the run has.
if (cancellation.signal.aborted) exit(exitCode)
await tools?.close()
// The artifact client can leave connections open. Nothing that matters is still to be done.
setTimeout(() => exit(exitCode), 2_000).unref()

async function run(): Promise<number> {
  try {
    checkEnvironment(env)
    const { log, clean } = report
    tools = makeTools({ log, clean, environment: { ...process.env }, signal: cancellation.signal })
    const runner = parseRunner(env)
    const outcome = await backup(parseInputs(env), runner, tools)
    await decide()
    // What was told to end, and has told the watchdog so, is not green, though everything was stored in that moment.
    const failure = outcome.failure ?? (cancellation.signal.aborted ? cancellation.signal.reason : undefined)
    return await report.success(
      { ...outcome, failure },
      { repository: runner.repository, runId: runner.run?.runId ?? '', serverUrl: runner.serverUrl },
    )
  } catch (error) {
    await decide()
    return await report.failure(cancellation.signal.aborted && !saysCancelled(error) ? cancellation.signal.reason : error)
  }
}

/** Only one may tell the outcome: a run that another one is telling of already waits for its end. */
async function decide(): Promise<void> {
  if (ending) await new Promise(() => undefined)
  decided = true
}

/** The end that was asked for, with what is left behind. */
function saysCancelled(error: unknown): boolean {
  return error instanceof BackupError && error.code === 'cancelled'
}

/** The end of a run that was given up and does not come to an end by itself. */
async function overdue(): Promise<number> {
  await once(cancellation.signal, 'abort')
  await sleep(cleanUpMs)
  if (decided) return await new Promise<never>(() => undefined)
  return await report.failure(cancellation.signal.reason)
}

/** The runner kills the process ten seconds after the first signal: the watchdog is told while the rest is being cleaned up. */
function giveUp(error: BackupError): void {
  if (cancellation.signal.aborted) return
  // The outcome stands. Only the watchdog is still being told of it, and that has to be done in time.
  if (decided) return void setTimeout(() => hurry.abort(error), 1_000).unref()
  cancellation.abort(error)
  void tellWatchdog(false, 1_000)
}

/** Once in a run: the first word is the last. */
async function tellWatchdog(ok: boolean, withinMs: number): Promise<void> {
  if (!heartbeatUrl || !tools) return
  watchdogTold ??= sendHeartbeat(heartbeatUrl, { ok, signal: AbortSignal.any([hurry.signal, AbortSignal.timeout(withinMs)]) }, tools)
  await watchdogTold
}

/** An error that nobody waits for, from a library's inside: the run cannot be trusted any more. */
async function endAtOnce(error: unknown): Promise<void> {
  // What is torn down after a cancellation may well complain, and what fails while this is being told must not begin it anew.
  if (cancellation.signal.aborted || decided || ending) return
  ending = true
  const telling = tellWatchdog(false, 1_000)
  const exitCode = await report.failure(error).catch(() => 1)
  await telling
  exit(exitCode)
}

function exit(code: number): void {
  // biome-ignore lint/plugin: the two places above say why the event loop cannot be waited for
  process.exit(code)
}
