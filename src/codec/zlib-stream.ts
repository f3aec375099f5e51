import type { Transform } from 'node:stream'
import type { Release } from './codec.ts'

/** What comes out of zlib at a time, in bytes: its own pieces of 16 KiB cost more in trips to the thread pool than they save in memory. */
const chunkSize = 512 * 1024

/** For each zlib stream. Some pieces may wait while the one before is used: otherwise zlib and its reader would take turns. */
export const zlibOutput = { chunkSize, readableHighWaterMark: 2 * chunkSize }

/**
 * Sends chunks through a zlib stream, which is destroyed at the end. `release` is called for each chunk once zlib has read it. Throws what the
 * chunks throw, and zlib's error for input that is damaged, cut off, or goes on behind its end.
 *
 * The next chunk is made while the one before is being worked on in Node's thread pool, and the last is done before the stream ends: zstd would
 * otherwise append a second, empty frame (nodejs/node#66078).
 */
export async function* throughZlib(stream: Transform, chunks: AsyncIterable<Buffer>, release?: Release): AsyncGenerator<Buffer> {
  // A failure on the way in comes out with the stream, so it is not lost and not unhandled.
  let failure: unknown
  const fed = feed(stream, chunks, release).catch((error: unknown) => {
    failure = error
    stream.destroy(Error.isError(error) ? error : new Error(String(error)))
  })
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) yield chunk
  } finally {
    stream.destroy()
    await fed
  }
  if (failure !== undefined) throw failure
}

async function feed(stream: Transform, chunks: AsyncIterable<Buffer>, release?: Release): Promise<void> {
  let writing: Promise<void> = Promise.resolve()
  for await (const chunk of chunks) {
    await writing
    writing = write(stream, chunk).then(() => release?.(chunk))
    // Awaited in the next round; a failure until then is not unhandled.
    writing.catch(() => undefined)
  }
  await writing
  stream.end()
}

function write(stream: Transform, chunk: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const gone = () => reject(new Error('the data goes on behind its end'))
    if (stream.destroyed) return gone()
    stream.once('close', gone)
    stream.write(chunk, (error) => {
      stream.off('close', gone)
      if (error) reject(error)
      else resolve()
    })
  })
}
