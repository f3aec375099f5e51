import { describe, expect, it } from '@jest/globals'
import { findExpiresSoon, findTooOld } from '../../../src/format/findings/age-findings.ts'

const takenAt = '2026-11-22T08:00:00Z'
const day = (count: number) => new Date(Date.parse(takenAt) + count * 86_400_000)
const recent = [1, 2, 3].map((ago) => ({ snapshot: 's', takenAt: day(-ago).toISOString(), documents: 1, sizeBytes: 1 }))

describe('findTooOld', () => {
  it.each([
    { age: 'as old as it may be', now: day(1), kind: undefined },
    { age: 'older', now: new Date(day(1).getTime() + 1), kind: 'too-old' },
    { age: 'from the future', now: day(-1), kind: undefined },
  ])('gives $kind for a snapshot that is $age', ({ now, kind }) => {
    expect(findTooOld({ takenAt }, { maxAgeHours: 24, now })?.kind).toBe(kind)
  })
})

describe('findExpiresSoon', () => {
  it.each([
    { name: 'one that outlives two more', taken: { takenAt, recent }, keptUntil: day(2), now: day(0), kind: undefined },
    { name: 'one that ends before', taken: { takenAt, recent }, keptUntil: day(1.9), now: day(0), kind: 'expires-soon' },
    { name: 'the last of a schedule that stopped', taken: { takenAt, recent }, keptUntil: day(9), now: day(9), kind: 'expires-soon' },
    { name: 'one that stands alone', taken: { takenAt }, keptUntil: day(0), now: day(0), kind: undefined },
  ])('gives $kind for $name', ({ taken, keptUntil, now, kind }) => {
    expect(findExpiresSoon(taken, { keptUntil, now })?.kind).toBe(kind)
  })
})
