import type { Wait } from './retry.ts'

/** Keeps requests below a rate, however many of them wait. */
export type Pace = {
  /** Waits for the turn of one request; who asked first comes first. Rejects with the signal's reason when that is aborted. */
  readonly turn: (signal: AbortSignal) => Promise<void>
  /** Lets no request go for so long, as a server asks for with `Retry-After`; those that wait already come one after the other then. */
  readonly pause: (ms: number) => void
}

type PaceNeeds = {
  readonly perSecond: number
  /** How many may go at once after a rest. In the worst second as many go as in any other, and these. */
  readonly burst: number
  readonly wait: Wait
  /** In milliseconds; it never goes back. */
  readonly clock: () => number
}

/** Makes a {@link Pace}: a token bucket, kept as the time at which the next token is there. */
export function pace({ perSecond, burst, wait, clock }: PaceNeeds): Pace {
  const intervalMs = 1_000 / perSecond
  let nextMs = clock() - (burst - 1) * intervalMs
  let pausedUntilMs = Number.NEGATIVE_INFINITY
  let pauses = 0

  return {
    turn: async (signal) => {
      for (;;) {
        signal.throwIfAborted()
        const nowMs = clock()
        const turnMs = Math.max(nextMs, nowMs - (burst - 1) * intervalMs)
        nextMs = turnMs + intervalMs
        if (turnMs <= nowMs) return
        const before = pauses
        await wait(turnMs - nowMs, signal)
        // A pause that began meanwhile takes all turns away that were given out.
        if (pauses === before) return
      }
    },
    pause: (ms) => {
      const endMs = clock() + ms
      if (endMs <= pausedUntilMs) return
      pausedUntilMs = endMs
      nextMs = endMs
      pauses++
    },
  }
}
