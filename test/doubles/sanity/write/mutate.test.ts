import { describe, expect, it } from '@jest/globals'
import { runPeer } from '../../../support/process.ts'
import { ask, firstError, held, mutate } from '../calls.ts'
import { startSanity } from '../sanity.ts'

const a = { _id: 'a', _type: 'post' }
const old = { ...a, _rev: 'first', _createdAt: '2020-01-01T00:00:00Z', _updatedAt: '2020-01-02T00:00:00Z' }

describe('transactions', () => {
  it('give their id to all documents that they write', async () => {
    await using sanity = await startSanity()
    const mutations = [{ create: { ...a, _rev: 'mine' } }, { createOrReplace: { _id: 'b', _type: 'post' } }]
    await mutate(sanity, mutations, { members: { transactionId: 't1' } })
    expect(sanity.store().documents()).toMatchObject([{ _rev: 't1' }, { _rev: 't1' }])
    const { transactionId } = (await mutate(sanity, [{ patch: { id: 'a', set: { x: 1 } } }])).body
    expect(held(sanity, 'a')).toMatchObject({ _rev: transactionId, x: 1 })
  })

  it('are refused when their id comes again, before anything else is looked at', async () => {
    await using sanity = await startSanity()
    const send = async () => await mutate(sanity, [{ create: a }], { members: { transactionId: 't1' } })
    expect(await send()).toMatchObject({ status: 200 })
    expect(firstError(await send())).toEqual({ status: 409, type: 'transactionAlreadyExistsError' })
  })

  it.each(['one that failed', 'a dry run'])('may use the id of %s again', async (which) => {
    await using sanity = await startSanity()
    const members = { transactionId: 't1' }
    const query: Record<string, string> = which === 'a dry run' ? { dryRun: 'true' } : {}
    await mutate(sanity, which === 'a dry run' ? [{ create: a }] : [{ patch: { id: 'none' } }], { members, query })
    expect(await mutate(sanity, [{ create: a }], { members })).toMatchObject({ status: 200 })
  })

  it('keep the times that they are given, or make their own when told so', async () => {
    await using keeps = await startSanity()
    await mutate(keeps, [{ createOrReplace: old }])
    expect(held(keeps, 'a')).toMatchObject({ _createdAt: old._createdAt, _updatedAt: old._updatedAt })
    await using makes = await startSanity({ rules: { updatedAt: 'now' } })
    await mutate(makes, [{ createOrReplace: old }])
    expect(held(makes, 'a')).toMatchObject({
      _createdAt: old._createdAt,
      _updatedAt: expect.stringMatching(/^20[2-9]\d-(?!01-02T00:00:00Z)/),
    })
    expect(held(makes, 'a')?.['_updatedAt']).not.toBe(old._updatedAt)
  })

  it('name both revisions when a lock does not hold, and write nothing', async () => {
    await using sanity = await startSanity({ documents: [old] })
    const locked = [{ create: { _id: 'b', _type: 'post' } }, { patch: { id: 'a', ifRevisionID: 'second', unset: ['_lock'] } }]
    const expected = { id: 'a', currentRevisionID: 'first', expectedRevisionID: 'second' }
    expect(firstError(await mutate(sanity, locked))).toEqual({ status: 409, type: 'documentRevisionIDDoesNotMatchError', ...expected })
    expect(sanity.store().documents()).toEqual([old])
  })

  it('tell one result for the lock and one for the replacement', async () => {
    await using sanity = await startSanity({ documents: [old] })
    const told = await mutate(sanity, [{ patch: { id: 'a', ifRevisionID: 'first', unset: ['_lock'] } }, { createOrReplace: old }])
    expect(told.body.results).toEqual([
      { id: 'a', operation: 'update' },
      { id: 'a', operation: 'update' },
    ])
    expect(held(sanity, 'a')).toMatchObject({ _updatedAt: old._updatedAt, _rev: told.body.transactionId })
  })

  it('write nothing when run dry by the query, but do when only the body says so', async () => {
    await using sanity = await startSanity()
    const query = { dryRun: 'true', returnDocuments: 'true' }
    const dry = await mutate(sanity, [{ create: old }], { query })
    expect(dry.body.results).toMatchObject([{ document: { _createdAt: old._createdAt } }])
    expect(sanity.store().documents()).toEqual([])
    expect(sanity.store().history.transactions).toEqual([])
    await mutate(sanity, [{ create: old }], { members: { dryRun: true } })
    expect(sanity.store().documents()).toHaveLength(1)
  })

  it('keep each digit of a number', async () => {
    await using sanity = await startSanity()
    const line = '{"_id":"a","_type":"post","list":[12345678901234567891,-0.12345678901234567],"n":9007199254740993}'
    await ask(sanity, 'data/mutate/production', { body: `{"mutations":[{"create":${line}},{"patch":{"id":"a","set":{"x":1}}}]}` })
    const { _createdAt, _rev, _updatedAt, ...rest } = JSON.parse(sanity.store().lineOf('a')?.toString() ?? '')
    expect(Object.keys(rest)).toEqual(['_id', '_type', 'list', 'n', 'x'])
    expect(sanity.store().lineOf('a')?.toString()).toContain('"list":[12345678901234567891,-0.12345678901234567],"n":9007199254740993')
  })
})

