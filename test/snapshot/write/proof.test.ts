import { randomBytes } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { codecs } from '../../../src/codec/codecs.ts'
import { type Proof, startProof } from '../../../src/snapshot/write/proof.ts'
import { digestOf, sumDigest } from '../../../src/streams/digest.ts'
import { collect, collectBytes, cut, rejection, source } from '../../support/feed.ts'
import { pack } from '../../support/pack.ts'

const codecNames = ['gzip', 'zstd'] as const
/** The size of a block, and how many there are. */
const blockBytes = 1.5 * 1024 * 1024
const blockCount = 8

const anyLine = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0x0a)))

describe.each(codecNames)('startProof, for %s', (name) => {
  it('digests what it is shown, as one and as a set of lines, however blocks and file are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyLine, { maxLength: 12 }),
        fc.array(fc.integer({ min: 100, max: 200 }), { minLength: 1, maxLength: 5 }),
        async (lines, sizes) => {
          await using proof = startProof(name)
          const content = joined(lines)
          const file = await packed(name, content)
          await show(proof, { lines, parts: [...cut(content, sizes)], packed: cut(file, [50]) })
          expect(await proof.result()).toEqual({ stored: { bytes: file.length, digest: digestOf(file) }, content: described(lines) })
        },
      ),
      { numRuns: 20 },
    )
  }, 300_000)

  it.each([
    {
      what: 'short ones',
      lines: Array.from({ length: 60_000 }, (_, index) => Buffer.from(`{"_id":"${index}","text":"${'x'.repeat(500)}"}`)),
    },
    {
      what: 'one that begins in one block and ends three later',
      lines: [Buffer.from('{}'), Buffer.alloc(3.5 * blockBytes, 'y'), Buffer.from('{}')],
    },
    { what: 'some that cannot be made smaller', lines: Array.from({ length: 40 }, () => hexBytes(blockBytes / 4)) },
    { what: 'none', lines: [] },
    { what: 'empty ones', lines: [Buffer.alloc(0), Buffer.alloc(0)] },
  ])('gives its blocks out again as they are unpacked, for lines such as $what', async ({ lines }) => {
    await using proof = startProof(name)
    const blocks = async function* () {
      for (const part of cut(joined(lines), [blockBytes])) {
        if (part.length === 0) continue
        const block = await proof.block()
        part.copy(block)
        yield block.subarray(0, part.length)
      }
    }
    proof.expectLines(lines)
    const { checksum, compare: release } = proof
    for await (const _ of proof.unpackAlong(codecs[name].compress(blocks(), { level: 1, checksum, release })));
    expect((await proof.result()).content).toEqual(described(lines))
  })

  it('describes the file that it unpacked, whatever becomes of the pieces that it let through', async () => {
    await using proof = startProof(name)
    const lines = [Buffer.from('{"_id":"a"}'), Buffer.from('{"_id":"b"}')]
    const file = await packed(name, joined(lines))
    proof.expectLines(lines)
    const block = await proof.block()
    proof.compare(block.subarray(0, joined(lines).copy(block)))
    for await (const piece of proof.unpackAlong(source(cut(Buffer.from(file), [10])).items)) piece.fill(0)
    expect((await proof.result()).stored).toEqual({ bytes: file.length, digest: digestOf(file) })
  })

  const lines = Array.from({ length: 2000 }, (_, index) => Buffer.from(`{"_id":"${index}","random":"${crypto.randomUUID()}"}`))
  const others = lines.map((line) => Buffer.from(String(line).replace('"_id":"1999"', '"_id":"1998"')))
  it.each([
    { what: 'holds other content', damage: async () => await packed(name, joined(others)), says: /is another one from byte \d+ on/ },
    { what: 'holds less', damage: async () => await packed(name, joined(lines.slice(0, -1))), says: /it ends after \d+ of \d+ bytes/ },
    { what: 'holds more', damage: async () => await packed(name, joined([...lines, ...lines])), says: /it goes on after \d+ bytes/ },
    { what: 'holds nothing', damage: async () => await packed(name, Buffer.alloc(0)), says: /it ends after 0 of \d+ bytes/ },
    { what: 'is cut off', damage: async (file: Buffer) => file.subarray(0, -9), says: /compared with what Sanity sent: / },
    { what: 'has one bit that is another', damage: async (file: Buffer) => flipped(file), says: /compared with what Sanity sent: / },
    { what: 'is not there', damage: async () => Buffer.alloc(0), says: /compared with what Sanity sent: / },
  ])('throws for a file that $what', async ({ damage, says }) => {
    await using proof = startProof(name)
    const file = cut(await damage(await packed(name, joined(lines))), [10_000])
    await show(proof, { lines, parts: [joined(lines)], packed: file })
    expect(await rejection(proof.result())).toMatchObject({ code: 'verification-failed', message: expect.stringMatching(says) })
  })

  it.each([
    { what: 'a line more', shownLines: [...lines, Buffer.from('x')], says: 'it has 2000 lines and' },
    { what: 'a line that is longer', shownLines: [Buffer.from(`${lines[0]} `), ...lines.slice(1)], says: 'it has 2000 lines and' },
    {
      what: 'a line with a line feed in it',
      shownLines: [Buffer.concat([lines[0]!, Buffer.from('\n'), lines[1]!]), ...lines.slice(2)],
      says: 'instead of 1999 and',
    },
    {
      what: 'a line that is another, and as long',
      shownLines: [Buffer.from(String(lines[0]).replace('_id', '_ie')), ...lines.slice(1)],
      says: 'its lines are not the ones that came',
    },
    {
      what: 'the same lines in another order',
      shownLines: [lines[1]!, lines[0]!, ...lines.slice(2)],
      says: 'its lines are not the ones that came',
    },
    {
      what: 'one line twice, and another not',
      shownLines: [lines[1]!, lines[1]!, ...lines.slice(2)],
      says: 'its lines are not the ones that came',
    },
  ])('throws for content that came of $what', async ({ shownLines, says }) => {
    await using proof = startProof(name)
    await show(proof, { lines: shownLines, parts: [joined(lines)], packed: [await packed(name, joined(lines))] })
    expect(await rejection(proof.result())).toMatchObject({ code: 'verification-failed', message: expect.stringContaining(says) })
  })
})

