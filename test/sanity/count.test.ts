import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { countDocuments } from '../../src/sanity/count.ts'
import { type Sanity, startSanity } from '../doubles/sanity/sanity.ts'
import { apiAt, type Client, makeClient } from '../support/ask.ts'
import { rejection } from '../support/feed.ts'

let sanity: Sanity
let client: Client

beforeAll(async () => {
  client = makeClient()
  sanity = await startSanity({
    documents: [
      { _id: 'a', _type: 'post' },
      { _id: 'b', _type: 'page' },
      { _id: 'drafts.a', _type: 'post' },
      { _id: 'versions.summer.a', _type: 'post' },
      { _id: 'secrets.deep.key', _type: 'secret' },
      { _id: '_.groups.public', _type: 'system.group' },
      { _id: '_.releases.summer', _type: 'system.release' },
    ],
  })
})

beforeEach(() => sanity.reset())

afterAll(async () => {
  await client[Symbol.asyncDispose]()
  await sanity[Symbol.asyncDispose]()
})

describe('countDocuments', () => {
  it.each([
    { name: 'all documents, drafts and versions too, system documents not', types: [], count: 5 },
    { name: 'those of one type', types: ['post'], count: 3 },
    { name: 'those of several types', types: ['post', 'page'], count: 4 },
    { name: 'none of a type that does not exist', types: ['nothing'], count: 0 },
    { name: 'none of a type with quotes in its name', types: ['"] | true || _type in ["post'], count: 0 },
    { name: 'no system documents, even when asked for their type', types: ['system.group'], count: 0 },
  ])('counts $name', async ({ types, count }) => {
    expect(await countDocuments(apiAt(sanity.url, client, { token: sanity.token }), { types })).toBe(count)
  })

  it('asks for the raw perspective', async () => {
    await countDocuments(apiAt(sanity.url, client, { token: sanity.token }), { types: [] })
    expect(sanity.of('query')[0]?.query['perspective']).toBe('raw')
  })

  it.each([
    { name: 'null', result: null },
    { name: 'a string', result: '5' },
    { name: 'a fraction', result: 1.5 },
    { name: 'a negative number', result: -1 },
    { name: 'a list', result: [] },
    { name: 'a number beyond all counting', result: 1e300 },
  ])('throws for a result that is no count: $name', async ({ result }) => {
    sanity.fault('query', { results: [result] })
    expect(await rejection(countDocuments(apiAt(sanity.url, client, { token: sanity.token }), { types: [] }))).toMatchObject({
      code: 'sanity-unavailable',
      title: 'Sanity did not count the documents',
      retry: { tries: 2 },
    })
  })

  it.each([
    { name: 'HTML', body: '<html>ok</html>' },
    { name: 'nothing', body: '' },
    { name: 'a JSON number', body: '5' },
    { name: 'null', body: 'null' },
    { name: 'more than 64 KB', body: JSON.stringify({ result: 5, padding: 'x'.repeat(70_000) }) },
  ])('throws for a 200 that holds $name', async ({ body }) => {
    sanity.fault('query', { answer: { status: 200, body } })
    expect(await rejection(countDocuments(apiAt(sanity.url, client, { token: sanity.token }), { types: [] }))).toMatchObject({
      code: 'sanity-unavailable',
    })
  })

  it('throws what another answer means', async () => {
    expect(await rejection(countDocuments(apiAt(sanity.url, client, { token: 'skNobodyKnowsThis' }), { types: [] }))).toMatchObject({
      code: 'sanity-unauthorized',
    })
  })
})
