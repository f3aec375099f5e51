import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { BackupError } from '../../../src/errors.ts'
import { MayNotWrite } from '../../../src/sanity/errors/write.ts'
import { type Answer, listen, readBody, send } from '../../doubles/http.ts'
import { answers, rateLimited } from '../../doubles/sanity/answers.ts'
import { type Sanity, startSanity } from '../../doubles/sanity/sanity.ts'
import { type Client, makeClient } from '../../support/ask.ts'
import { rejection } from '../../support/feed.ts'
import { json, transactionId, writingTo } from './writing.ts'

const a = { _id: 'a', _type: 'post', title: 'A' }
const createA = json({ create: a })

let client: Client
beforeAll(() => {
  client = makeClient()
})
afterAll(async () => await client[Symbol.asyncDispose]())

/** What each way of writing sends, and how a repeated id is told. */
const ways = [
  {
    route: 'mutate',
    run: (sanity: Sanity) => {
      const writing = writingTo(sanity, client)
      return { ...writing, result: writing.write.mutate([createA], { transactionId }) }
    },
  },
  {
    route: 'actions',
    run: (sanity: Sanity) => {
      const writing = writingTo(sanity, client)
      const action = { actionType: 'sanity.action.release.create', releaseId: 'r' }
      return { ...writing, result: writing.write.act(action, { transactionId }) }
    },
  },
] as const

