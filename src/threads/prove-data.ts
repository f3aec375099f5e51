import { createHash, type Hash } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { openedAgain } from '../codec/age-again.ts'
import type { FileKey } from '../codec/age-open.ts'
import type { Compression } from '../codec/codec.ts'
import { codecs } from '../codec/codecs.ts'
import { makeComparison } from '../streams/comparison.ts'
import { checksummer, type Digest, digester, type SumDigest, sumDigest } from '../streams/digest.ts'

/**
 * The thread that proves a data file while it is made: it digests the content, unpacks the file and compares the two, byte by byte. One that is
 * encrypted it opens, and compares that with what was packed.
 */

/** Its `workerData`. `key`: of a file that is encrypted. */
export type ToProve = { readonly compression: Compression; readonly key: FileKey | undefined }

/**
 * A message to the thread: a block whose first `bytes` are content, in the order of the content; a piece of what was packed; a piece of what was
 * encrypted; there is no more.
 */
export type ToProof =
  | { readonly block: ArrayBuffer; readonly bytes: number }
  | { readonly packed: Uint8Array<ArrayBuffer> }
  | { readonly sealed: Uint8Array<ArrayBuffer> }
  | 'end'

/** Its answers: a block that was compared and may be filled again; why the file is not what was shown; what all of it is and holds. */
export type FromProof = { readonly compared: ArrayBuffer } | { readonly failure: string } | { readonly found: Found }

type Sized = { readonly bytes: number; readonly digest: Digest }

/** The file as it is stored, its content (lines, each with a line feed) as one and as a set, and the CRC-32 of what was unpacked (RFC 1952, 8). */
export type Found = { readonly stored: Sized; readonly content: Content; readonly checksum: number }
type Content = Sized & { readonly lines: number; readonly sum: SumDigest }

const { compression, key } = workerData as ToProve
const file = digester()
const content = contentDigester()
const checksum = checksummer()
const comparison = makeComparison((block) => send({ compared: block }, [block]))
const unpacker = codecs[compression].decompressor()
const opening = key && openedAgain(key, (error) => unpacker.destroy(error))

unpacker.on('data', (piece: Buffer) => {
  checksum.update(piece)
  compare(() => comparison.found(piece))
})
unpacker.on('error', ({ message }) => send({ failure: message }))
// What was opened and what was unpacked both have to be right.
unpacker.on('end', async () => {
  if ((await opening?.isWhole()) !== false) send(verdict())
})

parentPort?.on('message', (message: ToProof) => {
  if (message === 'end') {
    opening?.end()
    unpacker.end()
  } else if ('sealed' in message) {
    file.update(Buffer.from(message.sealed.buffer))
    opening?.found(Buffer.from(message.sealed.buffer))
  } else if ('packed' in message) {
    if (opening) opening.expect(message.packed)
    else file.update(Buffer.from(message.packed.buffer))
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
  return { found: { stored: file.result(), content: content.result(), checksum: checksum.result() } }
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
