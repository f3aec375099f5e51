import { describe, expect, it } from '@jest/globals'
import { chartOfBackups } from '../../../src/report/backup/chart.ts'

/** Nights, the newest first, up to 28 November. */
function nights(counts: readonly number[], everyHours = 24) {
  const last = Date.parse('2026-11-28T02:00:00Z')
  return counts.map((documents, index) => ({ documents, takenAt: new Date(last - index * everyHours * 3_600_000).toISOString() }))
}

const lineOf = (chart: string | undefined, start: string) =>
  chart
    ?.split('\n')
    .find((line) => line.trim().startsWith(start))
    ?.trim()

describe('the picture of the last backups', () => {
  it('has the oldest first and the newest last, with the day of each', () => {
    const chart = chartOfBackups(nights([5439, 5496, 5470]))
    expect(chart?.split('\n')[2]).toBe('xychart-beta')
    expect(lineOf(chart, 'title')).toBe('title "Documents in the last 3 backups"')
    expect(lineOf(chart, 'x-axis')).toBe('x-axis ["26 Nov", "27", "28 Nov"]')
    expect(lineOf(chart, 'bar')).toBe('bar [5470, 5496, 5439]')
  })

  it('is left out for fewer than three', () => {
    expect(chartOfBackups(nights([1, 2]))).toBeUndefined()
  })

  it('shows fourteen at most', () => {
    const chart = chartOfBackups(nights(Array.from({ length: 31 }, (_, index) => 100 - index)))
    expect(lineOf(chart, 'bar')?.match(/\d+/g)).toEqual(Array.from({ length: 14 }, (_, index) => String(87 + index)))
  })

  it.each([
    { name: 'nights', everyHours: 24 },
    { name: 'hours', everyHours: 1 },
    { name: 'weeks', everyHours: 7 * 24 },
    { name: 'months', everyHours: 30 * 24 },
    { name: 'years', everyHours: 365 * 24 },
  ])('has no label twice: $name', ({ everyHours }) => {
    const chart = chartOfBackups(
      nights(
        Array.from({ length: 14 }, () => 5),
        everyHours,
      ),
    )
    const labels = lineOf(chart, 'x-axis')?.match(/"[^"]+"/g) ?? []
    expect([labels.length, new Set(labels).size]).toEqual([14, 14])
  })

  it.each([
    { name: 'small changes', counts: [5439, 5496, 5310], axis: '5124 --> 5543' },
    { name: 'large changes', counts: [100, 5496, 5310], axis: '0 --> 5771' },
    { name: 'no changes', counts: [7, 7, 7], axis: '0 --> 8' },
    { name: 'nothing at all', counts: [0, 0, 0], axis: '0 --> 2' },
  ])('has an axis that shows $name', ({ counts, axis }) => {
    expect(lineOf(chartOfBackups(nights(counts)), 'y-axis')).toBe(`y-axis "documents" ${axis}`)
  })
})