describe.each(ways)('a transaction by $route', ({ route, run }) => {
  it('is committed once', async () => {
    await using sanity = await startSanity()
    expect(await run(sanity).result).toEqual({ kind: 'committed' })
    expect(sanity.store().history.has(transactionId)).toBe(true)
    expect(sanity.count(route)).toBe(1)
  })

  it.each([
    { name: 'reset', lost: 'reset' },
    { name: 'closed', lost: 'close' },
    { name: 'a gateway that gave up', lost: answers.badGateway },
  ] as const)('is committed when its answer was lost: $name', async ({ lost }) => {
    await using sanity = await startSanity()
    sanity.fault(route, { lost, times: 1 })
    const { result, waits } = run(sanity)
    expect(await result).toEqual({ kind: 'committed' })
    expect(sanity.count(route)).toBe(2)
    expect(sanity.store().documents()).toHaveLength(1)
    expect(waits).toHaveLength(1)
  })

  it.each([
    { name: '408', fault: { answer: { status: 408 } } },
    { name: '429', fault: { answer: rateLimited() } },
    { name: '500', fault: { answer: answers.internalError } },
    { name: '502', fault: { answer: answers.badGateway } },
    { name: '503', fault: { answer: answers.unavailable } },
    { name: '504', fault: { answer: answers.gatewayTimeout } },
    { name: 'a conflict', fault: { answer: answers.transactionConflict } },
    { name: 'reset', fault: { connection: 'reset' } },
    { name: 'closed', fault: { connection: 'close' } },
  ] as const)('is tried again with a growing wait: $name', async ({ fault }) => {
    await using sanity = await startSanity()
    sanity.fault(route, { ...fault, times: 3 })
    const { result, waits, logged } = run(sanity)
    expect(await result).toEqual({ kind: 'committed' })
    expect(waits.map((ms) => 2 ** Math.round(Math.log2(ms / 1000)))).toEqual([1, 2, 4])
    expect(logged).toHaveLength(3)
    expect(logged[2]).toMatch(/Try 4 of an? (transaction|action) follows in /)
  })

  it.each([
    { name: '429', answer: rateLimited(7) },
    { name: '503', answer: { ...answers.unavailable, headers: { 'retry-after': '7' } } },
    { name: '408', answer: { status: 408, headers: { 'retry-after': '7' } } },
    { name: 'a conflict', answer: { ...answers.transactionConflict, headers: { 'retry-after': '7' } } },
  ])('waits as long as Sanity asks: $name', async ({ answer }) => {
    await using sanity = await startSanity()
    sanity.fault(route, { answer, times: 2 })
    const { result, waits } = run(sanity)
    expect(await result).toEqual({ kind: 'committed' })
    expect(waits).toEqual([7000, 7000])
  })

  it('gives up after ten minutes, and says how to go on', async () => {
    await using sanity = await startSanity()
    sanity.fault(route, { answer: answers.unavailable })
    const { result, waits } = run(sanity)
    expect(await rejection(result)).toMatchObject({
      code: 'sanity-unavailable',
      message: expect.stringMatching(/answered 503.* That was try 1\d of an? (transaction|action), in \d+ min/s),
      hint: expect.stringContaining('run the restore again: it compares the dataset anew'),
      retry: { tries: 1 },
    })
    expect(Math.max(...waits)).toBeLessThanOrEqual(60_000)
    const totalMs = waits.reduce((sum, ms) => sum + ms, 0)
    expect(totalMs).toBeLessThanOrEqual(600_000)
    expect(totalMs).toBeGreaterThan(500_000)
  })

  it('gives up at once where Sanity asks for more than ten minutes', async () => {
    await using sanity = await startSanity()
    sanity.fault(route, { answer: rateLimited(601) })
    const { result, waits } = run(sanity)
    expect(await rejection(result)).toMatchObject({ code: 'sanity-rate-limited', hint: expect.stringContaining('run the restore again') })
    expect(waits).toEqual([])
  })

  it.each([
    { name: 'a token that is not known', answer: answers.sessionNotFound, code: 'sanity-unauthorized', cure: /Editor role/ },
    { name: 'a token of another project', answer: answers.wrongProject, code: 'sanity-unauthorized', cure: /Editor role/ },
    { name: '401 of a grant', answer: answers.missingGrant, code: 'sanity-forbidden', cure: /Editor role/ },
    { name: '402', answer: answers.quotaExceeded, code: 'sanity-quota', cure: /Usage and Plan.*run the restore again/s },
    { name: '402 of a plan', answer: answers.planLimit, code: 'sanity-quota', cure: /Usage and Plan/ },
    {
      name: 'a limit of documents',
      answer: { status: 409, body: { error: { type: 'mutationError', items: [{ error: { type: 'documentLimitExceededError' } }] } } },
      code: 'sanity-quota',
      cure: /Usage and Plan/,
    },
    { name: 'a firewall', answer: { status: 403, body: '<html>Blocked</html>' }, code: 'sanity-forbidden', cure: /Editor role.*firewall/s },
    {
      name: 'a redirect',
      answer: { status: 302, headers: { location: 'https://evil.example' } },
      code: 'sanity-unavailable',
      cure: /proxy/,
    },
    {
      name: 'another page',
      answer: { status: 200, body: '<html>Welcome</html>' },
      code: 'sanity-unavailable',
      cure: /proxy answers in the place/,
    },
    { name: 'another JSON', answer: { status: 200, body: {} }, code: 'sanity-unavailable', cure: /proxy answers in the place/ },
  ] satisfies { name: string; answer: Answer; code: string; cure: RegExp }[])(
    'ends the run after one request: $name',
    async ({ answer, code, cure }) => {
      await using sanity = await startSanity()
      sanity.fault(route, { answer })
      const error = (await rejection(run(sanity).result)) as BackupError
      expect(error).toMatchObject({ code, hint: expect.stringMatching(cure) })
      expect(`${error.title} ${error.message} ${error.hint}`).not.toMatch(/Viewer|backup|backed up/i)
      expect(sanity.count(route)).toBe(1)
    },
  )
})

describe('a conflict', () => {
  it('is told to the caller each time', async () => {
    await using sanity = await startSanity()
    sanity.fault('mutate', { answer: answers.transactionConflict, times: 2 })
    const { write, conflicts } = writingTo(sanity, client)
    await write.mutate([createA], { transactionId })
    expect(conflicts()).toBe(2)
  })
})

