import { describe, expect, it } from '@jest/globals'
import { answers } from './answers.ts'
import { act, ask, firstError, held, mutate } from './calls.ts'
import { type Sanity, startSanity } from './sanity.ts'

const a = { _id: 'a', _type: 'post' }

const writes: { route: 'mutate' | 'actions' | 'upload'; send: (sanity: Sanity) => Promise<{ status: number }> }[] = [
  { route: 'mutate', send: async (sanity) => await mutate(sanity, [{ create: a }], { members: { transactionId: 't1' } }) },
  {
    route: 'actions',
    send: async (sanity) => await act(sanity, [{ actionType: 'release.create', releaseId: 'r' }], { members: { transactionId: 't1' } }),
  },
  { route: 'upload', send: async (sanity) => await ask(sanity, 'assets/files/production', { body: 'bytes' }) },
]

describe.each(writes)('an answer to $route', ({ route, send }) => {
  it.each(['reset', 'close', answers.badGateway] as const)('is lost after everything was done: %j', async (lost) => {
    await using sanity = await startSanity()
    sanity.fault(route, { lost, times: 1 })
    const outcome = await send(sanity).then(
      ({ status }) => status,
      () => 'broken',
    )
    expect(outcome).toBe(typeof lost === 'object' ? 502 : 'broken')
    expect(sanity.store().documents()).toHaveLength(1)
    const again = await send(sanity)
    expect(again.status).toBe(route === 'upload' ? 200 : 409)
    expect(sanity.store().documents()).toHaveLength(1)
  })

  it('is broken off before anything was done', async () => {
    await using sanity = await startSanity()
    sanity.fault(route, { connection: 'reset', times: 1 })
    await expect(send(sanity)).rejects.toThrow()
    expect(sanity.store().documents()).toEqual([])
    expect((await send(sanity)).status).toBe(200)
  })
})

describe('a conflict with another transaction', () => {
  it('writes nothing, and the same id may come again', async () => {
    await using sanity = await startSanity()
    sanity.fault('mutate', { answer: answers.transactionConflict, times: 1 })
    const send = async () => await mutate(sanity, [{ create: a }], { members: { transactionId: 't1' } })
    expect(firstError(await send())).toEqual({ status: 409, type: 'transactionConflictError' })
    expect(await send()).toMatchObject({ status: 200 })
  })
})

describe('an editor', () => {
  it('writes right before a request is carried out, so that its lock does not hold', async () => {
    await using sanity = await startSanity({ documents: [{ ...a, _rev: 'first' }] })
    sanity.meanwhile('mutate', async () => await sanity.edit([{ patch: { id: 'a', set: { title: 'mine' } } }]), { skip: 1 })
    const locked = [{ patch: { id: 'a', ifRevisionID: 'first', unset: ['_lock'] } }, { createOrReplace: a }]
    expect(await mutate(sanity, locked, { query: { dryRun: 'true' } })).toMatchObject({ status: 200 })
    expect(firstError(await mutate(sanity, locked))).toMatchObject({
      type: 'documentRevisionIDDoesNotMatchError',
      expectedRevisionID: 'first',
    })
    expect(held(sanity, 'a')).toMatchObject({ title: 'mine' })
  })

  it.each([
    { route: 'doc', path: 'data/doc/production/a' },
    { route: 'export', path: 'data/export/production' },
    { route: 'query', path: 'data/query/production?query=*' },
  ] as const)('writes right before $route answers', async ({ route, path }) => {
    await using sanity = await startSanity({ documents: [a] })
    sanity.meanwhile(route, async () => await sanity.edit([{ patch: { id: 'a', set: { title: 'mine' } } }]))
    const response = await fetch(`${sanity.url}/v2025-02-19/${path}`, { headers: { authorization: `Bearer ${sanity.token}` } })
    expect(await response.text()).toContain('"title":"mine"')
  })

  it('is refused like everybody else', async () => {
    await using sanity = await startSanity({ documents: [a] })
    await expect(sanity.edit([{ create: a }])).rejects.toThrow('already exists')
  })
})
