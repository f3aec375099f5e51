import { describe, expect, it } from '@jest/globals'
import { runPeer } from '../../../support/process.ts'
import { ask, held, mutate } from '../calls.ts'
import { startSanity } from '../sanity.ts'

const a = { _id: 'a', _type: 'post', n: 1 }
const transactions = 'data/history/production/transactions'
const lines = (text: unknown) =>
  String(text)
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))

describe('the history', () => {
  it('lists the transactions with their documents and authors, and finds them by time and author', async () => {
    await using sanity = await startSanity()
    await mutate(sanity, [{ create: a }, { create: { _id: 'b', _type: 'post' } }], { members: { transactionId: 't1' } })
    const id = await sanity.edit([{ patch: { id: 'a', set: { n: 2 } } }])
    const all = lines((await ask(sanity, transactions)).body['text'])
    expect(all).toEqual([
      { id: 't1', timestamp: expect.any(String), author: 'pDoubleRobot', documentIDs: ['a', 'b'] },
      { id, timestamp: expect.any(String), author: 'gEditor', documentIDs: ['a'] },
    ])
    const found = async (query: Record<string, string>) =>
      lines((await ask(sanity, transactions, { query })).body['text']).map((each) => each.id)
    expect(await found({ authors: 'gEditor' })).toEqual([id])
    expect(await found({ fromTime: '2999-01-01T00:00:00Z' })).toEqual([])
    expect(await found({ toTime: '2999-01-01T00:00:00Z', reverse: 'true', limit: '1' })).toEqual([id])
    expect(lines((await ask(sanity, `${transactions}/t1`)).body['text'])).toHaveLength(1)
  })

  it('gives documents as they were at a time, in a revision, and before they were deleted', async () => {
    const old = { ...a, _rev: 'first', _updatedAt: '2020-01-01T00:00:00Z' }
    await using sanity = await startSanity({ documents: [old, { ...old, _id: 'still' }] })
    await mutate(sanity, [{ patch: { id: 'a', set: { n: 2 } } }], { members: { transactionId: 't1' } })
    await mutate(sanity, [{ delete: { id: 'a' } }])
    const found = async (query: Record<string, string>, id = 'a') =>
      (await ask(sanity, `data/history/production/documents/${id}`, { query })).body['documents']
    expect(await found({ time: '2021-01-01T00:00:00Z' })).toEqual([old])
    expect(await found({ time: '2019-01-01T00:00:00Z' })).toEqual([])
    expect(await found({ time: '2999-01-01T00:00:00Z' })).toEqual([])
    expect(await found({ revision: 'first' })).toEqual([old])
    expect(await found({ revision: 't1' })).toMatchObject([{ n: 2 }])
    expect(await found({ lastRevision: 'true' })).toMatchObject([{ n: 2 }])
    expect(await found({ time: '2021-01-01T00:00:00Z' }, 'still,none')).toMatchObject([{ _id: 'still' }])
  })

  it('counts the writes of each document, which is what webhooks would be called for', async () => {
    await using sanity = await startSanity({ documents: [a] })
    await mutate(sanity, [{ patch: { id: 'a', unset: ['x'] } }, { createOrReplace: a }])
    await mutate(sanity, [{ delete: { id: 'a' } }])
    expect(sanity.store().history.writes('a')).toBe(2)
    expect(sanity.store().history.writes('b')).toBe(0)
  })

  it('is not for those without a token', async () => {
    await using sanity = await startSanity({ aclMode: 'public' })
    const response = await fetch(`${sanity.url}/v2025-02-19/${transactions}`)
    expect(response.status).toBe(403)
  })
})

describe('datasets', () => {
  it('are created, edited, listed, deleted by the real client with an administrator token', async () => {
    await using sanity = await startSanity()
    const calls = [
      ['datasets.create', 'scratch', { aclMode: 'private' }],
      ['datasets.create', 'scratch'],
      ['datasets.edit', 'scratch', { aclMode: 'public' }],
      ['datasets.list'],
      ['datasets.delete', 'scratch'],
      ['datasets.delete', 'scratch'],
    ]
    const { url, project, dataset, adminToken: token } = sanity
    const { stdout } = await runPeer(new URL('../../../peers/client.mjs', import.meta.url), { url, project, dataset, token, calls })
    expect(JSON.parse(stdout)).toMatchObject([
      { result: { datasetName: 'scratch', aclMode: 'private' } },
      { statusCode: 409 },
      { result: { aclMode: 'public' } },
      { result: [{ name: 'production' }, { name: 'scratch', aclMode: 'public' }] },
      { result: { deleted: true } },
      { statusCode: 404 },
    ])
  })

  it('can be written to as soon as they are there', async () => {
    await using sanity = await startSanity()
    await ask(sanity, 'datasets/scratch', { method: 'PUT', token: sanity.adminToken })
    expect(await mutate(sanity, [{ create: a }], { dataset: 'scratch' })).toMatchObject({ status: 200 })
    expect(sanity.store('scratch').documents()).toHaveLength(1)
  })

  it.each(['PUT', 'PATCH', 'DELETE'])('are not for an editor to %s', async (method) => {
    await using sanity = await startSanity()
    const told = await ask(sanity, 'datasets/production', { method })
    expect(told).toMatchObject({
      status: 401,
      body: { message: expect.stringContaining('missing required grant sanity.project.datasets/') },
    })
  })
})

describe('aliases', () => {
  it('can be read and not written', async () => {
    await using sanity = await startSanity({ aliases: { live: 'production' }, documents: [a] })
    expect((await ask(sanity, 'data/export/~live')).body['text']).toContain('"_id":"a"')
    expect(await mutate(sanity, [{ delete: { id: 'a' } }], { dataset: '~live' })).toMatchObject({ status: 400 })
    expect(held(sanity, 'a')).toEqual(a)
    expect((await ask(sanity, 'aliases')).body).toEqual([{ name: 'live', datasetName: 'production' }])
    expect((await ask(sanity, 'features')).body).toContain('advancedDatasetManagement')
  })

  it('are not found where there are none', async () => {
    await using sanity = await startSanity()
    const told = await ask(sanity, 'data/export/~live')
    expect(told).toMatchObject({ status: 404, body: { error: 'Dataset alias not found' } })
  })
})

describe('the member _system', () => {
  it('comes with each write where the rules say so, and is the server’s to say', async () => {
    await using sanity = await startSanity({ rules: { systemMember: 'on-write' } })
    await mutate(sanity, [{ create: { ...a, _id: 'versions.r1.a', _system: { group: { id: 'other' }, delete: true } } }])
    expect(held(sanity, 'versions.r1.a')).toMatchObject({ _system: { bundleId: 'r1', group: { id: 'a' }, delete: true } })
  })

  it('comes by a migration without a new revision', async () => {
    await using sanity = await startSanity({ documents: [{ ...a, _rev: 'first' }] })
    sanity.migrate()
    expect(held(sanity, 'a')).toEqual({ ...a, _rev: 'first', _system: { group: { id: 'a' } } })
    expect(sanity.store().history.transactions).toEqual([])
  })
})