describe('a mutation', () => {
  it('is refused with the id of what exists, and nothing is tried again', async () => {
    await using sanity = await startSanity({ documents: [a] })
    const { write } = writingTo(sanity, client)
    expect(await write.mutate([json({ create: { ...a, _id: 'b' } }), createA], { transactionId })).toEqual({
      kind: 'refused',
      status: 409,
      problems: [{ type: 'exists', index: 1, id: 'a', others: [], words: 'Document by ID "a" already exists' }],
    })
    expect(sanity.count('mutate')).toBe(1)
  })

  it.each([
    {
      name: 'another revision',
      mutation: { patch: { id: 'a', ifRevisionID: 'other', unset: ['x'] } },
      problem: { type: 'revision', id: 'a', others: [] },
    },
    { name: 'a missing document', mutation: { patch: { id: 'gone', unset: ['x'] } }, problem: { type: 'missing', id: 'gone', others: [] } },
    {
      name: 'a missing reference',
      mutation: { create: { _id: 'b', _type: 'post', to: { _ref: 'gone' } } },
      problem: { type: 'reference-missing', id: 'b', others: ['gone'] },
    },
    { name: 'referrers', mutation: { delete: { id: 'a' } }, problem: { type: 'still-referred', id: 'a', others: ['r'] } },
    {
      name: 'referrers, at a change of type',
      mutation: { createOrReplace: { _id: 'a', _type: 'page' } },
      problem: { type: 'still-referred', id: 'a', others: ['r'] },
    },
    {
      name: 'a key that is not allowed',
      mutation: { create: { _id: 'b', _type: 'post', to: { _ref: 'a', x: 1 } } },
      problem: { type: 'invalid' },
    },
  ])('is refused with what is against it: $name', async ({ mutation, problem }) => {
    const referrer = { _id: 'r', _type: 'post', to: { _ref: 'a' }, again: { _ref: 'a' } }
    await using sanity = await startSanity({ documents: [a, referrer] })
    const { write } = writingTo(sanity, client)
    const written = await write.mutate([json(mutation)], { transactionId })
    expect(written).toMatchObject({ kind: 'refused', problems: [{ index: 0, ...problem }] })
    expect(sanity.count('mutate')).toBe(1)
  })

  it('is too large beyond 4 MB', async () => {
    await using sanity = await startSanity()
    const { write } = writingTo(sanity, client)
    const large = json({ create: { ...a, title: 'x'.repeat(4_000_001) } })
    expect(await write.mutate([large], { transactionId })).toMatchObject({
      kind: 'refused',
      status: 413,
      problems: [{ type: 'too-large', index: -1 }],
    })
  })

  it('of a viewer is forbidden, with the permission that is missing', async () => {
    await using sanity = await startSanity()
    const { write } = writingTo(sanity, client, { token: sanity.token })
    for (const dryRun of [true, false]) {
      const error = await rejection(write.mutate([createA], { transactionId, dryRun }))
      expect(error).toBeInstanceOf(MayNotWrite)
      expect(error).toMatchObject({
        code: 'sanity-forbidden',
        permission: 'create',
        index: 0,
        title: 'The Sanity token may not create documents (403)',
        message: expect.stringContaining('permission "create"'),
        hint: expect.stringContaining('Give the token the Editor role'),
      })
    }
    expect(sanity.count('mutate')).toBe(2)
  })

  it('of a dry run writes nothing', async () => {
    await using sanity = await startSanity()
    const { write } = writingTo(sanity, client)
    expect(await write.mutate([createA], { transactionId, dryRun: true })).toEqual({ kind: 'committed' })
    expect(sanity.store().documents()).toEqual([])
  })
})

