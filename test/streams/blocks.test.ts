import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { blockPool, givingWay, packLines } from '../../src/streams/blocks.ts'
import { collect, rejection, source } from '../support/feed.ts'

const anyBatches = fc.array(
  fc.array(
    fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
    { maxLength: 6 },
  ),
  { maxLength: 6 },
)

describe('packLines', () => {
  it('gives the lines with a line feed behind each, whatever the size of a block', async () => {
    await fc.assert(
      fc.asyncProperty(anyBatches, fc.integer({ min: 1, max: 64 }), async (batches, blockBytes) => {
        const blocks: Buffer[] = []
        for await (const block of packLines(source(batches).items, blockPool(blockBytes).take)) blocks.push(Buffer.from(block))
        expect(Buffer.concat(blocks).toString('hex')).toBe(joined(batches).toString('hex'))
      }),
      { numRuns: 2000 },
    )
  })

  it('gives blocks of one size, the last one shorter, and none that is empty', async () => {
    await fc.assert(
      fc.asyncProperty(anyBatches, fc.integer({ min: 1, max: 64 }), async (batches, blockBytes) => {
        const sizes = (await collect(packLines(source(batches).items, blockPool(blockBytes).take))).map((block) => block.length)
        expect(sizes.slice(0, -1).filter((size) => size !== blockBytes)).toEqual([])
        expect(sizes.filter((size) => size === 0 || size > blockBytes)).toEqual([])
      }),
      { numRuns: 1000 },
    )
  })

  it.each([
    { name: 'nothing', batches: [], sizes: [] },
    { name: 'empty batches', batches: [[], []], sizes: [] },
    { name: 'lines that fill a block to the last byte', batches: [['1234', '5678']], sizes: [10] },
    { name: 'a line that does not fit any more', batches: [['1234'], ['5678', '9']], sizes: [10, 2] },
    { name: 'a line longer than a block', batches: [['1', '12345678901234567890', '2']], sizes: [10, 10, 5] },
    { name: 'a line longer than a block at the start', batches: [['12345678901234567890']], sizes: [10, 10, 1] },
  ])('packs $name into blocks of ten bytes', async ({ batches, sizes }) => {
    const lines = batches.map((batch) => batch.map((line) => Buffer.from(line)))
    expect((await collect(packLines(source(lines).items, blockPool(10).take))).map((block) => block.length)).toEqual(sizes)
  })

  it('copies: a chunk that is overwritten later changes no block', async () => {
    const line = Buffer.from('abc')
    const blocks = await collect(packLines(source([[line]]).items, blockPool(10).take))
    line.fill('x')
    expect(String(blocks[0])).toBe('abc\n')
  })

  it('passes on the error of its source', async () => {
    const broken = new RangeError('broken')
    expect(await rejection(collect(packLines(source([[Buffer.from('a')]], broken).items, blockPool(10).take)))).toBe(broken)
  })

  it('asks for a block when there is something to put into it, and waits for it', async () => {
    const asked: number[] = []
    const slow = async () => {
      asked.push(asked.length)
      await new Promise((resolve) => setImmediate(resolve))
      return Buffer.alloc(4)
    }
    const blocks = await collect(packLines(source([[], [Buffer.from('abc')], [Buffer.from('abc'), Buffer.from('d')]]).items, slow))
    expect({ asked: asked.length, blocks: blocks.map(String) }).toEqual({ asked: 3, blocks: ['abc\n', 'abc\n', 'd\n'] })
  })

  it('passes on that there is no block', async () => {
    const none = new RangeError('none')
    const refuse = async () => await Promise.reject<Buffer>(none)
    expect(await rejection(collect(packLines(source([[Buffer.from('a')]]).items, refuse)))).toBe(none)
  })

  it('closes its source when the consumer leaves early', async () => {
    const watched = source(Array.from({ length: 100 }, () => [Buffer.from('abc')]))
    for await (const _ of packLines(watched.items, blockPool(4).take)) break
    expect({ closed: watched.closed(), given: watched.given() }).toEqual({ closed: true, given: 2 })
  })
})

describe('blockPool', () => {
  it('gives out what it was given back, and else what is new', () => {
    const { take, giveBack } = blockPool(10)
    const [first, second] = [take(), take()]
    giveBack(first.subarray(0, 3))
    const third = take()
    const fourth = take()
    expect(third.buffer).toBe(first.buffer)
    expect(new Set([first, second, fourth].map(({ buffer }) => buffer)).size).toBe(3)
    expect([first, second, third, fourth].map(({ length }) => length)).toEqual([10, 10, 10, 10])
  })
})

describe('givingWay', () => {
  it('lets the lines through', async () => {
    await fc.assert(
      fc.asyncProperty(anyBatches, async (batches) => {
        expect(await collect(givingWay(source(batches).items))).toEqual(batches)
      }),
    )
  })

  it('lets others have their turn, while there is always more to take', async () => {
    let turns = 0
    const count = () => {
      turns++
      if (turns < 100) setImmediate(count)
    }
    setImmediate(count)
    const lines = Array.from({ length: 20 }, () => [Buffer.alloc(64 * 1024)])
    for await (const _ of givingWay(source(lines).items));
    expect(turns).toBeGreaterThanOrEqual(9)
    expect(turns).toBeLessThan(20)
  })
})

function joined(batches: readonly (readonly Buffer[])[]): Buffer {
  return Buffer.concat(batches.flat().flatMap((line) => [line, Buffer.from('\n')]))
}
