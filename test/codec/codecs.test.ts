import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { codecs, findCodec } from '../../src/codec/codecs.ts'
import { collect, collectBytes, cut, rejection, source } from '../support/feed.ts'
import { pack } from '../support/pack.ts'
import { runPeer } from '../support/process.ts'
import { walkGzip, walkZstd } from './frames.ts'

const names = ['gzip', 'zstd'] as const
const { gzip, zstd } = codecs

/** Contents around the sizes of zlib's chunks and of zstd's blocks, compressible and not. */
const contents = [
  { name: 'nothing', content: Buffer.alloc(0) },
  { name: 'one byte', content: Buffer.from('x') },
  { name: 'one line', content: Buffer.from('{"_id":"a","_type":"post"}\n') },
  { name: 'zeros of exactly one zstd block', content: Buffer.alloc(128 * 1024) },
  { name: 'random bytes of exactly one zstd block', content: randomBytes(128 * 1024) },
  { name: 'random bytes of exactly two of our blocks', content: randomBytes(2 * 1024 * 1024) },
  { name: 'text of three blocks and a bit', content: Buffer.from('{"_id":"a","_type":"post","title":"…"}\n'.repeat(90_000)) },
]

describe.each(names)('%s', (name) => {
  const { compress, decompress, levels, extension } = codecs[name]
  const small = Buffer.from(Array.from({ length: 20 }, (_, index) => `{"_id":"${index}","_type":"post"}\n`).join(''))

  it('gives back what it was given, however it was cut on the way in and out', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 2000 }),
        fc.array(fc.nat(500), { minLength: 1, maxLength: 8 }),
        fc.array(fc.nat(40), { minLength: 1, maxLength: 8 }),
        async (bytes, sizesIn, sizesOut) => {
          const content = Buffer.from(bytes)
          const file = await collectBytes(pack(compress, source(cut(content, sizesIn)).items, { level: 1 }))
          const restored = await collectBytes(decompress(source(cut(file, sizesOut)).items))
          expect(restored.toString('hex')).toBe(content.toString('hex'))
        },
      ),
      { numRuns: 150 },
    )
  })

  it.each([{ level: 1 }, { level: levels.default }, { level: levels.highest }])(
    'gives back what it was given at level $level',
    async ({ level }) => {
      const file = await collectBytes(pack(compress, source([small]).items, { level }))
      expect(String(await collectBytes(decompress(source([file]).items)))).toBe(String(small))
    },
  )

  it('throws for a file that is cut off, at whatever length', async () => {
    const file = await collectBytes(pack(compress, source([small]).items, { level: levels.default }))
    const outcomes: string[] = []
    for (let length = 0; length < file.length; length++) {
      const cutFile = source(cut(file.subarray(0, length), [50])).items
      outcomes.push(await outcomeOf(collectBytes(decompress(cutFile))))
    }
    expect(new Set(outcomes)).toEqual(new Set(['throws']))
  })

  it('throws, or gives the same content, for a file in which one bit is another', async () => {
    const file = await collectBytes(pack(compress, source([small]).items, { level: levels.default }))
    const outcomes = new Set<string>()
    for (const [at, byte] of file.entries()) {
      const damaged = Array.from({ length: 8 }, (_, bit) => {
        const copy = Buffer.from(file)
        copy[at] = byte ^ (1 << bit)
        return outcomeOf(collectBytes(decompress(source([copy]).items)))
      })
      for (const outcome of await Promise.all(damaged)) outcomes.add(outcome)
    }
    outcomes.delete(String(small))
    expect(outcomes).toEqual(new Set(['throws']))
  })

  it.each([
    { how: 'in the same chunk', join: (file: Buffer, rest: Buffer) => [Buffer.concat([file, rest])] },
    { how: 'in the next chunk', join: (file: Buffer, rest: Buffer) => [file, rest] },
    { how: 'over several chunks', join: (file: Buffer, rest: Buffer) => [file, ...cut(rest, [3])] },
  ])('comes to an end for a file with garbage behind it, $how', async ({ join }) => {
    const file = await collectBytes(pack(compress, source([small]).items, { level: 1 }))
    const parts = join(file, Buffer.from('garbage!'))
    expect(await outcomeOf(collectBytes(decompress(source(parts).items)))).not.toBe('hangs')
  })

  it.each([
    { name: 'content that is none of its own', bytes: Buffer.from('{"_id":"a"}\n') },
    { name: 'nothing at all', bytes: Buffer.alloc(0) },
  ])('throws for $name', async ({ bytes }) => {
    expect(await outcomeOf(collectBytes(decompress(source([bytes]).items)))).toBe('throws')
  })

  it('releases each block once, in order, when it is not needed any more', async () => {
    const given: Buffer[] = []
    const held = { now: 0, most: 0 }
    const released: number[] = []
    const all = Array.from(blocks(40))
    const lent = async function* () {
      for (const block of all) {
        given.push(Buffer.from(block))
        held.most = Math.max(held.most, ++held.now)
        yield given.at(-1) as Buffer
      }
    }
    const release = (block: Buffer) => {
      released.push(given.indexOf(block))
      held.now--
      // Whoever has it now does what they like with it.
      block.fill('x')
    }
    const file = await collectBytes(pack(compress, lent(), { level: levels.default, release }))
    expect(released).toEqual(all.map((_, index) => index))
    expect(held.most).toBeLessThanOrEqual(6)
    expect((await collectBytes(decompress(source([file]).items))).equals(Buffer.concat(all))).toBe(true)
  })

  it('closes its source and ends when the consumer leaves early', async () => {
    const endless = source(blocks(1000))
    for await (const _ of pack(compress, endless.items, { level: 1 })) break
    expect(endless.closed()).toBe(true)
    expect(endless.given()).toBeLessThan(50)
  })

  it('closes the file that it decompresses when the consumer leaves early', async () => {
    const file = await collectBytes(pack(compress, source(blocks(50)).items, { level: 1 }))
    const watched = source(cut(file, [10_000]))
    for await (const _ of decompress(watched.items)) break
    expect(watched.closed()).toBe(true)
  })

  it('does not run ahead of a consumer that does not read, and ends when that one leaves', async () => {
    const endless = source(blocks(1000))
    const output = pack(compress, endless.items, { level: 1 })
    await output.next()
    await sleep(100)
    const given = endless.given()
    expect(given).toBeLessThan(50)
    expect(await outcomeOf(output.return(undefined).then(() => 'ends'))).toBe('ends')
    expect(endless.closed()).toBe(true)
  })

  it('compresses and decompresses 200 MB in memory that stays flat', async () => {
    const { stdout, stderr } = await runPeer(new URL('long-run.ts', import.meta.url), { extension })
    expect(stderr).toBe('')
    const { restored, compressed, peakBytes } = JSON.parse(stdout) as Record<string, number>
    expect(restored).toBe(200 * 1024 * 1024)
    expect(compressed).toBeGreaterThan(10 * 1024 * 1024)
    expect(peakBytes).toBeLessThan(50 * 1024 * 1024)
  })
})

