import { setTimeout as sleep } from 'node:timers/promises'
import { BackupError } from './errors.ts'
import { cancelled, tookTooLong } from './report/run-errors.ts'

/** What may end a run, and when: its own result, a signal, the time budget, an error that nobody waits for, an exit without a result. */

/** How long a run that was given up may clean up, in milliseconds. The runner kills the process ten seconds after its first signal. */
const cleanUpMs = 4_000
/** How long the watchdog may take once the process has to end, in milliseconds. */
const lastCallMs = 1_000
/** A job may last six hours on GitHub's runners (docs.github.com/actions/reference/limits). A run that takes longer must fail before that. */
const budgetMs = 5.5 * 60 * 60 * 1000
/** How long an ended process may wait for what is still open, in milliseconds. The artifact client can leave connections open. */
const lingerMs = 2_000

/** The life of this process, from its start to its exit code. */
export type Lifetime = {
  /** Aborted when the run is given up; its reason is the error to end with. */
  readonly signal: AbortSignal
  /** Aborted shortly after anything has asked the process to end, even if that came too late to change the result. */
  readonly lastCall: AbortSignal
  /**
   * Does the work and gives its result, or throws the error that ends the run: the work's own, or the one for which it was given up. Nothing
   * that happens afterwards changes the result any more.
   */
  readonly during: <Result>(work: () => Promise<Result>) => Promise<Result>
  /** Ends the process: closes what is open, if there is time for it. */
  readonly end: (exitCode: number, close: () => Promise<void>) => Promise<void>
}

type LifetimeNeeds = {
  /** Called when the run is given up, while it is still being cleaned up. */
  readonly onGivenUp: () => void
  /** Called in the process's last moment, whatever ended it: removes what lies about. Cannot wait for anything. */
  readonly onExit: () => void
  /** Called, after that, if the process exits though the run has not ended. */
  readonly onNoResult: () => void
}

/** `running`: anything can still end the run. `decided`: its result is being reported. `over`: it is reported, and the process may exit. */
type Phase = 'running' | 'decided' | 'over'

type State = {
  phase: Phase
  /** Whether the process must not wait for what is open. */
  hurried: boolean
  /** Aborts `signal`: the work stops and cleans up. */
  readonly cancellation: AbortController
  readonly lastCall: AbortController
  /** Rejects with the error that ends the run without its work. */
  readonly givenUp: PromiseWithResolvers<never>
  readonly onGivenUp: () => void
}

/** Starts to listen to all that may end the process. Until {@link Lifetime.end} its exit code is 1: green has to be earned. */
export function startLifetime({ onGivenUp, onExit, onNoResult }: LifetimeNeeds): Lifetime {
  const state: State = {
    phase: 'running',
    hurried: false,
    cancellation: new AbortController(),
    lastCall: new AbortController(),
    givenUp: Promise.withResolvers<never>(),
    onGivenUp,
  }
  process.exitCode = 1
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => giveUp(state, cancelled(signal)))
  setTimeout(() => giveUp(state, tookTooLong(budgetMs)), budgetMs).unref()
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) process.on(event, (error) => distrust(state, error))
  // A log that nobody reads any more is no reason to stop, and there is nowhere to say so.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  process.on('exit', () => {
    onExit()
    if (state.phase === 'over') return
    // Even if something ended the process with 0.
    process.exitCode = 1
    onNoResult()
  })
  return {
    signal: state.cancellation.signal,
    lastCall: state.lastCall.signal,
    during: async (work) => await during(state, work),
    end: async (exitCode, close) => await end(state, exitCode, close),
  }
}

/** Has the run stop and clean up, and ends it without its work if that takes too long. Only the first call counts. */
function giveUp(state: State, error: BackupError): void {
  if (state.hurried) return
  hurry(state)
  if (state.phase !== 'running') return
  state.cancellation.abort(error)
  state.onGivenUp()
  void sleep(cleanUpMs).then(() => state.givenUp.reject(error))
}

/** Ends the run at once: an error from inside a library, which nobody waits for, leaves nothing that could be trusted. */
function distrust(state: State, error: unknown): void {
  // What is torn down after a cancellation may well complain, and what fails while the result is reported does not change it.
  if (state.hurried || state.phase !== 'running') return
  hurry(state)
  state.givenUp.reject(error)
  state.onGivenUp()
}

function hurry(state: State): void {
  state.hurried = true
  setTimeout(() => state.lastCall.abort(new Error('the run had to end')), lastCallMs).unref()
}

async function during<Result>(state: State, work: () => Promise<Result>): Promise<Result> {
  const { signal } = state.cancellation
  try {
    return await Promise.race([work(), state.givenUp.promise])
  } catch (error) {
    // What the work stumbles over while it stops is not what ended it. Its own words for the end may also say what is left behind.
    throw signal.aborted && !(error instanceof BackupError && error.code === 'cancelled') ? signal.reason : error
  } finally {
    state.phase = 'decided'
  }
}

async function end(state: State, exitCode: number, close: () => Promise<void>): Promise<void> {
  state.phase = 'over'
  process.exitCode = exitCode
  // An upload cannot be stopped, and must not come to its end after the run has.
  if (state.hurried) exit(exitCode)
  await close()
  // Nothing that matters is still to be done.
  setTimeout(() => exit(exitCode), lingerMs).unref()
}

function exit(code: number): void {
  // biome-ignore lint/plugin: the two places above say why the event loop cannot be waited for
  process.exit(code)
}
