import { describe, expect, it } from '@jest/globals'
import { workThrough } from '../../src/streams/workers.ts'
import { rejection, source } from '../support/feed.ts'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('workThrough', () => {
  it.each([1, 3, 50])('works on every item once, on %i at a time at most', async (concurrency) => {
    const done: number[] = []
    let going = 0
    let most = 0
    await workThrough([...Array(20).keys()].values(), { concurrency }, async (item) => {
      most = Math.max(most, ++going)
      await turn()
      going--
      done.push(item)
    })
    expect(done.toSorted((a, b) => a - b)).toEqual([...Array(20).keys()])
    expect(most).toBe(Math.min(concurrency, 20))
  })

  it('begins no item after a failure, waits for those that had begun, and throws it', async () => {
    const items = source([...Array(20).keys()])
    let ended = 0
    const failing = workThrough(items.items, { concurrency: 2 }, async (item) => {
      await turn()
      if (item === 3) throw new RangeError('three')
      await turn()
      ended++
    })
    expect(await rejection(failing)).toEqual(new RangeError('three'))
    expect(ended).toBeLessThanOrEqual(5)
    expect(items.given()).toBeLessThan(8)
    expect(items.closed()).toBe(true)
  })

  it('throws what the source throws', async () => {
    const error = new RangeError('source')
    expect(await rejection(workThrough(source([1, 2], error).items, { concurrency: 4 }, turn))).toBe(error)
  })

  it('is done at once with nothing to do, and works on nothing', async () => {
    let began = 0
    const nothing = source<number>([])
    await workThrough(nothing.items, { concurrency: 4 }, async () => {
      began++
    })
    expect({ began, closed: nothing.closed() }).toEqual({ began: 0, closed: true })
  })
})