describe('a dry run of the real client', () => {
  it('writes nothing, neither by a mutation nor by an action', async () => {
    await using sanity = await startSanity({ documents: [a] })
    const { url, project, dataset, editorToken: token } = sanity
    const mutations = [{ createOrReplace: { ...a, x: 1 } }, { create: { _id: 'b', _type: 'post' } }]
    const action = { actionType: 'sanity.action.release.create', releaseId: 'r1' }
    const calls = [
      ['mutate', mutations, { dryRun: true, transactionId: 't1' }],
      ['action', action, { dryRun: true }],
      ['mutate', mutations, { dryRun: true, transactionId: 't1' }],
    ]
    const { stdout } = await runPeer(new URL('../../../peers/client.mjs', import.meta.url), { url, project, dataset, token, calls })
    expect(JSON.parse(stdout).map(({ message }: { message?: string }) => message)).toEqual([undefined, undefined, undefined])
    expect(sanity.count('mutate') + sanity.count('actions')).toBe(3)
    expect(sanity.store().documents()).toEqual([a])
  })
})

describe('ids', () => {
  it.each(['-x', 'x y', 'a..b', 'x'.repeat(129), 'ä', '.a'])('refuses %j', async (id) => {
    await using sanity = await startSanity()
    expect(firstError(await mutate(sanity, [{ create: { _id: id, _type: 'post' } }]))).toEqual({ status: 400, type: 'validationError' })
  })

  it.each(['x'.repeat(128), 'drafts.A-b_c', 'versions.r1.a', '_private'])('takes %j', async (id) => {
    await using sanity = await startSanity()
    expect(await mutate(sanity, [{ create: { _id: id, _type: 'post' } }])).toMatchObject({ status: 200 })
  })

  it('makes an id where there is none, and the end of one that ends with a dot', async () => {
    await using sanity = await startSanity()
    const told = await mutate(sanity, [{ create: { _type: 'post' } }, { create: { _id: 'drafts.', _type: 'post' } }])
    expect(told.body.results).toMatchObject([
      { id: expect.stringMatching(/^[\w-]{22}$/) },
      { id: expect.stringMatching(/^drafts\.[\w-]{22}$/) },
    ])
  })

  it('keeps system documents for itself unless told otherwise', async () => {
    const release = { createOrReplace: { _id: '_.releases.r1', _type: 'system.release' } }
    await using strict = await startSanity()
    expect(firstError(await mutate(strict, [release]))).toMatchObject({ status: 400 })
    await using open = await startSanity({ rules: { systemDocuments: 'accept' } })
    expect(await mutate(open, [release])).toMatchObject({ status: 200 })
  })
})

