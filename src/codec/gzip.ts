import { availableParallelism } from 'node:os'
import { constants, crc32, createDeflateRaw, type ZlibOptions } from 'node:zlib'

/** Larger blocks compress no better, and smaller ones cost more calls. */
const defaultBlockBytes = 1024 * 1024
/**
 * How far deflate looks back, and so how much of what came before is of use to a block. It could be twice as far (RFC 1951, 2): that takes a
 * quarter more time, for a file 2 % smaller. Whoever asks for a high level wants that.
 */
const windowBits = (level: number) => (level <= 6 ? 14 : 15)
/** What is set aside for the output of a block: documents fit in, so that they come out in one trip to the pool. More would be garbage. */
const outputBytes = 384 * 1024
/** Blocks take turns of different lengths, and come out in their order: so many are under way that no processor waits for the first of them. */
const inFlight = Math.min(3, availableParallelism()) + 3

/** RFC 1952, 2.3: deflate, no name, no time, from Unix. The time would make two files of the same content differ. */
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3])

/**
 * Compresses to one gzip member, in blocks that are compressed side by side in Node's thread pool.
 *
 * Each block is raw deflate that knows what came right before it and ends on a byte (a sync flush), so that they make one stream when put behind each
 * other; the checksum and the size are those of the whole. The blocks are cut at fixed places: the same content at the same level gives the same
 * bytes, however it comes.
 */
export async function* compressGzip(chunks: AsyncIterable<Buffer>, level: number, blockBytes = defaultBlockBytes): AsyncGenerator<Buffer> {
  const bits = windowBits(level)
  const running: Promise<Pieces>[] = []
  let checksum = 0
  let size = 0
  try {
    for await (const { block, before, isLast } of cutBlocks(chunks, { blockBytes, windowBytes: 2 ** bits })) {
      const deflated = deflate(block, {
        level,
        windowBits: bits,
        // A little faster, for a file that is 0.5 % larger.
        memLevel: 9,
        chunkSize: outputBytes,
        finishFlush: isLast ? constants.Z_FINISH : constants.Z_SYNC_FLUSH,
        ...(before.length > 0 ? { dictionary: before } : {}),
      })
      // Awaited in its turn; a failure until then is not unhandled.
      deflated.catch(() => undefined)
      running.push(deflated)
      checksum = crc32(block, checksum)
      if (size === 0) yield header
      size += block.length
      if (running.length === inFlight) yield joined(await (running.shift() as Promise<Pieces>))
    }
    for (const deflated of running) yield joined(await deflated)
  } finally {
    // They still read from memory that is ours.
    await Promise.allSettled(running)
  }
  yield trailer(checksum, size)
}

type Pieces = readonly Buffer<ArrayBuffer>[]

function deflate(block: Buffer, options: ZlibOptions): Promise<Pieces> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer<ArrayBuffer>[] = []
    createDeflateRaw(options)
      .on('data', (piece: Buffer<ArrayBuffer>) => pieces.push(piece))
      .on('error', reject)
      .on('end', () => resolve(pieces))
      .end(block)
  })
}

/**
 * Joins the output of a block and frees the memory that zlib took for it. That has grown old while the blocks before it were worked on, and the
 * garbage collector is in no hurry with what is old.
 */
function joined(pieces: Pieces): Buffer {
  const bytes = Buffer.concat(pieces)
  for (const { buffer } of pieces) if (!buffer.detached) buffer.transfer(0)
  return bytes
}

/** RFC 1952, 2.3.1: the checksum, and the size modulo 2^32. */
function trailer(checksum: number, size: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt32LE(checksum, 0)
  bytes.writeUInt32LE(size % 2 ** 32, 4)
  return bytes
}

type Block = { readonly block: Buffer; readonly before: Buffer; readonly isLast: boolean }

/**
 * Cuts what comes into blocks of `blockBytes`, the last one shorter, at least one. Each lies in memory of its own with the bytes before it, which
 * is filled anew when `inFlight` more blocks were asked for.
 */
async function* cutBlocks(
  chunks: AsyncIterable<Buffer>,
  { blockBytes, windowBytes }: { blockBytes: number; windowBytes: number },
): AsyncGenerator<Block> {
  const ring = Array.from({ length: inFlight }, () => Buffer.allocUnsafeSlow(windowBytes + blockBytes))
  let turn = 0
  let slot = ring[0] as Buffer
  let start = windowBytes
  let used = windowBytes
  for await (const chunk of chunks) {
    for (let at = 0; at < chunk.length; ) {
      if (used === slot.length) {
        yield { block: slot.subarray(windowBytes), before: slot.subarray(start, windowBytes), isLast: false }
        turn = (turn + 1) % ring.length
        const next = ring[turn] as Buffer
        slot.copy(next, 0, slot.length - windowBytes)
        slot = next
        start = Math.max(0, start - blockBytes)
        used = windowBytes
      }
      const copied = chunk.copy(slot, used, at)
      used += copied
      at += copied
    }
  }
  yield { block: slot.subarray(windowBytes, used), before: slot.subarray(start, windowBytes), isLast: true }
}
