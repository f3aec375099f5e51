import { describe, expect, it } from '@jest/globals'
import { skewWatch } from '../../src/sanity/clock-skew.ts'

const now = new Date('2026-11-22T08:15:00Z')

describe('the clock of the runner', () => {
  it.each([
    { name: 'ten minutes behind', date: 'Sun, 22 Nov 2026 08:25:00 GMT', warns: [expect.stringContaining('behind')] },
    { name: 'ten minutes ahead', date: 'Sun, 22 Nov 2026 08:05:00 GMT', warns: [expect.stringContaining('ahead of')] },
    { name: 'two minutes behind', date: 'Sun, 22 Nov 2026 08:17:00 GMT', warns: [] },
    { name: 'compared with no date', date: 'soon', warns: [] },
    { name: 'compared with nothing', date: undefined, warns: [] },
  ])('is warned of once at most when it is $name', ({ date, warns }) => {
    const warnings: string[] = []
    const watch = skewWatch({ now: () => now, warn: (line) => void warnings.push(line) })
    for (let answer = 0; answer < 2; answer++) watch(date)
    expect(warnings).toEqual(warns)
  })
})
