/** What a run waits for: Sanity's bytes, the files of assets that are still to come, or the proof that what was stored is whole. */
type Wait = 'download' | 'assets' | 'verify'

/** Tells how long a run waited for what. */
export type Stopwatch = {
  /** Does some work, and counts the time until it is done or fails. */
  readonly during: <Value>(wait: Wait, work: () => Promise<Value>) => Promise<Value>
  /** The time counted so far, in milliseconds. */
  readonly totalMs: (wait: Wait) => number
}

/** Makes a {@link Stopwatch}. */
export function stopwatch(): Stopwatch {
  const totals = { download: 0, assets: 0, verify: 0 }
  return {
    during: async (wait, work) => {
      const startedAt = performance.now()
      try {
        return await work()
      } finally {
        totals[wait] += performance.now() - startedAt
      }
    },
    totalMs: (wait) => totals[wait],
  }
}
