import { describe, expect, it } from '@jest/globals'
import { mendAsset } from '../../../src/restore/mutations/mend.ts'

const id = `image-${'a'.repeat(40)}-1x1-png`
const asset = {
  _id: id,
  _type: 'sanity.imageAsset',
  _rev: 'now',
  _createdAt: 'new',
  _updatedAt: 'u',
  uploadId: 'mine',
  url: 'here',
  path: 'p',
}
const lineOf = (document: object) => Buffer.from(JSON.stringify(document))

type Case = {
  readonly was: object
  readonly is: object
  readonly sameDataset?: boolean
  readonly isNew?: boolean
}

function patchFor({ was, is, sameDataset = true, isNew = false }: Case): unknown {
  const line = lineOf({ ...asset, _rev: 'old', _createdAt: 'old', uploadId: 'theirs', ...was })
  const mutations = mendAsset({ id, line, now: lineOf({ ...asset, ...is }), sameDataset, isNew })
  return mutations.map((mutation) => (JSON.parse(mutation.toString()) as { patch: unknown }).patch)
}

const head = { id, ifRevisionID: 'now' }

describe('the document of an asset', () => {
  it.each<Case & { what: string; patch: object[] }>([
    { what: 'that is the same', was: { title: 'T' }, is: { title: 'T' }, patch: [] },
    { what: 'that is only spelled otherwise', was: { m: { a: 1, b: 1.5 } }, is: { m: { b: 1.5, a: 1 } }, patch: [] },
    {
      what: 'that lacks something',
      was: { title: 'T', opt: { x: [1] } },
      is: {},
      patch: [{ ...head, set: { title: 'T', opt: { x: [1] } } }],
    },
    {
      what: 'that has more',
      was: {},
      is: { altText: 'A', 'a b': 1, "it's": 2 },
      patch: [{ ...head, unset: ['altText', "['a b']", "['it\\'s']"] }],
    },
    {
      what: 'that was changed',
      was: { title: 'T' },
      is: { title: 'U', note: 1 },
      patch: [{ ...head, unset: ['note'], set: { title: 'T' } }],
    },
    {
      what: 'with a name that looks like a path',
      was: { 'opt.media': 'A' },
      is: { opt: { media: 'B' } },
      patch: [{ ...head, unset: ['opt'], set: { "['opt.media']": 'A' } }],
    },
    { what: 'whose place is another', was: { url: 'there', path: 'q' }, is: {}, sameDataset: false, patch: [] },
    {
      what: 'that has another id',
      was: { _id: 'old', sha1hash: 'x', assetId: 'x', size: 1, url: 'there', path: 'q', title: 'T' },
      is: { sha1hash: 'y', assetId: 'y', size: 2 },
      isNew: true,
      sameDataset: false,
      patch: [{ ...head, set: { title: 'T' } }],
    },
  ])('$what', ({ patch, ...given }) => {
    expect(patchFor(given)).toEqual(patch)
  })

  it('keeps the digits of the snapshot', () => {
    const line = Buffer.from(`{"_id":"${id}","_type":"sanity.imageAsset","n":12345678901234567891}`)
    const mutations = mendAsset({ id, line, now: lineOf(asset), sameDataset: true, isNew: false })
    expect(Buffer.concat(mutations).toString()).toContain('"set":{"n":12345678901234567891}')
  })
})