describe('mutations by query and by lists', () => {
  const documents = ['a', 'b', 'c'].map((id) => ({ _id: id, _type: 'post', n: 1 }))

  it.each([
    { what: 'a query', by: { query: '*[_type == $type && _id != "b"]', params: { type: 'post' } } },
    { what: 'a list', by: { id: ['a', 'c'] } },
  ])('reach all documents of $what', async ({ by }) => {
    await using sanity = await startSanity({ documents })
    await mutate(sanity, [{ patch: { ...by, inc: { n: 2 } } }])
    expect(sanity.store().documents()).toMatchObject([{ n: 3 }, { n: 1 }, { n: 3 }])
    const { results } = (await mutate(sanity, [{ delete: by }])).body
    expect(results).toEqual(['a', 'c'].map((id) => ({ id, operation: 'delete' })))
    expect(sanity.store().documents()).toHaveLength(1)
  })

  it('find what the index knows, not what is there', async () => {
    await using sanity = await startSanity({ rules: { indexLagMs: 60_000 }, documents })
    await mutate(sanity, [{ create: { _id: 'd', _type: 'post' } }], { query: { visibility: 'async' } })
    await mutate(sanity, [{ delete: { query: '*[_type == "post"]' } }], { query: { visibility: 'async' } })
    expect(sanity.store().documents()).toMatchObject([{ _id: 'd' }])
  })
})

describe('patches', () => {
  const document = {
    ...a,
    n: 5,
    list: [
      { _key: 'x', v: 1 },
      { _key: 'y', v: 2 },
    ],
    deep: { 'odd key': [1] },
  }

  it.each([
    { what: 'adds', patch: { inc: { n: 2.5, 'list[_key=="y"].v': 1 }, dec: { 'list[0].v': 4 } }, n: 7.5, v: [-3, 3] },
    { what: 'inserts before', patch: { insert: { before: 'list[0]', items: [{ v: 9 }] } }, n: 5, v: [9, 1, 2] },
    { what: 'inserts after the last', patch: { insert: { after: 'list[-1]', items: [{ v: 9 }] } }, n: 5, v: [1, 2, 9] },
    { what: 'inserts after a key', patch: { insert: { after: 'list[_key=="x"]', items: [{ v: 9 }] } }, n: 5, v: [1, 9, 2] },
    { what: 'replaces', patch: { insert: { replace: 'list[1]', items: [{ v: 8 }, { v: 9 }] } }, n: 5, v: [1, 8, 9] },
    { what: 'removes', patch: { unset: ['list[_key=="x"]'] }, n: 5, v: [2] },
  ])('$what', async ({ patch, n, v }) => {
    await using sanity = await startSanity({ documents: [document] })
    expect(await mutate(sanity, [{ patch: { id: 'a', ...patch } }])).toMatchObject({ status: 200 })
    expect(held(sanity, 'a')).toMatchObject({ n, list: v.map((value) => ({ v: value })), deep: { 'odd key': [1] } })
  })

  it('fails for a document that is not there', async () => {
    await using sanity = await startSanity()
    expect(firstError(await mutate(sanity, [{ patch: { id: 'a', set: { x: 1 } } }]))).toMatchObject({ status: 409, id: 'a' })
  })
})

describe('rights', () => {
  const tokens = {
    skContributor: { role: 'contributor' },
    skKeeper: { role: 'editor', may: (operation: string) => operation !== 'delete' },
    skFilter: { role: 'editor', may: (_: string, id: string) => !id.startsWith('secret') },
  } as const

  it.each([
    { who: 'a contributor', token: 'skContributor', mutation: { create: { _id: 'b', _type: 'post' } }, permission: 'create' },
    { who: 'a token without delete', token: 'skKeeper', mutation: { delete: { id: 'a' } }, permission: 'delete' },
    { who: 'a filtered token', token: 'skFilter', mutation: { createOrReplace: { _id: 'secret.a', _type: 'post' } }, permission: 'create' },
  ])('refuses $who what it may not, by name', async ({ token, mutation, permission }) => {
    await using sanity = await startSanity({ documents: [a], tokens })
    const told = await mutate(sanity, [{ createIfNotExists: a }, mutation], { token })
    expect(firstError(told)).toEqual({ status: 403, type: 'insufficientPermissionsError', permission })
    expect(sanity.store().documents()).toEqual([a])
    expect(await mutate(sanity, [{ createOrReplace: { ...a, _id: 'drafts.a' } }], { token })).toMatchObject({ status: 200 })
  })

  it('wants delete for a replacement where the rules say so', async () => {
    const statuses = []
    for (const replaceNeedsDelete of [false, true]) {
      await using sanity = await startSanity({ documents: [a], tokens, rules: { replaceNeedsDelete } })
      statuses.push((await mutate(sanity, [{ createOrReplace: a }], { token: 'skKeeper' })).status)
    }
    expect(statuses).toEqual([200, 403])
  })
})
