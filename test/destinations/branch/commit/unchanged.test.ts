import { describe, expect, it } from '@jest/globals'
import { needsNewManifest } from '../../../../src/destinations/branch/commit/unchanged.ts'
import type { Manifest } from '../../../../src/format/manifest/manifest.ts'
import { exampleManifest } from '../../../support/example.ts'

describe('needsNewManifest', () => {
  const { documents, assets, filters } = exampleManifest
  const days = (count: number) => new Date(Date.parse(exampleManifest.takenAt) + count * 86_400_000).toISOString()

  it.each([
    { name: 'is the same', there: {}, expected: false },
    { name: 'is 6.9 days old', there: { takenAt: days(-6.9) }, expected: false },
    { name: 'is 7.1 days old', there: { takenAt: days(-7.1) }, expected: true },
    { name: 'is newer, from a clock that is ahead', there: { takenAt: days(9) }, expected: false },
    { name: 'has a label, where now there is none', there: { label: 'old' }, expected: false },
    { name: 'was made outside a workflow', there: { run: null }, expected: true },
    { name: 'does not know what the token may read', there: { access: { fullRead: null } }, expected: false },
    { name: 'says more', there: { future: { a: 1 } }, expected: false },
    { name: 'has other filters', there: { filters: { ...filters, types: ['post'] } }, expected: true },
    { name: 'has no filters', there: { filters: undefined }, expected: true },
    {
      name: 'counts its filters only',
      there: { filters: { ...filters, types: 0, excludeTypes: 0, excludeIds: 1, digest: 'x' } },
      expected: true,
    },
    { name: 'counts no drafts', there: { documents: { ...documents, drafts: undefined } }, expected: true },
    { name: 'counts its missing assets only', there: { assets: { ...assets, missing: 0 } }, expected: true },
    { name: 'says nothing of assets', there: { assets: null }, expected: true },
  ])('$expected: the manifest that lies there $name', ({ there, expected }) => {
    expect(needsNewManifest(exampleManifest, { ...exampleManifest, ...there } as Manifest)).toBe(expected)
  })

  it('is true for a label that is not there yet', () => {
    expect(needsNewManifest({ ...exampleManifest, label: 'pre-deploy' }, exampleManifest)).toBe(true)
    expect(needsNewManifest({ ...exampleManifest, label: 'pre-deploy' }, { ...exampleManifest, label: 'pre-deploy' })).toBe(false)
  })
})