describe('a call for a block', () => {
  it('throws when what was packed is found to be another', async () => {
    await using proof = startProof('gzip')
    for (let block = 0; block < blockCount; block++) proof.compare((await proof.block()).fill('x'))
    const waiting = rejection(proof.block())
    await collect(proof.unpackAlong(source([await packed('gzip', Buffer.from('y'))]).items))
    expect(await waiting).toMatchObject({ code: 'verification-failed' })
    expect(await rejection(proof.block())).toMatchObject({ code: 'verification-failed' })
  })

  it('throws when reading what was packed stops early', async () => {
    await using proof = startProof('gzip')
    for (let block = 0; block < blockCount; block++) proof.compare(await proof.block())
    const waiting = rejection(proof.block())
    for await (const _ of proof.unpackAlong(source([Buffer.from('x')]).items)) break
    expect(await waiting).toMatchObject({ message: 'the data file is not wanted any more' })
  })

  it('throws when the thread has ended', async () => {
    const proof = startProof('gzip')
    for (let block = 0; block < blockCount; block++) await proof.block()
    const waiting = rejection(proof.block())
    await proof[Symbol.asyncDispose]()
    expect(await waiting).toMatchObject({ code: 'verification-failed', title: 'The data file could not be verified' })
    expect(await rejection(proof.result())).toMatchObject({ title: 'The data file could not be verified' })
  })
})

type Shown = { readonly lines: readonly Buffer[]; readonly parts: readonly Buffer[]; readonly packed: Iterable<Buffer> }

/** Shows a file of a few blocks. */
async function show(proof: Proof, { lines, parts, packed }: Shown): Promise<void> {
  proof.expectLines(lines)
  for (const part of parts) {
    const block = await proof.block()
    part.copy(block)
    proof.compare(block.subarray(0, part.length))
  }
  await collect(proof.unpackAlong(source(packed).items))
}

async function packed(name: (typeof codecNames)[number], content: Buffer): Promise<Buffer> {
  return await collectBytes(pack(codecs[name].compress, source([content]).items, { level: 1 }))
}

function flipped(file: Buffer): Buffer {
  const copy = Buffer.from(file)
  const middle = Math.floor(file.length / 2)
  copy[middle] = (copy[middle] as number) ^ 1
  return copy
}

function hexBytes(bytes: number): Buffer {
  return Buffer.from(randomBytes(bytes / 2).toString('hex'))
}

function joined(lines: readonly Buffer[]): Buffer {
  return Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')]))
}

function described(lines: readonly Buffer[]) {
  const sum = sumDigest()
  for (const line of lines) sum.add(line)
  const content = joined(lines)
  return { bytes: content.length, lines: lines.length, digest: digestOf(content), sum: sum.result() }
}
