import { createHash, hash } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** `sha256:` and 64 hexadecimal digits. */
export type Digest = `sha256:${string}`

/** Whether a value is a {@link Digest}. */
export function isDigest(value: unknown): value is Digest {
  return typeof value === 'string' && /^sha256:[0-9a-f]{64}$/.test(value)
}

/** Counts and digests bytes. */
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

/** Takes the CRC-32 of bytes (RFC 1952, 8). */
export function checksummer(): { readonly update: Digester['update']; readonly result: () => number } {
  let checksum = 0
  return {
    update: (bytes) => {
      checksum = crc32(bytes, checksum)
    },
    result: () => checksum,
  }
}

/** The digest of bytes at hand. */
export function digestOf(bytes: Buffer): Digest {
  return `sha256:${hash('sha256', bytes, 'hex')}`
}

/** The digest of a set of lines, whatever their order: `sumsha256:` and 64 hexadecimal digits. */
export type SumDigest = `sumsha256:${string}`

/** Whether a value is a {@link SumDigest}. */
export function isSumDigest(value: unknown): value is SumDigest {
  return typeof value === 'string' && /^sumsha256:[0-9a-f]{64}$/.test(value)
}

/** Sums up the digests of lines; see {@link sumDigest}. */
export type Sum = {
  /** Adds a line, without its line feed. */
  readonly add: (line: Buffer) => void
  /** Adds a line by its SHA-256, as a string of 32 characters, one for each byte. */
  readonly addHash: (hash: string) => void
  readonly result: () => SumDigest
}

/** Eight 32-bit words as doubles hold so many sums before the low bits of one would be lost. */
const additionsBeforeCarry = 2 ** 20

/** The order-free digest of docs/format.md: the sum modulo 2^256 of the SHA-256 of each line, in constant memory. */
export function sumDigest(): Sum {
  // The most significant word first.
  const words = new Float64Array(8)
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

  const addHash = (bytes: string) => {
    for (let i = 0; i < 8; i++) words[i] = (words[i] as number) + wordAt(bytes, i * 4)
    if (++additions === additionsBeforeCarry) carry()
  }

  return {
    // A string with a character for each byte is made faster than a buffer, and leaves less to be cleaned up.
    add: (line) => addHash(hash('sha256', line, 'binary')),
    addHash,
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