describe.each(contents)('a file of $name', ({ content }) => {
  it.each([{ chunkBytes: 1024 * 1024 }, { chunkBytes: 65_536 }, { chunkBytes: 50_001 }])(
    'is one gzip member with the right checksum and size, made of chunks of $chunkBytes bytes',
    async ({ chunkBytes }) => {
      const file = await collectBytes(pack(gzip.compress, source(cut(content, [chunkBytes])).items, { level: 6 }))
      const { content: inside, ...member } = walkGzip(file)
      expect(member).toEqual({ checksumIsRight: true, sizeIsRight: true, bytesBehind: 0 })
      expect(inside.equals(content)).toBe(true)
      expect(gunzipSync(file).equals(content)).toBe(true)
    },
  )

  it.each([{ chunkBytes: 1024 * 1024 }, { chunkBytes: 65_536 }, { chunkBytes: 50_001 }])(
    'is one zstd frame with a checksum, made of chunks of $chunkBytes bytes',
    async ({ chunkBytes }) => {
      const file = await collectBytes(pack(zstd.compress, source(cut(content, [chunkBytes])).items, { level: 3 }))
      expect(walkZstd(file)).toEqual({ hasChecksum: true, hasDictionary: false, blocks: expect.any(Number), bytesBehind: 0 })
      expect(zstdDecompressSync(file).equals(content)).toBe(true)
    },
  )
})

describe('an error of the source', () => {
  it('crosses both codecs in both directions as the very error, and no rejection stays unhandled', async () => {
    const { exitCode, stdout, stderr } = await runPeer(new URL('broken-source.ts', import.meta.url), {})
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(JSON.parse(stdout)).toEqual(Array.from({ length: 12 }, () => 'the very error'))
  })

  it.each(names)('crosses %s after content too', async (name) => {
    const error = new RangeError('the source broke')
    expect(await rejection(collect(pack(codecs[name].compress, source(blocks(3), error).items, { level: 1 })))).toBe(error)
  })
})

describe('findCodec', () => {
  it.each([
    { file: 'data.ndjson.gz', codec: gzip },
    { file: 'data.ndjson.zst', codec: zstd },
    { file: 'data.ndjson', codec: undefined },
    { file: 'manifest.json', codec: undefined },
    { file: 'data.ndjson.gz.partial', codec: undefined },
    { file: 'gz', codec: undefined },
  ])('knows what $file is compressed with', ({ file, codec }) => {
    expect(findCodec(file)).toBe(codec)
  })
})

function* blocks(count: number): Generator<Buffer> {
  for (let block = 0; block < count; block++) yield randomBytes(60_000)
}

/** What a promise gives, or that it is rejected, or that nothing comes of it in two seconds. */
async function outcomeOf(promise: Promise<Buffer | string>): Promise<string> {
  const settled = new AbortController()
  const outcome = promise.then(String, () => 'throws').finally(() => settled.abort())
  const patience = sleep(2000, 'hangs', { signal: settled.signal }).catch(() => 'settled')
  return await Promise.race([outcome, patience.then((word) => (word === 'hangs' ? word : outcome))])
}
