import { randomBytes } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { armor } from 'age-encryption'
import { openSealed } from '../../src/codec/age-open.ts'
import { collect, collectBytes, rejection, source } from '../support/feed.ts'
import { makeKeys, openBytes, openerFor, sealBytes, sealerFor } from './age-files.ts'

const chunkBytes = 64 * 1024 + 16
const ann = await makeKeys('x25519')
const hanna = await makeKeys('hybrid')
const forAnn = await sealerFor(ann)
const opensForAnn = openerFor(ann)

/** The payload's chunks stand behind the header and 16 bytes of nonce. */
function partsOf(file: Buffer): { readonly beginning: Buffer; readonly chunks: readonly Buffer[] } {
  const start = file.indexOf('\n', file.indexOf('\n---') + 1) + 1 + 16
  const count = Math.ceil((file.length - start) / chunkBytes)
  const at = (index: number) => start + index * chunkBytes
  return {
    beginning: file.subarray(0, start),
    chunks: Array.from({ length: count }, (_, index) => file.subarray(at(index), at(index + 1))),
  }
}

describe('a file that was changed', () => {
  it.each([
    { name: 'X25519', key: ann, step: 1, flips: [0x01, 0x20, 0x80, 0xff] },
    { name: 'hybrid', key: hanna, step: 7, flips: [0x01] },
  ])('is refused whichever byte was changed, and gives nothing: $name', async ({ key, step, flips }) => {
    const file = await sealBytes(await sealerFor(key), Buffer.from('{"_id":"a","_type":"post"}\n'))
    const outcomes = new Set<string>()
    for (let index = 0; index < file.length; index += step) {
      for (const flip of flips) {
        const changed = Buffer.from(file)
        changed[index] = changed.readUInt8(index) ^ flip
        const { given, reason } = await openBytes(openerFor(key), changed)
        outcomes.add(`${reason}, ${given.length} bytes given`)
      }
    }
    // Locked: the change made the stanza one for somebody else.
    expect([...outcomes].sort()).toEqual(['damaged', 'foreign', 'locked'].map((reason) => `${reason}, 0 bytes given`))
  })

  it('is refused wherever it was cut off, and gives nothing', async () => {
    const file = await sealBytes(forAnn, Buffer.from('{"_id":"a","_type":"post"}\n'))
    for (let length = 0; length < file.length; length++) {
      expect(await openBytes(opensForAnn, file.subarray(0, length), [7])).toEqual({ given: Buffer.alloc(0), reason: 'damaged' })
    }
  })

  it.each([-17, -16, -1, 0, 1, 15, 16, 17].flatMap((more) => [1, 2, 3].map((chunks) => ({ chunks, more }))))(
    'is refused when cut $more bytes from the end of chunk $chunks, and gives only what is authentic',
    async ({ chunks, more }) => {
      const content = randomBytes(4 * 64 * 1024)
      const file = await sealBytes(forAnn, content)
      const { given, reason } = await openBytes(opensForAnn, file.subarray(0, partsOf(file).beginning.length + chunks * chunkBytes + more))
      expect(reason).toBe('damaged')
      expect(given.equals(content.subarray(0, given.length))).toBe(true)
      expect(given.length).toBeLessThanOrEqual(chunks * 64 * 1024)
    },
  )

  const content = randomBytes(3 * 64 * 1024 + 100)
  const orders: readonly { readonly name: string; readonly order: readonly number[]; readonly whole: number }[] = [
    { name: 'two chunks swapped', order: [1, 0, 2, 3], whole: 0 },
    { name: 'the middle ones swapped', order: [0, 2, 1, 3], whole: 1 },
    { name: 'the first repeated', order: [0, 0, 1, 2, 3], whole: 1 },
    { name: 'a chunk in the middle repeated', order: [0, 1, 1, 2, 3], whole: 2 },
    { name: 'the last repeated', order: [0, 1, 2, 3, 3], whole: 3 },
    { name: 'a chunk left out', order: [0, 2, 3], whole: 1 },
    { name: 'the last left out', order: [0, 1, 2], whole: 2 },
    { name: 'the last alone', order: [3], whole: 0 },
    { name: 'no chunk at all', order: [], whole: 0 },
  ]
  it.each(orders)('is refused with $name', async ({ order, whole }) => {
    const { beginning, chunks } = partsOf(await sealBytes(forAnn, content))
    const { given, reason } = await openBytes(opensForAnn, Buffer.concat([beginning, ...order.map((index) => chunks[index] as Buffer)]))
    expect(reason).toBe('damaged')
    expect(given.equals(content.subarray(0, whole * 64 * 1024))).toBe(true)
  })

  it.each([
    { name: 'one byte', tail: () => Buffer.from('\n') },
    { name: 'the size of a tag', tail: () => Buffer.alloc(16) },
    { name: 'the size of a chunk', tail: () => Buffer.alloc(chunkBytes) },
    { name: 'another age file', tail: (file: Buffer) => file },
    { name: 'the chunks of another file', tail: (file: Buffer) => Buffer.concat(partsOf(file).chunks) },
  ])('is refused with something behind its end: $name', async ({ tail }) => {
    for (const size of [0, 5, 64 * 1024]) {
      const file = await sealBytes(forAnn, randomBytes(size))
      const { given, reason } = await openBytes(opensForAnn, Buffer.concat([file, tail(await sealBytes(forAnn, content))]))
      expect({ reason, length: given.length }).toEqual({ reason: 'damaged', length: 0 })
    }
  })

  it('is refused with the payload of another file for the same recipient, or its header', async () => {
    const [one, two] = [partsOf(await sealBytes(forAnn, content)), partsOf(await sealBytes(forAnn, content))]
    const crossed = Buffer.concat([one.beginning, ...two.chunks])
    expect(await openBytes(opensForAnn, crossed)).toEqual({ given: Buffer.alloc(0), reason: 'damaged' })
    const sameNonce = Buffer.concat([one.beginning.subarray(0, -16), two.beginning.subarray(-16), ...two.chunks])
    expect(await openBytes(opensForAnn, sameNonce)).toEqual({ given: Buffer.alloc(0), reason: 'damaged' })
  })

  it('is refused by the run that made it as well, in the header and behind it', async () => {
    const { seal, key } = await forAnn.newFile()
    const file = await collectBytes(seal(source([Buffer.from('abc')]).items))
    for (let index = 0; index < file.length; index++) {
      const changed = Buffer.from(file)
      changed[index] = changed.readUInt8(index) ^ 0x01
      const { given, reason } = await openBytes({ open: (chunks) => openSealed(key, chunks) }, changed)
      expect(given).toHaveLength(0)
      expect(['damaged', 'foreign']).toContain(reason)
    }
  })
})

