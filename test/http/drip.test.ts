import { describe, expect, it } from '@jest/globals'
import { dripWatch } from '../../src/http/drip.ts'

const drip = { windowMs: 60_000, leastBytes: 6_000 }

describe('a stream', () => {
  it.each([
    { name: 'a byte every two seconds', bytes: 1, everyMs: 2_000, forMs: 600_000, words: 'less than 6000 bytes came in 60 s' },
    { name: '490 bytes every five seconds', bytes: 490, everyMs: 5_000, forMs: 600_000, words: 'less than 6000 bytes came in 60 s' },
    { name: 'a byte every eleven seconds', bytes: 1, everyMs: 11_000, forMs: 660_000, words: 'less than 6000 bytes came in 600 s' },
  ])('is too slow that brings $name', ({ bytes, everyMs, forMs, words }) => {
    expect(watched({ bytes, everyMs, forMs })).toBe(words)
  })

  it.each([
    { name: '600 bytes every five seconds', bytes: 600, everyMs: 5_000, forMs: 1_200_000 },
    { name: 'much between long silences', bytes: 100_000, everyMs: 170_000, forMs: 1_200_000 },
    { name: 'a byte every two seconds, for less than a window', bytes: 1, everyMs: 2_000, forMs: 58_000 },
    { name: 'a byte every eleven seconds, for less than ten windows', bytes: 1, everyMs: 11_000, forMs: 580_000 },
  ])('is waited for that brings $name', (sent) => {
    expect(watched(sent)).toBeUndefined()
  })

  it('may be slow again after it was fast, for one window', () => {
    let nowMs = 0
    const findDrip = dripWatch(drip, () => nowMs)
    const found: (string | undefined)[] = []
    const send = (bytes: number, times: number) => {
      for (let sent = 0; sent < times; sent++) {
        nowMs += 2_000
        found.push(findDrip(bytes))
      }
    }
    send(1_000, 60)
    send(1, 25)
    expect(new Set(found)).toEqual(new Set([undefined]))
    send(1, 10)
    expect(found.at(-1)).toBe('less than 6000 bytes came in 60 s')
  })
})

/** What is first said of a stream that comes so regularly; undefined if nothing is. */
function watched({ bytes, everyMs, forMs }: { bytes: number; everyMs: number; forMs: number }): string | undefined {
  let nowMs = 0
  const findDrip = dripWatch(drip, () => nowMs)
  for (; nowMs < forMs; ) {
    nowMs += everyMs
    const words = findDrip(bytes)
    if (words !== undefined) return words
  }
  return undefined
}
