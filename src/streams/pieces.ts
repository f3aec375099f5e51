import type { Readable } from 'node:stream'

/**
 * How many bytes, and how many pieces, may wait to be taken before the sender is made to wait. What waits is used up without a look at what else
 * has happened meanwhile: with more, those who compress would wait to be given their next block.
 */
const mostBytes = 64 * 1024
const mostPieces = 1024

/**
 * Gives the pieces of a stream as they came in. A stream's own iterator joins those that wait into a new one, which costs as much as receiving
 * them. `waiting` is told of each time in which there is nothing to give. Throws the stream's error, or one for a stream that is closed before its
 * end. The stream is the caller's to destroy.
 */
export async function* piecesOf(
  stream: Readable,
  waiting: <Value>(work: () => Promise<Value>) => Promise<Value> = (work) => work(),
): AsyncGenerator<Buffer> {
  const pieces: Buffer[] = []
  let bytes = 0
  let state: { readonly ended: boolean; readonly error?: unknown } | undefined
  let wake = () => {}
  const settle = (now: NonNullable<typeof state>) => {
    state ??= now
    wake()
  }
  stream.on('data', (piece: Buffer) => {
    pieces.push(piece)
    bytes += piece.length
    if (bytes >= mostBytes || pieces.length >= mostPieces) stream.pause()
    wake()
  })
  stream.on('end', () => settle({ ended: true }))
  stream.on('error', (error) => settle({ ended: false, error }))
  stream.on('close', () => settle({ ended: false, error: new Error('the stream was closed before its end') }))
  if (stream.destroyed) settle({ ended: false, error: stream.errored ?? new Error('the stream is closed') })

  for (;;) {
    if (state?.ended === false) throw state.error
    const piece = pieces.shift()
    if (piece) {
      bytes -= piece.length
      yield piece
    } else if (state) return
    else {
      stream.resume()
      await waiting(
        () =>
          new Promise<void>((resolve) => {
            wake = resolve
          }),
      )
    }
  }
}
