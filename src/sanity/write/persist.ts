import { BackupError } from '../../errors.ts'
import type { Pace } from '../../http/pace.ts'
import { jittered, type Wait } from '../../http/retry.ts'
import { formatDuration } from '../../text.ts'
import { gaveUp } from '../errors/write.ts'

/** The longest wait between two tries that Sanity did not ask for, in milliseconds. */
const longestWaitMs = 60_000
/** A request that nobody took for so long ends the run, in milliseconds. */
const giveUpMs = 600_000

export type PersistNeeds = {
  /** What is tried, for the log and the error: `a transaction`. */
  readonly what: string
  readonly pace: Pace
  /** Called with each `Retry-After`. */
  readonly pauseAll: (ms: number) => void
  readonly wait: Wait
  readonly signal: AbortSignal
  readonly clock: () => number
  readonly log: { readonly info: (line: string) => void }
}

/**
 * Runs `attempt` until it gives something, or fails with an error that no further try can help ({@link BackupError.retry}). Tries go on for ten
 * minutes, with the waits that Sanity asks for, else after 1, 2, 4 … 60 s: a restore that stops half-way costs more than one that takes long.
 * Throws the signal's reason once that is aborted: no try begins after that, but one that is on its way may still give its result.
 */
export async function persisting<Result>(attempt: () => Promise<Result>, needs: PersistNeeds): Promise<Result> {
  const { what, pace, pauseAll, wait, signal, clock, log } = needs
  const startedMs = clock()
  for (let tries = 1; ; tries++) {
    await pace.turn(signal)
    try {
      return await attempt()
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof BackupError) || error.retry.tries <= 1) throw error
      const { afterMs } = error.retry
      // One that asks for no wait, or for a date that is past on our clock, must not be asked again at once.
      const waitMs = afterMs || Math.min(longestWaitMs, jittered(1_000 * 2 ** (tries - 1)))
      const forMs = clock() - startedMs
      if (forMs + waitMs > giveUpMs) throw gaveUp(error, { what, tries, forMs })
      if (afterMs) pauseAll(afterMs)
      log.info(`${error.title}: ${error.message} Try ${tries + 1} of ${what} follows in ${formatDuration(waitMs)}.`)
      await wait(waitMs, signal)
    }
  }
}
