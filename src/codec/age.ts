import { AgeError } from './age-error.ts'
import { fileKeyIn, findHeader, type Header, isIdentity } from './age-header.ts'
import type { KeyProblem, Recipients } from './age-keys.ts'
import { nonceBytes, openPayload, sealPayload } from './age-payload.ts'

/** Encryption in age's format (age-encryption.org/v1, binary): bytes in, bytes out, nothing held but a chunk of 64 KiB. */

/** One file that is to be encrypted. */
export type Seal = {
  /** Gives the age file. */
  readonly seal: (content: AsyncIterable<Buffer>) => AsyncGenerator<Buffer>
  /** Opens what `seal` gave, as `openSealed` does: to prove that it is whole. */
  readonly openSealed: (chunks: AsyncIterable<Buffer>) => AsyncGenerator<Buffer>
  /** What `openSealed` takes in another thread, to which no function can be sent. Opens this file alone; must not be kept or shown. */
  readonly key: Header
}

export type Sealer = {
  /** Each file gets a key of its own. It is known here as long as the `Seal` is, and to the recipients. */
  readonly newFile: () => Promise<Seal>
}

/** Encrypts to recipients, after a try with each of them: one that is well-formed can still be useless. */
export async function sealer(recipients: Recipients): Promise<Sealer | { readonly problems: readonly KeyProblem[] }> {
  const tried = await Promise.all(
    recipients.keys.map(async ({ line, text }) => ({ line, usable: (await findHeader([text])) !== undefined })),
  )
  const problems = tried.filter(({ usable }) => !usable).map(({ line }): KeyProblem => ({ line, reason: 'unusable' }))
  if (problems.length > 0) return { problems }
  const keys = recipients.keys.map(({ text }) => text)
  return { newFile: async () => sealWith(await headerFor(keys)) }
}

function sealWith(key: Header): Seal {
  return {
    async *seal(content) {
      yield Buffer.from(key.header)
      yield* sealPayload(key.fileKey, content)
    },
    openSealed: (chunks) => openSealed(key, chunks),
    key,
  }
}

async function headerFor(recipients: readonly string[]): Promise<Header> {
  const header = await findHeader(recipients)
  if (!header) throw new Error('no header could be made for recipients that were tried before')
  return header
}

/** Opens a file of this run with what is remembered of it. Its header must be the one that was written, byte by byte. */
export function openSealed(key: Header, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  return openWith(chunks, (header) => {
    if (!header.equals(key.header)) throw new AgeError('damaged')
    return key.fileKey
  })
}

export type Opener = {
  /**
   * Gives the content of an age file. Throws an `AgeError` if no identity fits, or if the file is not exactly as it was encrypted; what was given
   * until then is authentic, but only a beginning.
   */
  readonly open: (chunks: AsyncIterable<Buffer>) => AsyncGenerator<Buffer>
}

/** Decrypts with identities as `parseIdentities` gives them. */
export function opener(identities: readonly string[]): Opener {
  if (identities.length === 0 || !identities.every(isIdentity)) throw new TypeError('an identity that was not checked before')
  return { open: (chunks) => openWith(chunks, (header) => fileKeyIn(header, identities)) }
}

async function* openWith(
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
