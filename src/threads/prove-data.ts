import { createHash, type Hash } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import type { Compression } from '../codec/codec.ts'
import { codecs } from '../codec/codecs.ts'
import { checksummer, type Digest, digester, type SumDigest, sumDigest } from '../streams/digest.ts'

/**
 * The thread that proves a data file while it is made: it digests the content, unpacks the file and compares the two, byte by byte. Its
 * `workerData` is the file's {@link Compression}.
 */

/** A message to the thread: a block whose first `bytes` are content, in the order of the content; a piece of the file; there is no more. */
export type ToProof = { readonly block: ArrayBuffer; readonly bytes: number } | { readonly packed: Uint8Array<ArrayBuffer> } | 'end'

/** Its answers: a block that was compared and may be filled again; why the file is not what was shown; what all of it is and holds. */
export type FromProof = { readonly compared: ArrayBuffer } | { readonly failure: string } | { readonly found: Found }

type Sized = { readonly bytes: number; readonly digest: Digest }

/** The file, its content (lines, each with a line feed) as one and as a set, and the CRC-32 of what was unpacked (RFC 1952, 8). */
export type Found = { readonly packed: Sized; readonly content: Content; readonly checksum: number }
type Content = Sized & { readonly lines: number; readonly sum: SumDigest }

const file = digester()
const content = contentDigester()
const checksum = checksummer()
const comparison = makeComparison((block) => send({ compared: block }, [block]))
const unpacker = codecs[workerData as Compression].decompressor()

unpacker.on('data', (piece: Buffer) => {
  checksum.update(piece)
  compare(() => comparison.found(piece))
})
unpacker.on('error', ({ message }) => send({ failure: message }))
unpacker.on('end', () => send(verdict()))

parentPort?.on('message', (message: ToProof) => {
  if (message === 'end') unpacker.end()
  else if ('packed' in message) {
    file.update(Buffer.from(message.packed.buffer))
    // Its memory is freed at once: the garbage collector is in no hurry.
    unpacker.write(message.packed, () => message.packed.buffer.transfer(0))
  } else {
    content.update(Buffer.from(message.block, 0, message.bytes))
    compare(() => comparison.expect(message.block, message.bytes))
  }
})

/** Of the whole file. All content has come before its end is announced, so what is left over has no counterpart. */
function verdict(): FromProof {
  const { bytes } = content.result()
  if (comparison.tooMuch()) return { failure: `it goes on after ${bytes} bytes` }
  if (comparison.bytes() !== bytes) return { failure: `it ends after ${comparison.bytes()} of ${bytes} bytes` }
  return { found: { packed: file.result(), content: content.result(), checksum: checksum.result() } }
}

/** The first difference ends the unpacking, as an error in the file does. */
function compare(step: () => void): void {
  try {
    step()
  } catch (error) {
    unpacker.destroy(Error.isError(error) ? error : new Error(String(error)))
  }
}

function send(message: FromProof, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, transfer)
}

/** Digests content that comes in blocks, which can end anywhere: as one, and each of its lines. */
function contentDigester(): { readonly update: (block: Buffer) => void; readonly result: () => Content } {
  const whole = digester()
  const sum = sumDigest()
  let lines = 0
  /** A line that goes on in the next block. */
  let begun: Hash | undefined
  return {
    update: (block) => {
      whole.update(block)
      let start = 0
      for (let end = block.indexOf(lineFeed); end !== -1; end = block.indexOf(lineFeed, start)) {
        const line = block.subarray(start, end)
        if (begun) sum.addHash(begun.update(line).digest('binary'))
        else sum.add(line)
        begun = undefined
        lines++
        start = end + 1
      }
      if (start === block.length) return
      begun ??= createHash('sha256')
      begun.update(block.subarray(start))
    },
    result: () => ({ ...whole.result(), lines, sum: sum.result() }),
  }
}

const lineFeed = 0x0a

/** What was unpacked and the content that it must equal, whichever comes first. */
type Comparison = {
  /** Adds a block of content. Throws for the first byte that differs. */
  readonly expect: (block: ArrayBuffer, bytes: number) => void
  /** Adds a piece of what was unpacked. Throws for the first byte that differs. */
  readonly found: (piece: Buffer) => void
  /** How many bytes were compared. */
  readonly bytes: () => number
  /** Whether more was unpacked than there is content. */
  readonly tooMuch: () => boolean
}

/** Makes a {@link Comparison}. `release` gets each block once all of its content was compared. */
function makeComparison(release: (block: ArrayBuffer) => void): Comparison {
  const contents: { readonly block: ArrayBuffer; rest: Buffer }[] = []
  const unpacked: { readonly piece: Buffer; rest: Buffer }[] = []
  let compared = 0
  const compare = () => {
    for (let [expected, found] = [contents[0], unpacked[0]]; expected && found; [expected, found] = [contents[0], unpacked[0]]) {
      const size = Math.min(expected.rest.length, found.rest.length)
      if (!expected.rest.subarray(0, size).equals(found.rest.subarray(0, size)))
        throw new Error(`it is another one from byte ${compared} on`)
      compared += size
      expected.rest = expected.rest.subarray(size)
      found.rest = found.rest.subarray(size)
      if (expected.rest.length === 0) {
        contents.shift()
        release(expected.block)
      }
      if (found.rest.length === 0) {
        unpacked.shift()
        free(found.piece)
      }
    }
  }
  return {
    expect: (block, bytes) => {
      contents.push({ block, rest: Buffer.from(block, 0, bytes) })
      compare()
    },
    found: (piece) => {
      unpacked.push({ piece, rest: piece })
      compare()
    },
    bytes: () => compared,
    tooMuch: () => unpacked.length > 0,
  }
}

/** Frees memory at once if the piece is the last, or all, of it: zlib fills a buffer from its beginning, sometimes piece by piece. */
function free({ buffer, byteOffset, length }: Buffer): void {
  if (byteOffset + length === buffer.byteLength && !(buffer as ArrayBuffer).detached) (buffer as ArrayBuffer).transfer(0)
}
