import { describe, expect, it } from '@jest/globals'
import { makeCatalog } from '../../../src/restore/plan/catalog.ts'
import { isAsset, lookAt } from '../../../src/restore/plan/look.ts'

const hash = 'a'.repeat(40)
const imageId = `image-${hash}-1x1-png`

type Sides = { readonly was: Record<string, unknown>; readonly is: Record<string, unknown>; readonly sameDataset?: boolean }

function isSame({ was, is, sameDataset = true }: Sides): boolean {
  const rules = { sameDataset, newIds: new Map([['old', 'new']]) }
  const catalog = makeCatalog()
  for (const [side, document] of [
    ['snapshot', was],
    ['target', is],
  ] as const) {
    const bytes = Buffer.from(JSON.stringify(document))
    catalog.note(side, { ...lookAt({ id: String(document['_id']), type: String(document['_type']), bytes }, side, rules), id: 'same' })
  }
  return catalog.isSame(catalog.numberFor('same'))
}

const post = (more: object) => ({ _id: 'a', _type: 'post', ...more })
const image = (more: object) => ({ _id: imageId, _type: 'sanity.imageAsset', ...more })
const release = (more: object) => ({ _id: '_.releases.r', _type: 'system.release', name: 'r', ...more })

describe('equal (contract 2.4.1)', () => {
  it.each<Sides & { what: string }>([
    {
      what: 'but for what Sanity writes',
      was: post({ _rev: '1', _updatedAt: 'x' }),
      is: post({ _rev: '2', _updatedAt: 'y', _system: { a: 1 } }),
    },
    {
      what: 'where the server says when it was made, and the snapshot does not',
      was: post({}),
      is: post({ _createdAt: '2026-01-01T00:00:00Z' }),
    },
    { what: 'with the new id of an asset', was: post({ to: { _ref: 'old' } }), is: post({ to: { _ref: 'new' } }) },
    {
      what: 'an asset that was uploaded again',
      was: image({ uploadId: '1', _createdAt: 'x' }),
      is: image({ uploadId: '2', _createdAt: 'y' }),
    },
    { what: 'an asset in another place', was: image({ url: '1', path: 'x' }), is: image({ url: '2', path: 'y' }), sameDataset: false },
    {
      what: 'a release that was scheduled',
      was: release({ state: 'scheduled', publishAt: 'x' }),
      is: release({ state: 'active', _createdAt: 'y' }),
    },
  ])('$what', (sides) => {
    expect(isSame(sides)).toBe(true)
  })
})

describe('not equal', () => {
  it.each<Sides & { what: string }>([
    { what: 'when it was made', was: post({ _createdAt: '2026-01-01T00:00:00Z' }), is: post({ _createdAt: '2026-01-01T00:00:01Z' }) },
    { what: 'another type', was: post({}), is: post({ _type: 'page' }) },
    { what: 'what Sanity writes, further inside', was: post({ in: { _rev: '1' } }), is: post({ in: { _rev: '2' } }) },
    { what: 'an old id that is still there', was: post({ to: { _ref: 'new' } }), is: post({ to: { _ref: 'old' } }) },
    { what: 'a document that is no asset, by its place', was: post({ url: '1' }), is: post({ url: '2' }), sameDataset: false },
    { what: 'an asset in another place of the same dataset', was: image({ url: '1' }), is: image({ url: '2' }) },
    { what: 'what was written about an asset', was: image({ title: '1' }), is: image({ title: '2' }), sameDataset: false },
    { what: 'what a release is about', was: release({ metadata: { title: '1' } }), is: release({ metadata: { title: '2' } }) },
  ])('$what', (sides) => {
    expect(isSame(sides)).toBe(false)
  })
})

it.each([
  { id: imageId, type: 'sanity.imageAsset', is: true },
  { id: `file-${hash}-pdf`, type: 'sanity.fileAsset', is: true },
  { id: `drafts.${imageId}`, type: 'sanity.imageAsset', is: false },
  { id: `versions.r.${imageId}`, type: 'sanity.imageAsset', is: false },
  { id: imageId, type: 'post', is: false },
  { id: 'by-hand', type: 'sanity.imageAsset', is: false },
])('$id of type $type is an asset that can be uploaded: $is', ({ id, type, is }) => {
  expect(isAsset({ id, type })).toBe(is)
})
