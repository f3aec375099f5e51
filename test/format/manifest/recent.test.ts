import { describe, expect, it } from '@jest/globals'
import { recentAfter } from '../../../src/format/manifest/recent.ts'
import { exampleManifest } from '../../support/example.ts'

const plain = (text: string) => text
const entry = (index: number) => ({ snapshot: `s${index}`, takenAt: '2026-11-01T00:00:00Z', documents: index, sizeBytes: index })

describe('the predecessors in a manifest', () => {
  it('are none for the first snapshot', () => {
    expect(recentAfter(undefined, plain)).toEqual([])
  })

  it('begin with the previous snapshot, and go on with those that it names', () => {
    expect(recentAfter({ ...exampleManifest, recent: [entry(1), entry(2)] }, plain)).toEqual([
      { snapshot: 'abc12345-production-20261122T081500Z', takenAt: '2026-11-22T08:15:00Z', documents: 2, sizeBytes: 1234 },
      entry(1),
      entry(2),
    ])
  })

  it('are thirty at most, the newest ones', () => {
    const recent = recentAfter({ ...exampleManifest, recent: Array.from({ length: 40 }, (_, index) => entry(index)) }, plain)
    expect([recent.length, recent.at(-1)?.snapshot]).toEqual([30, 's28'])
  })

  it('have names that do no harm, whoever wrote them', () => {
    const [first] = recentAfter({ ...exampleManifest, snapshot: 'a\n::error::x' }, (text) => text.replace('x', '***'))
    expect(first?.snapshot).toBe('a : :error::***')
  })
})
