import type { BackupError } from '../errors.ts'
import type { Stopwatch } from '../stopwatch.ts'
import { freeing } from '../streams/memory.ts'
import { piecesOf } from '../streams/pieces.ts'
import { type Drip, dripWatch } from './drip.ts'
import type { HttpBody } from './http.ts'

/** How long the server may be silent before its first byte, and between two, in milliseconds; and what is too slow to be waited for. */
export type Deadlines = {
  readonly firstByteMs: number
  readonly idleMs: number
  /** How long the whole body may take: for short answers. */
  readonly totalMs?: number
  readonly drip?: Drip
}

/** A body that goes on, but would take for ever. The idle deadline never comes for it. */
export class TooSlowError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'TooSlowError'
  }
}

type BodyNeeds = {
  readonly deadlines: Deadlines
  readonly signal: AbortSignal
  /** Counts the time in which there is nothing to read. */
  readonly stopwatch: Pick<Stopwatch, 'during'>
  /** Says what a failure of the body means: an error of Node's or undici's, or a {@link TooSlowError}. */
  readonly toError: (error: unknown) => BackupError
}

/**
 * Gives the chunks of a body, and destroys it in every case. Throws the signal's reason once that is aborted, and what `toError` makes of every
 * other failure. The idle deadline is the request's own (`bodyTimeout`); the others are kept here.
 */
export async function* guarded(body: HttpBody, { deadlines, signal, stopwatch, toError }: BodyNeeds): AsyncGenerator<Buffer> {
  const stop = () => body.destroy()
  signal.addEventListener('abort', stop, { once: true })
  const { totalMs, drip } = deadlines
  const overdue = totalMs && setTimeout(() => body.destroy(new TooSlowError(`it did not end within ${totalMs / 1000} s`)), totalMs)
  try {
    const findDrip = drip && dripWatch(drip)
    for await (const piece of freeing(piecesOf(body, (work) => stopwatch.during('download', work)))) {
      const tooSlow = findDrip?.(piece.length)
      if (tooSlow) throw new TooSlowError(tooSlow)
      yield piece
    }
    signal.throwIfAborted()
  } catch (error) {
    throw signal.aborted ? signal.reason : toError(error)
  } finally {
    clearTimeout(overdue)
    signal.removeEventListener('abort', stop)
    body.destroy()
  }
}
