import type { Wait } from '../../http/retry.ts'

/**
 * How long a write that is on its way may still take when the run is told to end: a cancelled job has 7.5 s in all
 * (docs.github.com, "Workflow cancellation reference"), and a run gives itself up after 4 s of that (src/lifetime.ts). What is known by then must still be
 * put into words.
 */
const lastMs = 3_000

type LastSeconds = Disposable & { readonly signal: AbortSignal }

/** A signal that comes some seconds after another one, with the same reason, unless it is disposed before. */
export function lastSeconds({ signal, wait }: { readonly signal: AbortSignal; readonly wait: Wait }): LastSeconds {
  const late = new AbortController()
  const settled = new AbortController()
  const begin = () => {
    wait(lastMs, settled.signal).then(
      () => late.abort(signal.reason),
      () => undefined,
    )
  }
  signal.addEventListener('abort', begin, { once: true })
  return {
    signal: late.signal,
    [Symbol.dispose]: () => {
      signal.removeEventListener('abort', begin)
      settled.abort()
    },
  }
}
