import { randomBytes } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { Decrypter, Encrypter } from 'age-encryption'
import fc from 'fast-check'
import { sealer } from '../../src/codec/age.ts'
import { parseRecipients } from '../../src/codec/age-keys.ts'
import { openSealed } from '../../src/codec/age-open.ts'
import { chunks, collect, collectBytes, cut, rejection, source } from '../support/feed.ts'
import { makeKeys, openBytes, openerFor, sealBytes, sealerFor } from './age-files.ts'

const kib64 = 64 * 1024
/** The header for one X25519 recipient, the nonce, and the tag of each chunk (C2SP age specification). */
const headerBytes = 168
const tagBytes = 16

const ann = await makeKeys('x25519')
const bob = await makeKeys('x25519')
const eve = await makeKeys('x25519')
const hanna = await makeKeys('hybrid')
const henry = await makeKeys('hybrid')
const thirty = await Promise.all(Array.from({ length: 30 }, () => makeKeys('x25519')))
const forAnn = await sealerFor(ann)

const edges = [0, 1, 2, 3].flatMap((count) => [-1, 0, 1].map((more) => count * kib64 + more)).filter((size) => size >= 0)
const anySize = fc.oneof(fc.nat(300), fc.constantFrom(...edges), fc.nat(3 * kib64))
const anyCut = fc.array(fc.oneof(fc.nat(300), fc.constantFrom(...edges), fc.integer({ min: 1, max: 3 * kib64 })), {
  minLength: 1,
  maxLength: 6,
})
const bytesOf = (size: number) => randomBytes(size)
/** Small pieces many times over would only take long. */
const coarse = (sizes: readonly number[]) => (sizes.some((size) => size > 1000) ? sizes : [...sizes, 10_000])

