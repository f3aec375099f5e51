import { describe, expect, it } from '@jest/globals'
import { countDifferences, isComparable, sameFilters } from '../../../src/format/compare.ts'
import { printManifest } from '../../../src/format/manifest/manifest.ts'
import { parseManifest } from '../../../src/format/manifest/parse-manifest.ts'
import {
  isSealed,
  plainName,
  printDetails,
  recipientsLost,
  sameRecipients,
  sealedName,
  sealManifest,
} from '../../../src/format/manifest/sealed.ts'
import { exampleManifest } from '../../support/example.ts'

const entry = { path: 'details.json.age', sizeBytes: 1, digest: `sha256:${'0'.repeat(64)}` } as const
const seal = (manifest = exampleManifest, recipients: readonly string[] = ['age1ann']) => sealManifest(manifest, recipients, entry)

describe('the manifest of an encrypted snapshot', () => {
  it('holds numbers in the place of lists, and lists the file of details', () => {
    const missing = [{ id: 'image-a', url: 'https://cdn.sanity.io/a', status: 404 }]
    const sealed = seal({ ...exampleManifest, assets: { ...exampleManifest.assets, missing } })
    expect(sealed).toMatchObject({
      documents: { byType: {} },
      assets: { missing: 1 },
      encryption: { format: 'age/v1', recipients: ['age1ann'] },
    })
    expect(sealed.files.at(-1)).toEqual(entry)
    expect(String(printManifest(sealed))).not.toContain('image-a')
  })

  it('can be read back', () => {
    expect(parseManifest(printManifest(seal()))).toEqual(seal())
  })

  it.each([
    { name: 'short ones whole', recipient: `age1${'q'.repeat(58)}`, shown: `age1${'q'.repeat(58)}` },
    { name: 'the beginning of long ones', recipient: `age1pq1${'q'.repeat(1952)}`, shown: `age1pq1${'q'.repeat(25)}…` },
  ])('names its recipients: $name', ({ recipient, shown }) => {
    expect(seal(exampleManifest, [recipient]).encryption?.recipients).toEqual([shown])
  })

  it('is comparable with one in the clear of the same filters, in whatever order, and with no other', () => {
    const { filters } = exampleManifest
    const other = { ...exampleManifest, filters: { ...filters, types: ['post'] } }
    const turned = { ...exampleManifest, filters: { ...filters, excludeIds: filters.excludeIds.toReversed() } }
    expect(isComparable(seal(), exampleManifest)).toBe(true)
    expect(isComparable(exampleManifest, seal(turned))).toBe(true)
    expect(sameFilters(seal().filters, seal(other).filters)).toBe(false)
  })

  it('gives no differences by type, since it tells none', () => {
    expect(countDifferences(seal(), exampleManifest)).toEqual([])
    expect(countDifferences(exampleManifest, seal())).toEqual([])
  })
})

describe('the details', () => {
  it('are the filters, the types and the missing assets', () => {
    const { filters, documents, assets } = exampleManifest
    expect(JSON.parse(String(printDetails(exampleManifest)))).toEqual({ filters, byType: documents.byType, missing: assets.missing })
  })
})

describe('names', () => {
  it('get an ending when they are encrypted, and lose it when they are opened', () => {
    expect(sealedName('data.ndjson.gz')).toBe('data.ndjson.gz.age')
    expect(plainName('data.ndjson.gz.age')).toBe('data.ndjson.gz')
    expect(plainName('data.ndjson.gz')).toBe('data.ndjson.gz')
    expect(['a.age', 'a.gz'].map((path) => isSealed({ path }))).toEqual([true, false])
  })
})

describe('recipients', () => {
  const to = (...recipients: string[]) => (recipients.length === 0 ? exampleManifest : seal(exampleManifest, recipients))

  it.each([
    { one: to('a', 'b'), other: to('b', 'a'), same: true },
    { one: to(), other: to(), same: true },
    { one: to('a'), other: to('a', 'b'), same: false },
    { one: to('a'), other: to(), same: false },
    { one: to(), other: to('a'), same: false },
  ])('are the same or not: $same', ({ one, other, same }) => {
    expect(sameRecipients(one, other)).toBe(same)
  })

  it('that are gone are named', () => {
    expect(recipientsLost(to('a', 'b'), to('b', 'c'))).toEqual(['a'])
  })
})
