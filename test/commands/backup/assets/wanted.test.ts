import { describe, expect, it } from '@jest/globals'
import { leavesOutAll, wantedFinder } from '../../../../src/commands/backup/assets/wanted.ts'
import type { Filters } from '../../../../src/format/manifest/filters.ts'
import type { Shard } from '../../../../src/format/manifest/shard.ts'
import { isInShard } from '../../../../src/format/manifest/shard.ts'

const source = { projectId: 'abc12345', dataset: 'production', apiHost: new URL('https://api.sanity.io'), apiVersion: '2025-02-19' }
const everything: Filters = { includeDrafts: true, types: [], excludeTypes: [], excludeIds: [] }
const sha1 = '0a'.repeat(20)
const id = `image-${sha1}-1x1-png`
const url = `https://cdn.sanity.io/images/abc12345/production/${sha1}-1x1.png`

type Surroundings = { readonly filters?: Filters; readonly shard?: Shard | null; readonly secret?: string }

function find(document: Record<string, unknown>, { filters = everything, shard = null, secret = '' }: Surroundings = {}) {
  const clean = (text: string) => (secret === '' ? text : text.replaceAll(secret, '***'))
  const { _id, _type } = { _id: id, _type: 'sanity.imageAsset', ...document }
  const bytes = Buffer.from(JSON.stringify({ _id, _type, url, ...document }))
  return wantedFinder({ source, filters, shard, clean })({ id: String(_id), type: String(_type), bytes })
}

describe('the asset of a document', () => {
  it('is one of Sanity’s two types, and passes the filters', () => {
    expect(find({})).toMatchObject({ name: { path: `assets/images/${sha1}-1x1.png` }, url })
    expect(find({ _type: 'post' })).toBeUndefined()
    expect(find({}, { filters: { ...everything, excludeTypes: ['sanity.imageAsset'] } })).toBeUndefined()
    expect(find({ _id: `drafts.${id}` }, { filters: { ...everything, includeDrafts: false } })).toBeUndefined()
  })

  it('belongs to one shard', () => {
    const shards = [1, 2, 3].map((index) => ({ index, of: 3 }))
    expect(shards.filter((shard) => find({}, { shard }) !== undefined)).toEqual(shards.filter((shard) => isInShard(id, shard)))
  })

  it.each([
    { what: 'an id made by hand and no path', document: { _id: 'logo', url: 'https://example.com/logo.png' } },
    { what: 'the token in its id', document: {}, secret: sha1 },
  ])('has no name with $what', ({ document, secret = '' }) => {
    expect(find(document, { secret })).toMatchObject({ kind: 'missing', lack: 'name' })
  })

  it.each([
    { size: 12, expected: 12 },
    { size: -1, expected: undefined },
    { size: 1.5, expected: undefined },
    { size: '12', expected: undefined },
  ])('has the size that its document says, if that can be one: $size', ({ size, expected }) => {
    expect(find({ size })).toHaveProperty('sizeBytes', expected)
  })

  it('is proven by the SHA-1 in its document only if its name holds none', () => {
    const sha1hash = '0b'.repeat(20)
    expect(find({ sha1hash })).toHaveProperty('sha1hash', undefined)
    expect(find({ _id: `image-${'Zz9'.repeat(8)}-1x1-png`, sha1hash })).toHaveProperty('sha1hash', sha1hash)
    expect(find({ _id: `image-${'Zz9'.repeat(8)}-1x1-png`, sha1hash: 'x' })).toHaveProperty('sha1hash', undefined)
  })
})

it.each([
  { filters: everything, all: false },
  { filters: { ...everything, types: ['post'] }, all: true },
  { filters: { ...everything, excludeTypes: ['sanity.imageAsset'] }, all: false },
  { filters: { ...everything, excludeTypes: ['sanity.imageAsset', 'sanity.fileAsset'] }, all: true },
])('knows filters that leave out every asset: $filters', ({ filters, all }) => {
  expect(leavesOutAll(filters)).toBe(all)
})
