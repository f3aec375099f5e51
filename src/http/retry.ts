import { BackupError } from '../errors.ts'
import { formatDuration } from '../text.ts'

/** Waits; rejects with the signal's reason when it is aborted. */
export type Wait = (ms: number, signal: AbortSignal) => Promise<void>

/** The waits between tries, in milliseconds, before jitter. */
const waitsMs = [1_000, 2_000, 4_000, 8_000] as const
/** How long the waits that servers ask for (`Retry-After`) may take together, in milliseconds. */
const retryAfterBudgetMs = 120_000

/** When to try again, and how to wait for it. */
export type RetryRules = {
  readonly wait: Wait
  readonly signal: AbortSignal
  /** Called before each wait. */
  readonly onRetry: (error: BackupError, waitMs: number, tryNumber: number) => void
  /** Errors that are not worth another try here, whatever they say of themselves. */
  readonly giveUp?: (error: BackupError) => boolean
}

/**
 * Runs `attempt` until it succeeds or fails with an error that no further try can help, as the error itself says ({@link BackupError.retry}).
 * Waits a growing time between tries, or as long as the server asked, within two minutes in all. Throws the last error, and the signal's reason.
 */
export async function retrying<Result>(
  attempt: (tryNumber: number) => Promise<Result>,
  { wait, signal, onRetry, giveUp = () => false }: RetryRules,
): Promise<Result> {
  let budgetMs = retryAfterBudgetMs
  for (let tryNumber = 1; ; tryNumber++) {
    try {
      return await attempt(tryNumber)
    } catch (error) {
      if (!(error instanceof BackupError) || tryNumber >= error.retry.tries || giveUp(error)) throw error
      const { afterMs } = error.retry
      if (afterMs !== undefined && afterMs > budgetMs) throw error
      // One that asks for no wait, or for a date that is past on our clock, must not be asked five times in a second.
      const waitMs = afterMs || jittered(waitsMs[Math.min(tryNumber, waitsMs.length) - 1] as number)
      budgetMs -= afterMs ?? 0
      onRetry(error, waitMs, tryNumber)
      await wait(waitMs, signal)
    }
  }
}

/** Many runners that failed together must not come back together. */
export function jittered(ms: number): number {
  return ms * (0.75 + Math.random() / 2)
}

export type RetryNeeds = { readonly wait: Wait; readonly signal: AbortSignal; readonly log: { readonly info: (line: string) => void } }

/** The rules by which all services are asked again: each retry is announced in the log. */
export function retryRules({ wait, signal, log }: RetryNeeds): RetryRules {
  return {
    wait,
    signal,
    onRetry: (error, waitMs, tryNumber) =>
      log.info(`${error.title}: ${error.message} Try ${tryNumber + 1} of ${error.retry.tries} follows in ${formatDuration(waitMs)}.`),
  }
}
