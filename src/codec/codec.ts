import type { Transform } from 'node:stream'
import { constants, createGunzip, createZstdCompress, createZstdDecompress } from 'node:zlib'
import { compressGzip } from './gzip.ts'

/** The compressions, by the names that the input `compression` takes. */
export type Compression = 'gzip' | 'zstd'

/** How blocks are compressed. */
export type Packing = {
  readonly level: number
  /** The CRC-32 of all the blocks together. Asked for when they have come, if the format has a place for it: whoever unpacks the file looks at it. */
  readonly checksum: () => number
  /** Is told of each block, in their order, when its memory may be used for something else. It must not be touched before. */
  readonly release: (block: Buffer) => void
}

/** One compression: bytes in, bytes out. */
export type Codec = {
  /** What a file's name ends in. */
  readonly extension: 'gz' | 'zst'
  readonly levels: { readonly default: number; readonly highest: number }
  /**
   * Compresses to one gzip member or one zstd frame: some readers stop after the first and say nothing. The same blocks at the same level give the
   * same bytes, whenever they come.
   */
  readonly compress: (blocks: AsyncIterable<Buffer>, packing: Packing) => AsyncGenerator<Buffer>
  /** Gives the content back; throws for input that is damaged or cut off. */
  readonly decompress: (chunks: AsyncIterable<Buffer>) => AsyncGenerator<Buffer>
  /** What in `node:zlib` does that: for a thread, to which no function can be sent. */
  readonly decompressor: 'createGunzip' | 'createZstdDecompress'
}

/** What comes out of zlib at a time, in bytes: its own pieces of 16 KiB cost more in trips to the thread pool than they save in memory. */
const chunkSize = 512 * 1024

/** Some pieces may wait while the one before is used: otherwise zlib and its reader would take turns. */
const output = { chunkSize, readableHighWaterMark: 2 * chunkSize }

/**
 * How far zstd looks back: documents are like each other, and more so than what stands side by side. Every reader must take as much
 * (RFC 8878, 3.1.1.1.2), and so much memory it costs, here and there.
 */
const zstdWindowBytes = 8 * 1024 * 1024

export const codecs: Record<Compression, Codec> = {
  gzip: {
    extension: 'gz',
    levels: { default: 6, highest: 9 },
    compress: compressGzip,
    decompress: (chunks) => through(createGunzip(output), chunks),
    decompressor: 'createGunzip',
  },
  zstd: {
    extension: 'zst',
    levels: { default: 2, highest: 19 },
    compress: (blocks, { level, release }) =>
      through(
        createZstdCompress({
          ...output,
          params: {
            [constants.ZSTD_c_compressionLevel]: level,
            [constants.ZSTD_c_checksumFlag]: 1,
            [constants.ZSTD_c_enableLongDistanceMatching]: 1,
            [constants.ZSTD_c_windowLog]: Math.log2(zstdWindowBytes),
            // Looks for long matches four times as often as by itself, among fewer: a file 13 % smaller, in about the same time.
            [constants.ZSTD_c_ldmHashRateLog]: 5,
            [constants.ZSTD_c_ldmBucketSizeLog]: 1,
          },
        }),
        blocks,
        release,
      ),
    decompress: (chunks) => through(createZstdDecompress(output), chunks),
    decompressor: 'createZstdDecompress',
  },
}

/** The compression of a file by its name; undefined if it is none of ours. */
export function findCodec(fileName: string): Codec | undefined {
  return Object.values(codecs).find(({ extension }) => fileName.endsWith(`.${extension}`))
}

/**
 * Sends chunks through a zlib stream. The next chunk is made while the one before is being worked on in Node's thread pool, and the last is
 * done before the stream ends: zstd would otherwise append a second, empty frame (nodejs/node#66078).
 */
async function* through(stream: Transform, chunks: AsyncIterable<Buffer>, release?: Packing['release']): AsyncGenerator<Buffer> {
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

async function feed(stream: Transform, chunks: AsyncIterable<Buffer>, release?: Packing['release']): Promise<void> {
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
