import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { type Pace, pace } from '../../src/http/pace.ts'
import type { Wait } from '../../src/http/retry.ts'
import { rejection } from '../support/feed.ts'

const { signal } = new AbortController()

describe('a pace', () => {
  it.each([
    { name: '20 a second', perSecond: 20, burst: 1, times: [0, 50, 100, 150, 200, 250] },
    { name: '20 a second after three at once', perSecond: 20, burst: 3, times: [0, 0, 0, 50, 100, 150] },
  ])('lets requests that come together go one after the other: $name', async ({ perSecond, burst, times }) => {
    const { goes, run } = paced({ perSecond, burst })
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) goes(name)
    expect(await run()).toEqual(times.map((ms, index) => `${'abcdef'[index]} at ${ms}`))
  })

  it('never lets more than the rate and the burst go within a second', async () => {
    const { goes, run } = paced({ perSecond: 20, burst: 5 })
    for (let count = 0; count < 100; count++) goes('x')
    const times = (await run()).map((line) => Number(line.slice(5)))
    const mostInSecond = Math.max(...times.map((from) => times.filter((ms) => ms >= from && ms < from + 1000).length))
    expect(mostInSecond).toBe(24)
    expect(times.at(-1)).toBe((100 - 5) * 50)
  })

  it('keeps nothing of a long rest but the burst', async () => {
    const { goes, run, rest } = paced({ perSecond: 10, burst: 2 })
    goes('a')
    await run()
    rest(60_000)
    for (const name of ['b', 'c', 'd']) goes(name)
    expect(await run()).toEqual(['a at 0', 'b at 60000', 'c at 60000', 'd at 60100'])
  })

  it('makes those wait that come in a pause, and then lets them go one after the other', async () => {
    const { goes, run, paces } = paced({ perSecond: 10, burst: 5 })
    paces.pause(3_000)
    for (const name of ['a', 'b', 'c']) goes(name)
    expect(await run()).toEqual(['a at 3000', 'b at 3100', 'c at 3200'])
  })

  it('takes the turns away from those that wait when a pause begins', async () => {
    const { goes, run, paces } = paced({ perSecond: 10, burst: 1 })
    for (const name of ['a', 'b', 'c']) goes(name)
    paces.pause(150)
    expect((await run()).toSorted()).toEqual(['a at 0', 'b at 150', 'c at 250'])
  })

  it('keeps the longer of two pauses', async () => {
    const { goes, run, paces } = paced({ perSecond: 10, burst: 1 })
    paces.pause(500)
    paces.pause(100)
    goes('a')
    expect(await run()).toEqual(['a at 500'])
  })

  it('ends with the reason of the signal when it is aborted', async () => {
    const { paces } = paced({ perSecond: 1, burst: 1 })
    const aborted = AbortSignal.abort(new RangeError('cancelled'))
    expect(await rejection(paces.turn(aborted))).toBe(aborted.reason)
  })
})

/** A pace with a clock that goes on only when everything waits. */
function paced(rate: { readonly perSecond: number; readonly burst: number }) {
  let nowMs = 0
  const waiting: { readonly atMs: number; readonly wake: () => void }[] = []
  const gone: string[] = []
  const wait: Wait = async (ms) => await new Promise((wake) => waiting.push({ atMs: nowMs + ms, wake }))
  const paces: Pace = pace({ ...rate, wait, clock: () => nowMs })
  return {
    paces,
    goes: (name: string) => void paces.turn(signal).then(() => gone.push(`${name} at ${nowMs}`)),
    rest: (ms: number) => {
      nowMs += ms
    },
    run: async () => {
      for (;;) {
        await setImmediate()
        const next = waiting.toSorted((one, other) => one.atMs - other.atMs)[0]
        if (!next) return gone
        waiting.splice(waiting.indexOf(next), 1)
        nowMs = Math.max(nowMs, next.atMs)
        next.wake()
      }
    },
  }
}
