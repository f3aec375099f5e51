import { on } from 'node:events'
import type { Readable } from 'node:stream'

/** How many pieces, of at most 64 KiB each, may wait to be taken before the sender is made to wait. More take memory, and time from those who compress. */
const mostPieces = 4

/**
 * Gives the pieces of a stream as they came in. A stream's own iterator joins those that wait into a new one, which costs as much as receiving
 * them. `waiting` counts the time until the next one is there. Throws the stream's error, or one for a stream that is closed before its end. The
 * stream is the caller's to destroy.
 */
export async function* piecesOf(
  stream: Readable,
  waiting: <Value>(work: () => Promise<Value>) => Promise<Value> = (work) => work(),
): AsyncGenerator<Buffer> {
  if (stream.destroyed) throw stream.errored ?? new Error('the stream is closed')
  // The iterator itself pauses the stream, and goes on when less waits: nodejs.org/api/events.html#eventsonemitter-eventname-options.
  const pieces = on(stream, 'data', { close: ['end', 'close'], highWaterMark: mostPieces, lowWaterMark: 1 })
  try {
    for (;;) {
      const { done, value } = await waiting(() => pieces.next())
      if (done) break
      yield value[0]
    }
  } finally {
    await pieces.return?.()
  }
  if (!stream.readableEnded) throw stream.errored ?? new Error('the stream was closed before its end')
}