describe('a file that is none of ours', () => {
  const line = 'age-encryption.org/v1\n'
  it.each([
    { name: 'nothing', file: Buffer.alloc(0), reason: 'damaged' },
    { name: 'plain gzip', file: Buffer.from([0x1f, 0x8b, 8, 0]), reason: 'foreign' },
    { name: 'another version', file: Buffer.from('age-encryption.org/v2\n-> X25519 a\n'), reason: 'foreign' },
    { name: 'CRLF', file: Buffer.from('age-encryption.org/v1\r\n'), reason: 'foreign' },
    { name: 'dashes', file: Buffer.from('-----BEGIN PGP MESSAGE-----\n'), reason: 'foreign' },
    { name: 'a header of dashes', file: Buffer.from(`${line}---\n${'x'.repeat(40)}`), reason: 'damaged' },
    { name: 'a header without recipients', file: Buffer.from(`${line}--- ${'A'.repeat(43)}\n${'x'.repeat(40)}`), reason: 'locked' },
    { name: 'a header without end', file: Buffer.from(line + 'A'.repeat(1_000_000)), reason: 'damaged' },
    { name: 'a header longer than any', file: Buffer.from(`${line}-> a ${'A'.repeat(300_000)}\n\n--- a\n`), reason: 'damaged' },
    { name: 'a header of other bytes than text', file: Buffer.from(`${line}-> é\n\n--- a\n${'x'.repeat(40)}`), reason: 'damaged' },
  ])('is refused, and said to be so: $name', async ({ file, reason }) => {
    for (const sizes of [[file.length + 1], [10_000, 1]]) {
      expect(await openBytes(opensForAnn, file, sizes)).toEqual({ given: Buffer.alloc(0), reason })
    }
  })

  it('keeps no more of a header without end than any header has', async () => {
    const endless = source(Array.from({ length: 10_000 }, (_, index) => Buffer.alloc(1000, index === 0 ? line : 'A')))
    expect(await rejection(collect(opensForAnn.open(endless.items)))).toMatchObject({ reason: 'damaged' })
    expect(endless.given()).toBeLessThan(300)
  })

  it('is refused in armor, which is named', async () => {
    const text = Buffer.from(armor.encode(await sealBytes(forAnn, Buffer.from('abc'))))
    expect(await openBytes(opensForAnn, text, [5])).toEqual({ given: Buffer.alloc(0), reason: 'armored' })
  })
})
