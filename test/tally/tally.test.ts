import { describe, expect, it } from '@jest/globals'
import { type Filters, filter } from '../../src/format/manifest/filters.ts'
import { tally } from '../../src/tally/tally.ts'

const everything: Filters = { includeDrafts: true, types: [], excludeTypes: [], excludeIds: [] }
const token = Buffer.from('skTALLYabcdefghijklmnop')

describe('tally', () => {
  const documents = [
    document('a', 'post'),
    document('b', 'page'),
    document('drafts.a', 'post'),
    document('versions.summer.a', 'post'),
    document('secrets.key', 'secret'),
    document('_.releases.summer', 'system.release'),
    document('_.groups.public', 'system.group'),
  ]

  it('counts all that is kept, and what stays out by its reason', () => {
    const { pick, result } = tally({ ...everything, excludeIds: ['secrets.**'] }, token)
    const kept = [...pick(documents.slice(0, 3)), ...pick([]), ...pick(documents.slice(3))]
    const { byType, lacking, untaken, ...counts } = result()
    expect([...lacking, ...untaken]).toEqual([])
    expect(kept.map(idOf)).toEqual(['a', 'b', 'drafts.a', 'versions.summer.a', '_.releases.summer'])
    expect(counts).toEqual({
      count: 5,
      drafts: 1,
      versions: 1,
      excluded: 1,
      draftsLeftOut: 0,
      received: 5,
      damaged: 0,
      unsafeNames: 0,
      holdsToken: false,
      secretTypes: [],
    })
    expect(Object.fromEntries(byType)).toEqual({ post: 3, page: 1, 'system.release': 1 })
  })

  it('counts drafts and versions that are left out', () => {
    const { pick, result } = tally({ ...everything, includeDrafts: false }, token)
    expect(pick(documents).map(idOf)).toEqual(['a', 'b', 'secrets.key'])
    expect(result()).toMatchObject({ count: 3, drafts: 0, versions: 0, draftsLeftOut: 2, received: 5, excluded: 0 })
  })

  it('receives only documents of the wanted types', () => {
    const { pick, result } = tally({ ...everything, types: ['post', 'system.release'] }, token)
    expect(pick(documents).map(idOf)).toEqual(['a', 'drafts.a', 'versions.summer.a', '_.releases.summer'])
    expect(result()).toMatchObject({ count: 4, received: 3 })
  })

  it('receives documents of unwanted types, and leaves them out', () => {
    const { pick, result } = tally({ ...everything, excludeTypes: ['post'] }, token)
    expect(pick(documents).map(idOf)).toEqual(['b', 'secrets.key', '_.releases.summer'])
    expect(result()).toMatchObject({ count: 3, received: 5, excluded: 3 })
  })

  it('gives the very buffers that it was handed', () => {
    const { pick } = tally(everything, token)
    const [first] = documents
    expect(pick(documents)[0]).toBe(first?.bytes)
  })

  it.each([
    { name: 'kept', excludeIds: [], holdsToken: true },
    { name: 'left out', excludeIds: ['leak'], holdsToken: false },
  ])('tells of the token in a document that is $name: $holdsToken', ({ excludeIds, holdsToken }) => {
    const { pick, result } = tally({ ...everything, excludeIds }, token)
    pick([document('leak', 'post', `my token is ${token}.`), document('a', 'post')])
    expect(result().holdsToken).toBe(holdsToken)
  })

  it.each([
    { name: 'of one document by its id', ids: ['mux-keys'], pattern: 'mux-keys' },
    { name: 'of a draft by its published id', ids: ['drafts.mux-keys'], pattern: 'mux-keys' },
    {
      name: 'of a document, its draft and a version by one id',
      ids: ['keys.mux', 'drafts.keys.mux', 'versions.r.keys.mux'],
      pattern: 'keys.mux',
    },
    { name: 'of several in one place by that place', ids: ['keys.mux', 'keys.map.x', 'drafts.keys.y'], pattern: 'keys.**' },
    { name: 'of several in several places by none', ids: ['keys.mux', 'other.mux', 'keys.map'], pattern: undefined },
    { name: 'of several at the root by none', ids: ['a', 'b'], pattern: undefined },
    { name: 'of an id that is no pattern by none', ids: ['a/b'], pattern: undefined },
  ])('tells a kept type that looks like a secret, $name', ({ ids, pattern }) => {
    const { pick, result } = tally({ ...everything, excludeIds: ['left.**'] }, token)
    pick([document('left.out', 'leftSecret'), document('a', 'post')])
    pick(ids.map((id) => document(id, 'mux.apiKey')))
    expect(result().secretTypes).toEqual([{ type: 'mux.apiKey', count: ids.length, pattern }])
    const left = filter({ ...everything, excludeIds: [pattern ?? 'nothing'] })
    expect(ids.map((id) => left({ id, type: 'mux.apiKey' }) === 'excluded')).toEqual(ids.map(() => pattern !== undefined))
  })

  it('counts asset documents that the stock importer does not take, by what they lack, and only those that are kept', () => {
    const { pick, result } = tally({ ...everything, excludeIds: ['left-out'] }, token)
    pick(['a', 'b', 'left-out'].map((id) => document(id, 'sanity.fileAsset')))
    pick([document('c', 'post'), document('d', 'sanity.imageAsset')])
    expect(Object.fromEntries(result().lacking)).toEqual({ assetId: 3 })
  })

  it('counts documents of assets apart to which nobody can give what they lack', () => {
    const { pick, result } = tally({ ...everything, excludeIds: ['left-out'] }, token)
    pick(['a', 'b', 'left-out'].map((id) => document(id, 'sanity.videoAsset')))
    pick([document('c', 'sanity.audioAsset'), document('d', 'sanity.fileAsset')])
    expect(Object.fromEntries(result().untaken)).toEqual({ 'sanity.videoAsset': 2, 'sanity.audioAsset': 1 })
    expect(Object.fromEntries(result().lacking)).toEqual({ assetId: 1 })
  })

  it('counts a document once whose type and id are no names everywhere', () => {
    const { pick, result } = tally(everything, token)
    pick([document('nul', 'aux'), document('a', 'aux'), document('con', 'post'), document('a2', 'post')])
    expect(result().unsafeNames).toBe(3)
  })

  it('counts types whose names objects inherit', () => {
    const { pick, result } = tally(everything, token)
    pick([document('a', '__proto__'), document('b', 'constructor'), document('c', '__proto__')])
    expect([...result().byType]).toEqual([
      ['__proto__', 2],
      ['constructor', 1],
    ])
  })
})

function document(id: string, type: string, text = '') {
  return { id, type, bytes: Buffer.from(JSON.stringify({ _id: id, _type: type, text })) }
}

function idOf(line: Buffer): string {
  return (JSON.parse(String(line)) as { _id: string })._id
}