describe('an action', () => {
  it('of a dry run writes nothing', async () => {
    await using sanity = await startSanity()
    const { write } = writingTo(sanity, client)
    const action = { actionType: 'sanity.action.release.create', releaseId: 'r' }
    expect(await write.act(action, { transactionId, dryRun: true })).toEqual({ kind: 'committed' })
    expect(sanity.store().documents()).toEqual([])
  })

  it('is refused with what is against it, and index 0', async () => {
    await using sanity = await startSanity()
    const { write } = writingTo(sanity, client)
    const action = { actionType: 'sanity.action.release.create', releaseId: 'r' }
    await write.act(action, { transactionId })
    expect(await write.act(action, { transactionId: `${transactionId}2` })).toMatchObject({
      kind: 'refused',
      status: 409,
      problems: [{ type: 'exists', index: 0, id: '_.releases.r' }],
    })
  })

  it('beyond the limit of releases is refused and no reason to stop', async () => {
    await using sanity = await startSanity({ rules: { releaseLimit: 0 } })
    const { write } = writingTo(sanity, client)
    const action = { actionType: 'sanity.action.release.create', releaseId: 'r' }
    expect(await write.act(action, { transactionId })).toMatchObject({ kind: 'refused', problems: [{ type: 'release-limit', index: 0 }] })
  })
})

describe('what is sent', () => {
  it('keeps the bytes of the mutations, the id and the bytes of all tries, and holds nothing that is dangerous', async () => {
    const seen: { url: string; type: string | undefined; body: string }[] = []
    await using server = await listen(async (request, response, url) => {
      const body = await readBody(request)
      seen.push({ url: `${url.pathname}${url.search}`, type: request.headers['content-type'], body: body.toString() })
      send(response, seen.length % 2 === 1 ? answers.unavailable : { status: 200, body: { transactionId } })
    })
    const { write } = writingTo(server, client)
    const raw = [Buffer.from('{"create":{"_id":"a", "n":12345678901234567890.10}}'), Buffer.from('{"delete":{"id":"b"}}')]
    await write.mutate(raw, { transactionId })
    await write.mutate(raw, { transactionId, dryRun: true })
    await write.act({ actionType: 'x' }, { transactionId })
    await write.act({ actionType: 'x' }, { transactionId, dryRun: true })
    const query = 'returnIds=true&visibility=async&skipCrossDatasetReferenceValidation=true&tag=sanity-backup.restore'
    const body = `{"mutations":[${raw[0]},${raw[1]}],"transactionId":"${transactionId}"}`
    const action = `{"actions":[{"actionType":"x"}],"transactionId":"${transactionId}","skipCrossDatasetReferenceValidation":true`
    const type = 'application/json'
    const mutate = '/v2025-02-19/data/mutate/production'
    const actions = '/v2025-02-19/data/actions/production?tag=sanity-backup.restore'
    expect(seen).toEqual(
      [
        { url: `${mutate}?${query}`, type, body },
        { url: `${mutate}?${query}&dryRun=true`, type, body },
        { url: actions, type, body: `${action}}` },
        { url: actions, type, body: `${action},"dryRun":true}` },
      ].flatMap((each) => [each, each]),
    )
    expect(JSON.stringify(seen)).not.toMatch(/purge|autoGenerateArrayKeys|"query"/)
  })
})

describe('the words of Sanity', () => {
  it('are made harmless', async () => {
    await using sanity = await startSanity()
    const evil = '\r\n::error::x\u001b[31m\u202e'
    const items = [
      { index: 'x', error: { type: evil, description: `no${evil}`, id: `a${evil}`, referencingIDs: [`b${evil}`, 7, null] } },
      5,
    ]
    sanity.fault('mutate', { answer: { status: 409, body: { error: { type: evil, items } } } })
    const { write } = writingTo(sanity, client)
    expect(await write.mutate([createA], { transactionId })).toEqual({
      kind: 'refused',
      status: 409,
      problems: [{ type: 'other', index: -1, id: 'a : :error::x[31m', others: ['b : :error::x[31m'], words: 'no : :error::x[31m' }],
    })
  })
})
