import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto'
import { AgeError } from './age-error.ts'

/**
 * The payload of an age file: what follows the header (C2SP age specification, "Payload"). A nonce of 16 bytes, then chunks of 64 KiB, each
 * encrypted with ChaCha20-Poly1305 under its number and a flag that says whether it is the last.
 */

export const nonceBytes = 16
const chunkBytes = 64 * 1024
const tagBytes = 16
const algorithm = 'chacha20-poly1305'
/** So many chunks come out of `sealPayload` at a time: each trip to the disk costs more than joining them. */
const chunksTogether = 8

/** Encrypts to a nonce and chunks. Each call draws a new nonce, so a file key can be used more than once. */
export async function* sealPayload(fileKey: Uint8Array, content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const nonce = randomBytes(nonceBytes)
  const key = payloadKey(fileKey, nonce)
  let ready: Buffer[] = [nonce]
  let number = 0
  for await (const { piece, isLast } of inPieces(content, chunkBytes)) {
    const cipher = createCipheriv(algorithm, key, chunkNonce(number, isLast), { authTagLength: tagBytes })
    ready.push(cipher.update(piece), cipher.final(), cipher.getAuthTag())
    number++
    if (isLast || number % chunksTogether === 0) {
      yield Buffer.concat(ready)
      ready = []
    }
  }
}

/**
 * Decrypts the chunks behind a nonce, and gives each one only once it is known to be what was encrypted, at this place. Throws `damaged` for any
 * other, for a payload without its last chunk, and for bytes behind that. What was given until then is the beginning of the content: it must not
 * be used before the end was reached.
 */
export async function* openPayload(fileKey: Uint8Array, nonce: Uint8Array, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const key = payloadKey(fileKey, nonce)
  let number = 0
  for await (const { piece, isLast } of inPieces(chunks, chunkBytes + tagBytes)) {
    const content = openChunk(key, chunkNonce(number, isLast), piece)
    // Only empty content has an empty chunk. Otherwise one content would have two valid files.
    if (content === undefined || (content.length === 0 && number > 0)) throw new AgeError('damaged')
    number++
    if (content.length > 0) yield content
  }
}

/** The content of a chunk; undefined if it is not authentic. */
function openChunk(key: KeyObject, nonce: Buffer, chunk: Buffer): Buffer | undefined {
  if (chunk.length < tagBytes) return undefined
  const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes })
  decipher.setAuthTag(chunk.subarray(-tagBytes))
  const content = decipher.update(chunk.subarray(0, -tagBytes))
  try {
    decipher.final()
    return content
  } catch {
    return undefined
  }
}

function payloadKey(fileKey: Uint8Array, nonce: Uint8Array): KeyObject {
  return createSecretKey(new Uint8Array(hkdfSync('sha256', fileKey, nonce, 'payload', 32)))
}

/** The chunk's number in eleven bytes, of which a file that fits on a disk needs six, and one byte that marks the last chunk. */
function chunkNonce(number: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12)
  nonce.writeUIntBE(number, 5, 6)
  nonce.writeUInt8(isLast ? 1 : 0, 11)
  return nonce
}

type Piece = {
  /** Valid until the next piece is asked for. */
  readonly piece: Buffer
  readonly isLast: boolean
}

/**
 * Cuts a stream into pieces of exactly `size` bytes; the last one holds what is left, and is empty only if the stream is. Whether a piece is the
 * last is known only when more comes, so one piece is held back. Only what does not fill a piece is copied.
 */
async function* inPieces(chunks: AsyncIterable<Buffer>, size: number): AsyncGenerator<Piece> {
  const held = Buffer.allocUnsafe(size)
  let used = 0
  for await (const chunk of chunks) {
    for (let start = 0; start < chunk.length; ) {
      if (used === size) {
        yield { piece: held, isLast: false }
        used = 0
      }
      if (used === 0 && chunk.length - start > size) {
        yield { piece: chunk.subarray(start, start + size), isLast: false }
        start += size
      } else {
        const copied = chunk.copy(held, used, start)
        used += copied
        start += copied
      }
    }
  }
  yield { piece: held.subarray(0, used), isLast: true }
}
