import { setImmediate } from 'node:timers/promises'
import { expect, it } from '@jest/globals'
import { makeLanes } from '../../../../src/commands/restore/apply/lanes.ts'

/** Begins so much work, and tells how much is under way at once; each call of `end` ends one. */
async function working(lanes: ReturnType<typeof makeLanes>, count: number) {
  const ends: (() => void)[] = []
  let most = 0
  const all = Array.from({ length: count }, () =>
    lanes.during(async () => {
      await new Promise<void>((resolve) => {
        ends.push(resolve)
        most = Math.max(most, ends.length)
      })
    }),
  )
  const end = async (): Promise<void> => {
    ends.shift()?.()
    await setImmediate()
  }
  await setImmediate()
  return { all, end, underWay: () => ends.length, most: () => most }
}

it('lets as many go at once as it has lanes', async () => {
  const work = await working(makeLanes(3), 7)
  for (let left = 7; left > 0; left--) {
    expect(work.underWay()).toBe(Math.min(left, 3))
    await work.end()
  }
  await Promise.all(work.all)
})

it('lets fewer go after a conflict, never none, and more again after twenty that went well', async () => {
  const lanes = makeLanes(4)
  lanes.narrow()
  lanes.narrow()
  lanes.narrow()
  const work = await working(lanes, 100)
  expect(work.underWay()).toBe(1)
  for (let turn = 0; turn < 19; turn++) await work.end()
  expect(work.underWay()).toBe(1)
  await work.end()
  expect(work.underWay()).toBe(2)
  for (let turn = 0; turn < 60; turn++) await work.end()
  expect(work.most()).toBe(4)
  for (let turn = 0; turn < 20; turn++) await work.end()
  await Promise.all(work.all)
})

it('goes on after work that fails', async () => {
  const lanes = makeLanes(1)
  await expect(
    lanes.during(async () => {
      throw new RangeError('no')
    }),
  ).rejects.toThrow(RangeError)
  expect(await lanes.during(async () => 1)).toBe(1)
})
