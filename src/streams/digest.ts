import { createHash, hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { countBytes } from './memory.ts'

/** `sha256:` and 64 hexadecimal digits. */
export type Digest = `sha256:${string}`

export function isDigest(value: unknown): value is Digest {
  return typeof value === 'string' && /^sha256:[0-9a-f]{64}$/.test(value)
}

/** Counts and digests the bytes that it is shown. */
export type Digester = {
  readonly update: (bytes: Buffer) => void
  readonly result: () => { readonly bytes: number; readonly digest: Digest }
}

/** Makes a {@link Digester}. */
export function digester(): Digester {
  const sha256 = createHash('sha256')
  let count = 0
  return {
    update: (bytes) => {
      count += bytes.length
      sha256.update(bytes)
    },
    result: () => ({ bytes: count, digest: `sha256:${sha256.copy().digest('hex')}` }),
  }
}

/** Takes the CRC-32 of the bytes that it is shown (RFC 1952, 8). */
export function checksummer(): { readonly update: Digester['update']; readonly result: () => number } {
  let checksum = 0
  return {
    update: (bytes) => {
      checksum = crc32(bytes, checksum)
    },
    result: () => checksum,
  }
}

/** Lets bytes through unchanged and shows them to `digester` on the way. */
export async function* digesting(chunks: AsyncIterable<Buffer>, { update }: Digester): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    countBytes(chunk.length)
    update(chunk)
    yield chunk
  }
}

/** Lets lines through unchanged and shows them to `digester` on the way, each with a line feed behind it. */
export async function* digestingLines(
  batches: AsyncIterable<readonly Buffer[]>,
  { update }: Pick<Digester, 'update'>,
): AsyncGenerator<readonly Buffer[]> {
  for await (const lines of batches) {
    for (const line of lines) {
      update(line)
      update(lineFeed)
    }
    yield lines
  }
}

const lineFeed = Buffer.from('\n')

/** The digest of bytes at hand. */
export function digestOf(bytes: Buffer): Digest {
  return `sha256:${hash('sha256', bytes, 'hex')}`
}

/** The digest of a set of lines, whatever their order: `sumsha256:` and 64 hexadecimal digits. */
export type SumDigest = `sumsha256:${string}`

/**
 * The order-free digest of docs/format.md: the sum modulo 2^256 of the SHA-256 of each line, in constant memory.
 * `add` takes a line without its line feed.
 */
export function sumDigest(): { readonly add: (line: Buffer) => void; readonly result: () => SumDigest } {
  const { add, result } = sumOfHashes()
  // A string with a character for each byte is made faster than a buffer, and leaves less to be cleaned up.
  return { add: (line) => add(hash('sha256', line, 'binary')), result }
}

/**
 * The sum modulo 2^256 of hashes that are strings of 32 characters, one for each byte, the highest first. Sent to a thread as text, it can use
 * nothing from outside itself.
 */
export function sumOfHashes(): { readonly add: (hash: string) => void; readonly result: () => SumDigest } {
  // Eight 32-bit words, most significant first, as doubles: carries are settled before the low bits of one would be lost.
  const words = new Float64Array(8)
  const additionsBeforeCarry = 2 ** 20
  let additions = 0

  const carry = () => {
    let over = 0
    for (let i = 7; i >= 0; i--) {
      const word = (words[i] as number) + over
      over = Math.floor(word / 2 ** 32)
      words[i] = word - over * 2 ** 32
    }
    additions = 0
  }

  const pair = (bytes: string, at: number) => (bytes.charCodeAt(at) << 8) | bytes.charCodeAt(at + 1)

  return {
    add: (bytes) => {
      for (let i = 0; i < 8; i++) words[i] = (words[i] as number) + pair(bytes, i * 4) * 2 ** 16 + pair(bytes, i * 4 + 2)
      if (++additions === additionsBeforeCarry) carry()
    },
    result: () => {
      carry()
      return `sumsha256:${Array.from(words, (word) => word.toString(16).padStart(8, '0')).join('')}`
    },
  }
}

/** Four bytes of a string that has a character for each, as a number; the first is the highest. */
export function wordAt(bytes: string, at: number): number {
  const high = (bytes.charCodeAt(at) << 8) | bytes.charCodeAt(at + 1)
  const low = (bytes.charCodeAt(at + 2) << 8) | bytes.charCodeAt(at + 3)
  return high * 2 ** 16 + low
}
