import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type NumberedLine, storeLines } from '../../../src/snapshot/write/numbered-lines.ts'
import { rejection } from '../../support/feed.ts'
import { makeTempFolder } from '../../support/process.ts'

let temp: Awaited<ReturnType<typeof makeTempFolder>>
let files = 0

beforeAll(async () => {
  temp = await makeTempFolder('lines')
})

afterAll(async () => await temp[Symbol.asyncDispose]())

async function stored(batches: readonly (readonly NumberedLine[])[], size: number) {
  const all = async function* () {
    yield* batches
  }
  return await storeLines(join(temp.path, `${++files}`), size, all())
}

describe('lines that were put aside', () => {
  it('come back by their number, in any order and several at a time', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 40 }), async (texts) => {
        const lines = texts.map((text, number) => ({ number, line: Buffer.from(text) }))
        await using store = await stored([lines.toReversed().slice(0, 3), lines.toReversed().slice(3)], lines.length)
        const got = await Promise.all(lines.map(async ({ number }) => await store.get(number)))
        expect(got).toEqual(lines.map(({ line }) => line))
      }),
      { numRuns: 30 },
    )
  })

  it('are kept as they were, though the piece that they came in is used again', async () => {
    const piece = Buffer.from('before')
    const batches = async function* (): AsyncGenerator<NumberedLine[]> {
      yield [{ number: 0, line: piece }]
      piece.fill('x')
      yield [{ number: 1, line: Buffer.alloc(2_000_000, 'a') }]
    }
    await using store = await storeLines(join(temp.path, 'again'), 2, batches())
    expect(String(await store.get(0))).toBe('before')
    expect((await store.get(1)).length).toBe(2_000_000)
  })

  it('do not come where none was', async () => {
    await using store = await stored([], 3)
    expect(await rejection(store.get(1))).toMatchObject({ message: 'there is no line of this number' })
  })
})
