import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { compressGzip } from '../../src/codec/gzip.ts'
import { collect, collectBytes, cut, rejection, source } from '../streams/feed.ts'
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
const anyBlockBytes = fc.integer({ min: 1, max: 3000 })
const anyLevel = fc.integer({ min: 1, max: 9 })

describe('compressGzip', () => {
  it('makes one member that holds what it was given, for any content, chunks, blocks and level', async () => {
    await fc.assert(
      fc.asyncProperty(anyContent, anySizes, anyBlockBytes, anyLevel, async (content, sizes, blockBytes, level) => {
        const file = await collectBytes(compressGzip(source(cut(content, sizes)).items, level, atLeast(blockBytes, content)))
        const { content: inside, ...member } = walkGzip(file)
        expect(inside.toString('hex')).toBe(content.toString('hex'))
        expect(member).toEqual({ checksumIsRight: true, sizeIsRight: true, bytesBehind: 0 })
      }),
      { numRuns: 500 },
    )
  })

  it('gives the same bytes for the same content and level, however the content comes', async () => {
    await fc.assert(
      fc.asyncProperty(anyContent, anySizes, anyBlockBytes, anyLevel, async (content, sizes, blockBytes, level) => {
        const whole = await collectBytes(compressGzip(source([content]).items, level, atLeast(blockBytes, content)))
        const pieces = await collectBytes(compressGzip(source(cut(content, sizes)).items, level, atLeast(blockBytes, content)))
        expect(pieces.toString('hex')).toBe(whole.toString('hex'))
      }),
      { numRuns: 300 },
    )
  })

  it('gives the same bytes for five blocks of full size, however they come and however slow', async () => {
    const content = text(5 * 1024 * 1024 + 17)
    const files = await Promise.all(
      [[content.length], [65_536], [1, 1024 * 1024], [1024 * 1024], [999_983]].map((sizes) =>
        collectBytes(compressGzip(source(cut(content, sizes)).items, 6)),
      ),
    )
    expect(new Set(files.map((file) => file.toString('base64'))).size).toBe(1)
    expect(walkGzip(files[0]!).content.equals(content)).toBe(true)
  })

  it('loses next to nothing by its blocks: text compresses as well as in one piece', async () => {
    const content = text(4 * 1024 * 1024)
    const inBlocks = await collectBytes(compressGzip(source([content]).items, 6))
    const inOnePiece = await collectBytes(compressGzip(source([content]).items, 6, content.length))
    expect(inBlocks.length / inOnePiece.length).toBeLessThan(1.005)
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
    const file = await collectBytes(compressGzip(source([content]).items, 6))
    for (const read of readers) expect((await read(file)).equals(content)).toBe(true)
  })

  it('asks for no more than its blocks in flight, and holds no more when nobody reads', async () => {
    const endless = source(Array.from({ length: 100 }, () => randomBytes(blockBytes)))
    const output = compressGzip(endless.items, 1)
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
    expect(await rejection(collect(compressGzip(broken.items, 9)))).toBe(error)
  })

  it('refuses a level that does not exist', async () => {
    expect(await rejection(collect(compressGzip(source([Buffer.from('x')]).items, 10)))).toMatchObject({ code: 'ERR_OUT_OF_RANGE' })
  })
})

/** Small blocks for small contents only: each costs a trip to the thread pool. */
function atLeast(blockBytes: number, content: Buffer): number {
  return Math.max(blockBytes, Math.ceil(content.length / 10))
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