describe('sealing and opening', () => {
  it('gives back what it was given, for any size and however it was cut on the way in and out', async () => {
    await fc.assert(
      fc.asyncProperty(anySize, anyCut, anyCut, async (size, sizesIn, sizesOut) => {
        const content = bytesOf(size)
        const { seal, openSealed: openHere } = await forAnn.newFile()
        const file = await collectBytes(seal(source(cut(content, coarse(sizesIn))).items))
        expect((await openBytes(openerFor(ann), file, coarse(sizesOut))).given.equals(content)).toBe(true)
        expect((await collectBytes(openHere(source(cut(file, coarse(sizesOut))).items))).equals(content)).toBe(true)
        const chunkCount = Math.max(1, Math.ceil(size / kib64))
        expect(file.length).toBe(headerBytes + 16 + size + chunkCount * tagBytes)
      }),
      { numRuns: 150 },
    )
  })

  it.each(edges.map((size) => ({ size })))('is the format of the library, both ways: $size bytes', async ({ size }) => {
    const content = bytesOf(size)
    const decrypter = new Decrypter()
    decrypter.addIdentity(ann.identity)
    expect(Buffer.from(await decrypter.decrypt(await sealBytes(forAnn, content, [100_000]))).equals(content)).toBe(true)
    const encrypter = new Encrypter()
    encrypter.addRecipient(ann.recipient)
    const { given, reason } = await openBytes(openerFor(ann), Buffer.from(await encrypter.encrypt(content)), [100_000])
    expect(reason).toBeUndefined()
    expect(given.equals(content)).toBe(true)
  })

  it.each([
    { name: 'two of X25519', keys: [ann, bob], stanzas: 2 },
    { name: 'two hybrid ones', keys: [hanna, henry], stanzas: 2 },
    { name: 'thirty', keys: thirty, stanzas: 30 },
  ])('lets each of several recipients open the file alone, and nobody else in: $name', async ({ keys, stanzas }) => {
    const content = bytesOf(kib64 + 5)
    const file = await sealBytes(await sealerFor(...keys), content)
    for (const key of keys) {
      expect((await openBytes(openerFor(key), file)).given.equals(content)).toBe(true)
      expect((await openBytes(openerFor(eve, key), file)).given.equals(content)).toBe(true)
    }
    expect(await openBytes(openerFor(eve, await makeKeys('hybrid')), file)).toEqual({ given: Buffer.alloc(0), reason: 'locked' })
    expect(String(file).match(/^-> /gm)).toHaveLength(stanzas)
  })

  it('gives each file a key and a nonce of its own', async () => {
    const { seal, key } = await forAnn.newFile()
    const { key: other } = await forAnn.newFile()
    expect(Buffer.from(other.fileKey).equals(key.fileKey)).toBe(false)
    const [once, twice] = [await collectBytes(seal(chunks('abc'))), await collectBytes(seal(chunks('abc')))]
    expect(once.subarray(headerBytes).equals(twice.subarray(headerBytes))).toBe(false)
  })

  it('makes keys for many files at once without taking one for another', async () => {
    const contents = Array.from({ length: 40 }, (_, index) => Buffer.from(`content ${index}`))
    const files = await Promise.all(contents.map((content) => sealBytes(forAnn, content)))
    const opened = await Promise.all(files.map((file) => openBytes(openerFor(ann), file)))
    expect(opened.map(({ given }) => String(given))).toEqual(contents.map(String))
  })

  it('refuses a recipient that is well-formed and to which nothing can be encrypted, by its line', async () => {
    const zeros = 'age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z'
    const recipients = parseRecipients(`# keys\n${ann.recipient}\n${zeros}`)
    if ('problems' in recipients) throw new Error(JSON.stringify(recipients))
    expect(await sealer(recipients)).toEqual({ problems: [{ line: 3, reason: 'unusable' }] })
  })

  it('gives content while the file still comes, and ends its source when nobody wants more', async () => {
    const { items, closed, given } = source(cut(bytesOf(10 * kib64), [kib64]))
    const { seal } = await forAnn.newFile()
    const sealed = seal(items)
    await sealed.next()
    await sealed.next()
    expect(given()).toBeLessThan(10)
    await sealed.return(undefined)
    expect(closed()).toBe(true)
    const file = source(cut(await sealBytes(forAnn, bytesOf(10 * kib64)), [kib64]))
    const opened = openerFor(ann).open(file.items)
    expect((await opened.next()).value).toHaveLength(kib64)
    expect(file.given()).toBeLessThan(4)
    await opened.return(undefined)
    expect(file.closed()).toBe(true)
  })

  it('ends its source when the header is refused', async () => {
    const file = source(cut(await sealBytes(forAnn, bytesOf(kib64)), [50]))
    await rejection(collect(openerFor(eve).open(file.items)))
    expect(file.closed()).toBe(true)
  })

  it.each([0, 30, 400, 3 * kib64].map((size) => ({ size })))('passes on what its source throws, after $size bytes', async ({ size }) => {
    const failure = new Error('the disk is gone')
    const file = (await sealBytes(forAnn, bytesOf(4 * kib64))).subarray(0, size)
    expect(await rejection(collect(openerFor(ann).open(source([file], failure).items)))).toBe(failure)
    const { seal } = await forAnn.newFile()
    expect(await rejection(collect(seal(source([file], failure).items)))).toBe(failure)
  })

  it('does not look at a chunk again once it asked for the next, so that its memory can be used for something else', async () => {
    const reused = async function* (bytes: Buffer) {
      const memory = Buffer.alloc(50_000)
      for (const piece of cut(bytes, [50_000])) {
        yield memory.subarray(0, piece.copy(memory))
        memory.fill(0)
      }
    }
    const content = bytesOf(5 * kib64)
    const { seal } = await forAnn.newFile()
    const file = await collectBytes(seal(reused(content)))
    expect((await collectBytes(openerFor(ann).open(reused(file)))).equals(content)).toBe(true)
  })

  it('opens in another thread what it sealed: the key is plain data', async () => {
    const { seal, key } = await forAnn.newFile()
    const file = await collectBytes(seal(chunks('abc')))
    expect(String(await collectBytes(openSealed(structuredClone(key), chunks(file))))).toBe('abc')
    const { openSealed: openOther } = await forAnn.newFile()
    expect(await rejection(collect(openOther(chunks(file))))).toMatchObject({ reason: 'damaged' })
  })
})
