import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Sanity, startSanity } from '../../doubles/sanity/sanity.ts'
import { makeTempFolder } from '../../support/process.ts'
import { backUp } from '../support.ts'
import { applying, restoreInto } from './support.ts'

const documents = [
  { _id: 'author-a', _type: 'author', _createdAt: '2026-01-01T00:00:00Z', _updatedAt: '2026-01-01T00:00:00Z', _rev: 'r1', name: 'Ada' },
  {
    _id: 'post-1',
    _type: 'post',
    _createdAt: '2026-01-02T00:00:00Z',
    _updatedAt: '2026-01-02T00:00:00Z',
    _rev: 'r2',
    title: 'One',
    author: { _type: 'reference', _ref: 'author-a' },
  },
  {
    _id: 'post-2',
    _type: 'post',
    _createdAt: '2026-01-03T00:00:00Z',
    _updatedAt: '2026-01-03T00:00:00Z',
    _rev: 'r3',
    title: 'Two',
    next: { _type: 'reference', _ref: 'post-1' },
  },
  {
    _id: 'drafts.post-2',
    _type: 'post',
    _createdAt: '2026-01-03T00:00:00Z',
    _updatedAt: '2026-01-04T00:00:00Z',
    _rev: 'r4',
    title: 'Two!',
  },
]

let sanity: Sanity
let temp: Awaited<ReturnType<typeof makeTempFolder>>

beforeAll(async () => {
  temp = await makeTempFolder('restore')
  sanity = await startSanity({ documents })
  await using run = await backUp({ sanity }, { path: temp.path })
  expect(run.code).toBeUndefined()
})

afterAll(async () => {
  await sanity[Symbol.asyncDispose]()
  await temp[Symbol.asyncDispose]()
})

describe('a plan and its application', () => {
  it('says that nothing is to do where nothing has changed', async () => {
    await using run = await restoreInto({ sanity }, { inputs: { path: temp.path } })
    expect(run.outputs).toMatchObject({ status: 'planned', 'unchanged-count': '4', 'create-count': '0', 'blocked-count': '0' })
    expect(run.plan).toEqual([])
  })

  it('brings back what was spoiled, deleted and, as a mirror, takes away what was added', async () => {
    await sanity.edit([
      { patch: { id: 'post-2', set: { title: 'Spoiled' }, unset: ['next'] } },
      { delete: { id: 'post-1' } },
      { delete: { id: 'author-a' } },
      { create: { _id: 'added', _type: 'post', title: 'New' } },
    ])
    await using planned = await restoreInto({ sanity }, { inputs: { path: temp.path, mirror: 'true' } })
    expect(planned.plan).toEqual([
      { action: 'create', id: 'author-a', type: 'author' },
      { action: 'create', id: 'post-1', type: 'post' },
      { action: 'delete', id: 'added', type: 'post' },
      { action: 'replace', id: 'post-2', type: 'post' },
    ])
    const digest = planned.outputs['plan-digest'] ?? ''
    await using run = await restoreInto({ sanity }, { inputs: { path: temp.path, mirror: 'true', ...applying(), 'plan-digest': digest } })
    expect(run.outputs).toMatchObject({ status: 'restored', 'create-count': '2', 'delete-count': '1', 'replace-count': '1' })
    expect(
      sanity
        .store()
        .documents()
        .map(({ _id }) => _id)
        .sort(),
    ).toEqual(['author-a', 'drafts.post-2', 'post-1', 'post-2'])
    expect(sanity.store().find('post-1')).toMatchObject({ _createdAt: '2026-01-02T00:00:00Z', title: 'One' })
    expect(sanity.store().find('drafts.post-2')).toMatchObject({ _rev: 'r4' })
    await using again = await restoreInto({ sanity }, { inputs: { path: temp.path, mirror: 'true', ...applying() } })
    expect(again.outputs).toMatchObject({ status: 'unchanged', 'unchanged-count': '4' })
  })
})

it('documents that lack what Sanity adds come back all the same', async () => {
  const bare = ['a', 'b', 'c'].map((name) => ({ _id: name, _type: 'post', title: name }))
  await using own = await startSanity({ documents: bare, dataset: 'bare' })
  const path = join(temp.path, 'bare')
  await using backup = await backUp({ sanity: own }, { path, inputs: { dataset: 'bare' } })
  expect(backup.code).toBeUndefined()
  own.store().put({ _id: 'a', _type: 'post', title: 'spoiled' })
  await own.edit([{ delete: { id: 'b' } }])
  const inputs = { path, mirror: 'true', ...applying('bare') }
  await using run = await restoreInto({ sanity: own }, { inputs })
  expect(run.outputs).toMatchObject({ status: 'restored', 'create-count': '1', 'replace-count': '1', 'unchanged-count': '1' })
  await using again = await restoreInto({ sanity: own }, { inputs })
  expect(again.outputs['status']).toBe('unchanged')
})

it('what somebody else made of a document that came along is named, and the run is red', async () => {
  const two = [
    { _id: 'a', _type: 'post', next: { _type: 'reference', _ref: 'b' } },
    { _id: 'b', _type: 'post', title: 'As it was' },
  ]
  await using own = await startSanity({ documents: two, dataset: 'along' })
  const path = join(temp.path, 'along')
  await using backup = await backUp({ sanity: own }, { path, inputs: { dataset: 'along' } })
  expect(backup.code).toBeUndefined()
  await own.edit([{ delete: { id: 'a' } }, { delete: { id: 'b' } }])
  own.meanwhile('mutate', async () => await own.edit([{ create: { _id: 'b', _type: 'post', title: 'Theirs' } }]))
  await using run = await restoreInto({ sanity: own }, { inputs: { path, ids: 'a', ...applying('along') } })
  expect(run.code).toBe('restore-failed')
  expect(run.error?.message).toContain('b: somebody made it')
  expect(own.store().find('b')).toMatchObject({ title: 'Theirs' })
})
