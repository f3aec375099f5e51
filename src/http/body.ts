import type { Dispatcher } from 'undici'
import { streamError, TooSlowError } from '../sanity/errors/network.ts'
import type { Stopwatch } from '../stopwatch.ts'
import { freeing } from '../streams/memory.ts'
import { piecesOf } from '../streams/pieces.ts'

/** How long the server may be silent before its first byte, and between two, in milliseconds; and what is too slow to be waited for. */
export type Deadlines = {
  readonly firstByteMs: number
  readonly idleMs: number
  /** How long the whole body may take: for short answers. */
  readonly totalMs?: number
  readonly drip?: Drip
}

/** A stream that has sent less than `leastBytes` in the last `windowMs`, though it sent something most of the time. */
type Drip = { readonly windowMs: number; readonly leastBytes: number }

/** What the reader of a body needs to tell of it. */
export type About = {
  readonly url: URL
  readonly deadlines: Deadlines
  readonly signal: AbortSignal
  readonly stopwatch: Pick<Stopwatch, 'during'>
  /** What was asked for, for the error's words. */
  readonly what: string
  readonly cut: Cut
}

/** What it means when a body ends early, and what to do then. */
export type Cut = { readonly code: 'export-truncated' | 'sanity-unavailable'; readonly hint: string }

/** Gives the chunks of a body. Throws what {@link streamError} makes of its failures, and the signal's reason. Lets go of the body in every case. */
export async function* guarded(body: Dispatcher.ResponseData['body'], about: About): AsyncGenerator<Buffer> {
  const { signal, stopwatch } = about
  const stop = () => body.destroy()
  signal.addEventListener('abort', stop, { once: true })
  const { totalMs } = about.deadlines
  const overdue = totalMs && setTimeout(() => body.destroy(new TooSlowError(`it did not end within ${totalMs / 1000} s`)), totalMs)
  try {
    const watchRate = rateWatch(about.deadlines.drip)
    for await (const piece of freeing(piecesOf(body, (work) => stopwatch.during('download', work)))) {
      watchRate(piece.length)
      yield piece
    }
    signal.throwIfAborted()
  } catch (error) {
    throw signal.aborted ? signal.reason : streamError(error, about)
  } finally {
    clearTimeout(overdue)
    signal.removeEventListener('abort', stop)
    body.destroy()
  }
}

const slotCount = 12
/** So many windows, all together, must bring as much as one, however it comes: a byte now and then keeps the idle deadline from ever coming. */
const longWindows = 10

/**
 * Makes the function that is told of each chunk's bytes and throws {@link TooSlowError} for a drip. Time is cut into slots; a stream that was
 * silent in most of one window is waiting, not dripping, and the idle deadline's matter.
 */
function rateWatch(drip: Drip | undefined): (bytes: number) => void {
  if (drip === undefined) return () => undefined
  const slotMs = drip.windowMs / slotCount
  const startMs = performance.now()
  let slots: { readonly number: number; bytes: number }[] = []
  return (bytes) => {
    const number = Math.floor((performance.now() - startMs) / slotMs)
    const last = slots.at(-1)
    if (last?.number === number) last.bytes += bytes
    else slots.push({ number, bytes })
    slots = slots.filter((slot) => slot.number >= number - longWindows * slotCount)
    const tooLittle = (windows: number): boolean => {
      // The slot that has only begun tells nothing yet.
      const complete = slots.filter((slot) => slot.number < number && slot.number >= number - windows * slotCount)
      const mostSilent = windows === 1 && complete.length * 2 <= slotCount
      return number >= windows * slotCount && !mostSilent && complete.reduce((sum, slot) => sum + slot.bytes, 0) < drip.leastBytes
    }
    const windows = [1, longWindows].find(tooLittle)
    if (windows) throw new TooSlowError(`less than ${drip.leastBytes} bytes came in ${(windows * drip.windowMs) / 1000} s`)
  }
}
