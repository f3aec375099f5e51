import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { groupsOf, readGroup } from '../../../src/sanity/write/read.ts'
import { listen, send } from '../../doubles/http.ts'
import { answers } from '../../doubles/sanity/answers.ts'
import { startSanity } from '../../doubles/sanity/sanity.ts'
import { apiAt, type Client, makeClient } from '../../support/ask.ts'
import { rejection } from '../../support/feed.ts'
import { writingTo } from './writing.ts'

let client: Client
beforeAll(() => {
  client = makeClient()
})
afterAll(async () => await client[Symbol.asyncDispose]())

describe('reading documents', () => {
  it('gives their JSON as it came, and leaves out those that are not there', async () => {
    const line = '{"_id":"a","_type":"post","n":12345678901234567890.10,"list":[{"x":"]}"}]}'
    await using sanity = await startSanity({ lines: [line] })
    const { write } = writingTo(sanity, client)
    const found = await write.read(['a', 'gone', 'a'])
    expect([...found].map(([id, json]) => [id, json.toString()])).toEqual([['a', line]])
    expect(sanity.of('doc').map(({ path }) => path)).toEqual(['/v2025-02-19/data/doc/production/a,gone'])
  })

  it('asks for a hundred at a time', async () => {
    const documents = Array.from({ length: 250 }, (_, index) => ({ _id: `d${index}`, _type: 'post' }))
    await using sanity = await startSanity({ documents })
    const { write } = writingTo(sanity, client)
    const found = await write.read(documents.map(({ _id }) => _id))
    expect([...found.keys()]).toEqual(documents.map(({ _id }) => _id))
    expect(sanity.count('doc')).toBe(3)
  })

  it('asks nothing if there is nothing to ask for', async () => {
    await using sanity = await startSanity()
    expect(await writingTo(sanity, client).write.read([])).toEqual(new Map())
    expect(sanity.count('doc')).toBe(0)
  })

  it.each([
    { name: '503', fault: { answer: answers.unavailable } },
    { name: 'reset', fault: { connection: 'reset' } },
  ] as const)('is tried again: $name', async ({ fault }) => {
    await using sanity = await startSanity({ documents: [{ _id: 'a', _type: 'post' }] })
    sanity.fault('doc', { ...fault, times: 2 })
    expect([...(await writingTo(sanity, client).write.read(['a'])).keys()]).toEqual(['a'])
    expect(sanity.count('doc')).toBe(3)
  })

  it('does not take a document that is hidden for one that is not there', async () => {
    const token = 'skFILTERabcdefghijklmnopqrstuvwxyz0123456789'
    const documents = [{ _id: 'a', _type: 'secret' }]
    await using sanity = await startSanity({ documents, tokens: { [token]: { role: 'editor', filter: '_type == "post"' } } })
    expect(await rejection(writingTo(sanity, client, { token }).write.read(['a']))).toMatchObject({
      code: 'sanity-forbidden',
      message: 'Document "a" is there, but hidden from the token.',
    })
  })

  it.each([
    { name: 'a page', body: '<html></html>' },
    { name: 'no documents', body: {} },
    { name: 'documents that are none', body: { documents: [7] } },
  ])('fails for an answer that is not Sanity’s: $name', async ({ body }) => {
    await using sanity = await startSanity()
    sanity.fault('doc', { answer: { status: 200, body } })
    expect(await rejection(writingTo(sanity, client).write.read(['a']))).toMatchObject({ code: 'sanity-unavailable', retry: { tries: 1 } })
  })

  it('asks for halves of what is too much at once', async () => {
    const asked: string[] = []
    await using server = await listen((_, response, url) => {
      const ids = url.pathname.split('/').at(-1) ?? ''
      asked.push(ids)
      const documents = ids.split(',').map((_id) => ({ _id, _type: 'post', text: 'x'.repeat(1000) }))
      send(response, { status: 200, body: { documents, omitted: [] } })
    })
    const found = await readGroup(apiAt(server.url, client), ['a', 'b', 'c', 'd', 'e'], 2500)
    expect(found.map(([id]) => id)).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(asked).toEqual(['a,b,c,d,e', 'a,b,c', 'a,b', 'c', 'd,e'])
  })
})

describe('groups of ids', () => {
  it('fit into a request, however long the ids are', () => {
    const ids = Array.from({ length: 300 }, (_, index) => `${index}`.padStart(128, 'x'))
    const groups = groupsOf(ids)
    expect(groups.flat()).toEqual(ids)
    expect(Math.max(...groups.map((group) => group.join(',').length))).toBeLessThanOrEqual(6000)
  })

  it('leave out what would lead to another path', () => {
    expect(groupsOf(['..', 'a', '', '.', 'b..'])).toEqual([['a', 'b..']])
  })
})
