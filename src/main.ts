import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { backup } from './commands/backup.ts'
import { BackupError } from './errors.ts'
import { sendHeartbeat } from './heartbeat.ts'
import { findSecrets, parseInputs, secretVariables } from './inputs.ts'
import { findHeartbeatUrl } from './readers.ts'
import { makeReport, type Report } from './report.ts'
import { parseRunner, type Runner } from './runner.ts'
import { makeTools, type Tools } from './tools.ts'

/** What a cancelled run may take to clean up, in milliseconds: the runner gives ten seconds. */
const cleanUpMs = 4_000

// The artifact client's zip reader calls Buffer(): nothing that a user could do something about.
process.noDeprecation = true

// Green has to be earned: whatever ends this process early leaves it red.
process.exitCode = 1

const env = { ...process.env }
const report = makeReport(findSecrets(env), env)
for (const name of secretVariables) delete process.env[name]

let ending = false
const cancellation = new AbortController()
const tools = makeTools({ log: report.log, clean: report.clean, signal: cancellation.signal })
const heartbeatUrl = findHeartbeatUrl(env)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void cancel(signal))
// A log that nobody reads any more is no reason to stop, and there is nowhere to say so.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
for (const event of ['uncaughtException', 'unhandledRejection'] as const) process.on(event, (error) => void endAtOnce(error))

const exitCode = await Promise.race([run(parseRunner(env), tools, report), overdue()])
if (heartbeatUrl && !cancellation.signal.aborted) await sendHeartbeat(heartbeatUrl, { ok: exitCode === 0, withinMs: 10_000 }, tools)
process.exitCode = exitCode
// An upload cannot be stopped, and must not come to its end after the run has.
if (cancellation.signal.aborted) exit(exitCode)
await tools.close()
// The artifact client can leave connections open. Nothing that matters is still to be done.
setTimeout(() => exit(exitCode), 2_000).unref()

async function run(runner: Runner, used: Tools, { success, failure }: Report): Promise<number> {
  try {
    const outcome = await backup(parseInputs(env), runner, used)
    return await success(outcome, { repository: runner.repository, runId: runner.run?.runId ?? '' })
  } catch (error) {
    return await failure(cancellation.signal.aborted ? cancellation.signal.reason : error)
  }
}

/** The end of a cancelled run that does not come to an end by itself. */
async function overdue(): Promise<number> {
  await once(cancellation.signal, 'abort')
  await sleep(cleanUpMs)
  return await report.failure(cancellation.signal.reason)
}

/** Tells the watchdog first: after the abort nothing may be waited for. The runner kills the process ten seconds after the first signal. */
async function cancel(signal: string): Promise<void> {
  if (heartbeatUrl) await sendHeartbeat(heartbeatUrl, { ok: false, withinMs: 1_000 }, tools)
  cancellation.abort(cancelled(signal))
}

/** An error that nobody waits for, from a library's inside: the run cannot be trusted any more. */
async function endAtOnce(error: unknown): Promise<void> {
  // What is torn down after a cancellation may well complain, and what fails while this is being told must not begin it anew.
  if (cancellation.signal.aborted || ending) return
  ending = true
  exit(await report.failure(error).catch(() => 1))
}

function exit(code: number): void {
  // biome-ignore lint/plugin: the two places above say why the event loop cannot be waited for
  process.exit(code)
}

function cancelled(signal: string): BackupError {
  return new BackupError({
    code: 'cancelled',
    title: 'The backup was cancelled',
    message: `The run was ended from outside (${signal}) before it was done.`,
    hint: 'Run it again. If it was the time limit, raise `timeout-minutes`; if it was `concurrency`, set `cancel-in-progress: false`.',
  })
}
