import { describe, expect, it } from '@jest/globals'
import { firstError, held, mutate, strong } from '../calls.ts'
import { startSanity } from '../sanity.ts'

const both = [{ referenceCheck: 'end' }, { referenceCheck: 'each' }] as const

const a = { _id: 'a', _type: 'post' }
const b = { _id: 'b', _type: 'author' }
const toB = { ...a, author: strong('b') }

describe.each(both)('strong references, checked at the $referenceCheck', ({ referenceCheck }) => {
  const rules = { referenceCheck }

  it('refuses a document that refers to nothing', async () => {
    await using sanity = await startSanity({ rules })
    const told = await mutate(sanity, [{ create: b }, { create: { ...a, editor: strong('c') } }])
    expect(firstError(told)).toEqual({ status: 409, type: 'documentReferenceDoesNotExistError', id: 'a', referenceID: 'c' })
    expect(told.body.error?.items?.[0]?.index).toBe(1)
    expect(sanity.store().documents()).toEqual([])
  })

  it.each([
    { what: 'a delete', mutations: [{ delete: { id: 'b' } }] },
    { what: 'a change of the type', mutations: [{ createOrReplace: { _id: 'b', _type: 'person' } }] },
  ])('refuses $what of a document that others refer to, and names them', async ({ mutations }) => {
    const other = { _id: 'drafts.x', _type: 'post', list: [{ deep: strong('b') }] }
    await using sanity = await startSanity({ rules, documents: [toB, b, other] })
    expect(firstError(await mutate(sanity, mutations))).toEqual({
      status: 409,
      type: 'documentHasExistingReferencesError',
      id: 'b',
      referencingIDs: ['a', 'drafts.x'],
    })
    expect(held(sanity, 'b')).toEqual(b)
  })

  it.each([
    { what: 'weak', reference: { ...strong('gone'), _weak: true } },
    { what: 'to the media library', reference: { _type: 'globalDocumentReference', _ref: 'media-library:ml:x' } },
    { what: 'to an existing document', reference: strong('b') },
    { what: 'to itself', reference: strong('a') },
  ])('lets a reference pass that is $what', async ({ reference }) => {
    await using sanity = await startSanity({ rules, documents: [b] })
    expect(await mutate(sanity, [{ create: { ...a, reference } }])).toMatchObject({ status: 200 })
  })

  it('knows the references of documents that were replaced, patched and deleted', async () => {
    await using sanity = await startSanity({ rules, documents: [toB, b, { ...toB, _id: 'c' }, { ...toB, _id: 'd' }] })
    const freed = [{ createOrReplace: a }, { patch: { id: 'c', set: { 'author._weak': true } } }, { delete: { id: 'd' } }]
    expect(await mutate(sanity, [...freed, { delete: { id: 'b' } }])).toMatchObject({ status: 200 })
    expect(sanity.store().documents()).toHaveLength(2)
    expect(firstError(await mutate(sanity, [{ patch: { id: 'c', unset: ['author._weak'] } }]))).toMatchObject({ referenceID: 'b' })
  })

  it('checks a reference into another dataset unless told to skip it', async () => {
    const projects = { abc12345: { library: { documents: [b] } } }
    await using sanity = await startSanity({ rules, projects })
    const foreign = (id: string) => [{ createOrReplace: { ...a, author: { ...strong(id), _dataset: 'library', _projectId: 'abc12345' } } }]
    expect(await mutate(sanity, foreign('b'))).toMatchObject({ status: 200 })
    expect(firstError(await mutate(sanity, foreign('gone')))).toMatchObject({ status: 409, referenceID: 'gone' })
    const query = { skipCrossDatasetReferenceValidation: 'true' }
    expect(await mutate(sanity, foreign('gone'), { query })).toMatchObject({ status: 200 })
  })

  it('takes cycles as stubs and then whole, and gives them up the same way', async () => {
    await using sanity = await startSanity({ rules })
    const whole = [toB, { ...b, best: strong('a') }]
    const stubs = whole.map(({ _id, _type }) => ({ _id, _type }))
    const making = [...stubs.map((stub) => ({ create: stub })), ...whole.map((document) => ({ createOrReplace: document }))]
    expect(await mutate(sanity, making)).toMatchObject({ status: 200 })
    expect(sanity.store().documents()).toMatchObject(whole)
    const ending = [...stubs.map((stub) => ({ createOrReplace: stub })), ...stubs.map(({ _id }) => ({ delete: { id: _id } }))]
    expect(await mutate(sanity, ending)).toMatchObject({ status: 200 })
    expect(sanity.store().documents()).toEqual([])
  })

  it('takes a change of the type between stubs of those that refer to it', async () => {
    await using sanity = await startSanity({ rules, documents: [toB, b] })
    const renamed = [{ createOrReplace: a }, { delete: { id: 'b' } }, { create: { _id: 'b', _type: 'person' } }, { createOrReplace: toB }]
    expect(await mutate(sanity, renamed)).toMatchObject({ status: 200 })
    expect(held(sanity, 'b')).toMatchObject({ _type: 'person' })
  })
})

describe('the order of reference checks', () => {
  it.each([
    { what: 'a target made later', documents: [], mutations: [{ create: toB }, { create: b }] },
    { what: 'a referrer deleted later', documents: [toB, b], mutations: [{ delete: { id: 'b' } }, { delete: { id: 'a' } }] },
    {
      what: 'a document that refers to itself deleted',
      documents: [{ ...a, self: strong('a') }],
      mutations: [{ delete: { id: 'a' } }],
    },
  ])('shows itself by $what, in a dry run too', async ({ documents, mutations }) => {
    const statuses = []
    for (const rules of both) {
      await using sanity = await startSanity({ rules, documents })
      statuses.push((await mutate(sanity, mutations, { query: { dryRun: 'true' } })).status)
      expect(sanity.store().documents()).toEqual(documents)
      statuses.push((await mutate(sanity, mutations)).status)
    }
    expect(statuses).toEqual([200, 200, 409, 409])
  })
})

it('refuses foreign keys in a reference', async () => {
  await using sanity = await startSanity({ documents: [b] })
  const told = await mutate(sanity, [{ create: { ...a, author: { ...strong('b'), content: [] } } }])
  expect(told).toMatchObject({ status: 400, body: { error: { items: [{ error: { type: 'validationError' } }] } } })
  expect(JSON.stringify(told.body)).toContain('Key \\"content\\" not allowed in ref')
})
