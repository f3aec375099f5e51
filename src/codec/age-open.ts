import { AgeError } from './age-error.ts'
import { nonceBytes, openPayload } from './age-payload.ts'

/** Opens age files whose key is at hand. Imports nothing of the age library, so that a thread need not load it. */

/** The header of an age file and the file key that it holds for its recipients. */
export type FileKey = { readonly header: Uint8Array; readonly fileKey: Uint8Array }

/** Opens a file of this run with what is remembered of it. Its header must be the one that was written, byte by byte. */
export function openSealed(key: FileKey, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  return openWith(chunks, (header) => {
    if (!header.equals(key.header)) throw new AgeError('damaged')
    return key.fileKey
  })
}

/** Opens an age file with the file key that is found for its header. */
export async function* openWith(
  chunks: AsyncIterable<Buffer>,
  findFileKey: (header: Buffer) => Uint8Array | Promise<Uint8Array>,
): AsyncGenerator<Buffer> {
  const iterator = chunks[Symbol.asyncIterator]()
  // Read in two loops, neither of which may close it for the other.
  const source: AsyncIterable<Buffer> = { [Symbol.asyncIterator]: () => ({ next: () => iterator.next() }) }
  try {
    const { header, nonce, behind } = await takeBeginning(source)
    yield* openPayload(await findFileKey(header), nonce, chain(behind, source))
  } finally {
    await iterator.return?.()
  }
}

async function* chain(first: Buffer, others: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield first
  yield* others
}

const firstLine = Buffer.from('age-encryption.org/v1\n')
const armorLine = Buffer.from('-----BEGIN AGE')
/** Room for more than a hundred hybrid recipients of 1.5 kB. A header without end would otherwise be kept in memory whole. */
const mostHeaderBytes = 256 * 1024

type Beginning = { readonly header: Buffer; readonly nonce: Buffer; readonly behind: Buffer }

/** Takes the header and the nonce off the beginning of a file. */
async function takeBeginning(chunks: AsyncIterable<Buffer>): Promise<Beginning> {
  let bytes: Buffer = Buffer.alloc(0)
  for await (const chunk of chunks) {
    bytes = Buffer.concat([bytes, chunk])
    checkFirstLine(bytes)
    const end = endOfHeader(bytes)
    if ((end ?? bytes.length) > mostHeaderBytes) break
    if (end !== undefined && bytes.length >= end + nonceBytes) {
      return { header: bytes.subarray(0, end), nonce: bytes.subarray(end, end + nonceBytes), behind: bytes.subarray(end + nonceBytes) }
    }
  }
  throw new AgeError('damaged')
}

/** Throws as soon as the first bytes cannot be those of an age file. */
function checkFirstLine(bytes: Buffer): void {
  const startsLike = (line: Buffer) => bytes.subarray(0, line.length).equals(line.subarray(0, bytes.length))
  if (startsLike(firstLine)) return
  if (!startsLike(armorLine)) throw new AgeError('foreign')
  if (bytes.length >= armorLine.length) throw new AgeError('armored')
}

/** Where the payload begins: behind the line of the checksum, which alone begins with dashes; undefined if that has not come yet. */
function endOfHeader(bytes: Buffer): number | undefined {
  const checksum = bytes.indexOf('\n---')
  const end = checksum < 0 ? -1 : bytes.indexOf('\n', checksum + 1)
  return end < 0 ? undefined : end + 1
}
