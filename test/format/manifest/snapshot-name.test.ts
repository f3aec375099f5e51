import { describe, expect, it } from '@jest/globals'
import { isoSeconds, labelRule, snapshotName } from '../../../src/format/manifest/snapshot-name.ts'

const takenAt = new Date('2026-11-22T08:15:00.999Z')

describe('snapshotName', () => {
  it.each([
    { label: null, shard: null, name: 'abc12345-production-20261122T081500Z' },
    { label: 'pre-deploy', shard: null, name: 'abc12345-production-20261122T081500Z-pre-deploy' },
    { label: null, shard: { index: 2, of: 8 }, name: 'abc12345-production-20261122T081500Z-shard-2-of-8' },
    { label: 'pre-deploy', shard: { index: 1, of: 1 }, name: 'abc12345-production-20261122T081500Z-pre-deploy-shard-1-of-1' },
  ])('is $name', ({ label, shard, name }) => {
    expect(snapshotName({ projectId: 'abc12345', dataset: 'production', takenAt, label, shard })).toBe(name)
  })
})

describe('isoSeconds', () => {
  it('cuts off what is below a second, and never rounds up', () => {
    expect(isoSeconds(takenAt)).toBe('2026-11-22T08:15:00Z')
  })
})

describe('labelRule', () => {
  it.each([
    { label: 'a', ok: true },
    { label: 'v1.2_pre-deploy', ok: true },
    { label: 'x'.repeat(64), ok: true },
    { label: 'x'.repeat(65), ok: false },
    { label: 'x.partial', ok: false },
    { label: '.partial', ok: false },
    { label: 'partial', ok: true },
    { label: 'x.partial-1', ok: true },
    { label: '', ok: false },
    { label: 'a b', ok: false },
    { label: '../x', ok: false },
    { label: 'a\n', ok: false },
    { label: 'ü', ok: false },
  ])('takes "$label": $ok', ({ label, ok }) => {
    expect(labelRule.test(label)).toBe(ok)
  })
})
