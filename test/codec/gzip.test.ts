import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { compressGzip } from '../../src/codec/gzip.ts'
import { collect, collectBytes, cut, rejection, source } from '../support/feed.ts'
import { pack } from '../support/pack.ts'
import { walkGzip } from './frames.ts'

/** Text that repeats itself at distances within a block, over several blocks, and beyond what deflate looks back. */
const anyContent = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom('{"_id":"a","_type":"post"}\n', '\n', 'é🙂').map((text) => Buffer.from(text)),
      fc.integer({ min: 1, max: 2000 }).map((length) => Buffer.alloc(length, '0123456789abcdef{"')),
    ),
    { maxLength: 40 },
  )
  .map((parts) => Buffer.concat(parts))
const anySizes = fc.array(fc.nat(400), { minLength: 1, maxLength: 8 })
const anyLevel = fc.integer({ min: 1, max: 9 })

describe('compressGzip', () => {
  it('makes one member that holds what it was given, for any content, blocks and level', async () => {
    await fc.assert(
      fc.asyncProperty(anyContent, anySizes, anyLevel, async (content, sizes, level) => {
        const file = await packed(cut(content, sizes), level)
        const { content: inside, ...member } = walkGzip(file)
        expect(inside.toString('hex')).toBe(content.toString('hex'))
        expect(member).toEqual({ checksumIsRight: true, sizeIsRight: true, bytesBehind: 0 })
      }),
      { numRuns: 500 },
    )
  })

  it('gives the same bytes for the same blocks and level, however slow they come', async () => {
    const blocks = Array.from(cut(text(3 * 1024 * 1024 + 17), [300_000]))
    const slow = async function* () {
      for (const block of blocks) {
        await new Promise((resolve) => setTimeout(resolve, block.length % 7))
        yield block
      }
    }
    const files = [await packed(blocks, 6), await collectBytes(pack(compressGzip, slow(), { level: 6 })), await packed(blocks, 6)]
    expect(new Set(files.map((file) => file.toString('base64'))).size).toBe(1)
    expect(walkGzip(files[0]!).content.equals(Buffer.concat(blocks))).toBe(true)
  })

  it('loses next to nothing by its blocks: text compresses as well as in one piece', async () => {
    const content = text(4 * 1024 * 1024)
    const inBlocks = await packed(cut(content, [2 * 1024 * 1024]), 6)
    const inOnePiece = await packed([content], 6)
    expect(inBlocks.length / inOnePiece.length).toBeLessThan(1.005)
  })

  it('stores the checksum that it is told, so that a reader compares what it finds with what was meant', async () => {
    const options = { level: 6, checksum: () => 0x1234_5678, release: () => undefined }
    const file = await collectBytes(compressGzip(source([Buffer.from('abc')]).items, options))
    expect(walkGzip(file)).toMatchObject({ checksumIsRight: false, sizeIsRight: true })
    expect(() => gunzipSync(file)).toThrow('incorrect data check')
  })

  const blockBytes = 1024 * 1024
  it.each([
    { name: 'nothing', content: Buffer.alloc(0) },
    { name: 'one byte', content: Buffer.from('x') },
    { name: 'one byte less than a block', content: text(blockBytes - 1) },
    { name: 'exactly one block', content: text(blockBytes) },
    { name: 'one byte more than a block', content: text(blockBytes + 1) },
    { name: 'exactly three blocks of zeros', content: Buffer.alloc(3 * blockBytes) },
    { name: 'random bytes of two blocks and a bit', content: randomBytes(2 * blockBytes + 100) },
  ])('is read by every reader at hand, for $name', async ({ content }) => {
    const file = await packed(cut(content, [blockBytes]), 6)
    for (const read of readers) expect((await read(file)).equals(content)).toBe(true)
  })

  it('asks for no more than its blocks in flight, and holds no more when nobody reads', async () => {
    const endless = source(Array.from({ length: 100 }, () => randomBytes(blockBytes)))
    const output = pack(compressGzip, endless.items, { level: 1 })
    await output.next()
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(endless.given()).toBeLessThanOrEqual(6)
    await output.return(undefined)
    expect(endless.closed()).toBe(true)
  })

  it('passes on the error of its source when blocks are still being compressed', async () => {
    const error = new RangeError('the source broke')
    const broken = source(
      Array.from({ length: 3 }, () => randomBytes(blockBytes)),
      error,
    )
    expect(await rejection(collect(pack(compressGzip, broken.items, { level: 9 })))).toBe(error)
  })

  it('refuses a level that does not exist', async () => {
    expect(await rejection(packed([Buffer.from('x')], 10))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' })
  })
})

async function packed(blocks: Iterable<Buffer>, level: number): Promise<Buffer> {
  return await collectBytes(pack(compressGzip, source(blocks).items, { level }))
}

function text(length: number): Buffer {
  const words = ['"_id":"', '"_type":"', 'post', 'author', '{"', '"},', 'ü', '🙂', 'lorem', 'ipsum', '\n']
  let state = 1
  const next = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return state >>> 8
  }
  let made = ''
  while (made.length < length) made += `${words[next() % words.length]}${next().toString(36)}`
  return Buffer.from(made).subarray(0, length)
}

type Reader = (file: Buffer) => Promise<Buffer>

const programs = [
  ['gzip', '-dc'],
  ['pigz', '-dc'],
  ['python3', '-c', 'import gzip,sys; sys.stdout.buffer.write(gzip.decompress(sys.stdin.buffer.read()))'],
].filter(([program = '']) => spawnSync(program, ['--version']).status === 0)

const readers: readonly Reader[] = [
  async (file) => gunzipSync(file),
  // Refuses whatever lies behind a first member.
  async (file) =>
    Buffer.from(await new Response(new Blob([new Uint8Array(file)]).stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer()),
  ...programs.map(
    ([program = '', ...options]): Reader =>
      async (file) => {
        const { status, stdout } = spawnSync(program, options, { input: file, maxBuffer: 64 * 1024 * 1024 })
        expect(status).toBe(0)
        return stdout
      },
  ),
]
