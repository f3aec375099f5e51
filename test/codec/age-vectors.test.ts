import { createHash, hash } from 'node:crypto'
import { inflateSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { generateX25519Identity } from 'age-encryption'
import * as vectors from 'cctv-age'
import { opener } from '../../src/codec/age.ts'
import { AgeError } from '../../src/codec/age-error.ts'
import { cut, source } from '../support/feed.ts'

/**
 * The vectors that the age project publishes for those who write the format anew (C2SP/CCTV). What they expect of a passphrase and of armor is left
 * out: we take neither. Such files are refused, with nothing given.
 */

const somebody = await generateX25519Identity()

type Vector = {
  readonly name: string
  readonly expected: string
  readonly payload: string | undefined
  readonly identities: readonly string[]
  readonly armored: boolean
  readonly needsPassphrase: boolean
  readonly file: Buffer
}

const all = Object.entries(vectors as Record<string, Uint8Array>).map(([name, bytes]) => readVector(name, Buffer.from(bytes)))
const binary = all.filter(({ needsPassphrase, armored }) => !needsPassphrase && !armored)
const armored = all.filter(({ needsPassphrase, armored }) => !needsPassphrase && armored)
const passphrase = all.filter(({ needsPassphrase }) => needsPassphrase)

/** How we call what the vectors expect. */
const reasons: Record<string, string | undefined> = {
  success: undefined,
  'no match': 'locked',
  'HMAC failure': 'damaged',
  'header failure': 'damaged',
  'payload failure': 'damaged',
}
/** Refused for their first line already. */
const foreign = ['version_unsupported', 'header_crlf']

/**
 * Vectors with a full chunk that is right in itself, and wrong for what follows or does not follow. They count it as given; we hold it back until
 * we know what follows, and give what is before it: nothing, or the first chunk, of which another vector tells the digest.
 */
const nothing = hash('sha256', Buffer.alloc(0))
const firstChunk = all.find(({ name }) => name === 'stream_bad_tag_second_chunk')?.payload
const heldBack: Record<string, string | undefined> = {
  stream_no_final_full: nothing,
  stream_no_final_two_chunks_full: firstChunk,
  stream_trailing_garbage_long: nothing,
  stream_trailing_garbage_short: nothing,
  stream_two_final_chunks: nothing,
  stream_two_final_chunks_full: nothing,
  stream_two_final_chunks_second: firstChunk,
}

/** Whole, in pieces as from a disk, and byte by byte where that does not take long. */
const cuts = (file: Buffer) => [[file.length + 1], [64 * 1024], [100, 16, 65_536, 1], ...(file.length < 10_000 ? [[1]] : [])]

describe('the published vectors', () => {
  it('are all there: none falls out of the tables below unseen', () => {
    expect({ all: all.length, binary: binary.length, armored: armored.length, passphrase: passphrase.length }).toEqual({
      all: 143,
      binary: 85,
      armored: 32,
      passphrase: 26,
    })
    expect(all.filter(({ expected, armored }) => !armored && !(expected in reasons))).toEqual([])
  })

  it.each(binary)('$name: $expected', async ({ name, expected, payload, identities, file }) => {
    for (const sizes of cuts(file)) {
      const { digest, reason } = await openAll(file, sizes, identities)
      expect(reason).toBe(foreign.includes(name) ? 'foreign' : reasons[expected])
      // Also what came out before a failure is authentic.
      if (payload !== undefined) expect(digest).toBe(heldBack[name] ?? payload)
    }
  })

  it.each(passphrase)(
    '$name: a passphrase is not asked for, and a header with another recipient beside it is damaged',
    async ({ name, file }) => {
      const { reason, length } = await openAll(file, [64], [somebody])
      const isDamaged = ['scrypt_and_x25519', 'scrypt_double'].includes(name)
      expect(isDamaged ? ['damaged'] : ['locked', 'damaged', 'armored']).toContain(reason)
      expect(length).toBe(0)
    },
  )

  it.each(armored)('$name: armor is refused, with nothing given', async ({ file, identities }) => {
    const { reason, length } = await openAll(file, [64], identities)
    expect(['armored', 'foreign']).toContain(reason)
    expect(length).toBe(0)
  })
})

async function openAll(file: Buffer, sizes: readonly number[], identities: readonly string[]) {
  const seen = createHash('sha256')
  let length = 0
  let reason: string | undefined
  try {
    for await (const chunk of opener(identities.length > 0 ? identities : [somebody]).open(source(cut(file, sizes)).items)) {
      seen.update(chunk)
      length += chunk.length
    }
  } catch (error) {
    reason = error instanceof AgeError ? error.reason : String(error)
  }
  return { digest: seen.digest('hex'), length, reason }
}

/** The format of the vectors: `key: value` lines, an empty line, and the file, which may be compressed. */
function readVector(name: string, bytes: Buffer): Vector {
  const end = bytes.indexOf('\n\n')
  const fields = bytes
    .toString('latin1', 0, end)
    .split('\n')
    .map((line) => line.split(': '))
  const valuesOf = (key: string) => fields.flatMap(([name, value]) => (name === key && value !== undefined ? [value] : []))
  const [compressed] = valuesOf('compressed')
  const [expected = ''] = valuesOf('expect')
  const [payload] = valuesOf('payload')
  const body = bytes.subarray(end + 2)
  return {
    name,
    expected,
    payload,
    identities: valuesOf('identity'),
    armored: valuesOf('armored').includes('yes'),
    needsPassphrase: valuesOf('passphrase').length > 0,
    file: compressed === 'zlib' ? inflateSync(body) : body,
  }
}
