import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { BackupError } from '../../src/errors.ts'
import { findFullRead } from '../../src/sanity/access.ts'
import { acls, answers } from '../doubles/sanity/answers.ts'
import { type Sanity, startSanity } from '../doubles/sanity/sanity.ts'
import { apiAt, type Client, makeClient } from '../support/ask.ts'
import { rejection } from '../support/feed.ts'

let sanity: Sanity
let client: Client

beforeAll(async () => {
  client = makeClient()
  sanity = await startSanity({ tokens: { skFILTEREDtoken: { filter: '_type == "post"' } } })
})

beforeEach(() => sanity.reset())

afterAll(async () => {
  await client[Symbol.asyncDispose]()
  await sanity[Symbol.asyncDispose]()
})

describe('findFullRead', () => {
  it('asks for the access list of the dataset once', async () => {
    expect(await findFullRead(apiAt(sanity.url, client, { token: sanity.token }))).toBe(true)
    expect(sanity.requests.map(({ path }) => path)).toEqual(['/v2021-06-07/projects/abc12345/datasets/production/acl'])
  })

  it('is false for a token that sees only a part', async () => {
    expect(await findFullRead(apiAt(sanity.url, client, { token: 'skFILTEREDtoken' }))).toBe(false)
  })

  it.each([
    { name: 'a viewer', list: acls.viewer, full: true },
    { name: 'an editor', list: acls.editor, full: true },
    { name: 'a contributor', list: acls.contributor, full: true },
    { name: 'single quotes and spaces', list: [{ filter: " _id in path( '**' ) ", permissions: ['read'] }], full: true },
    { name: 'some types only', list: acls.restricted, full: false },
    { name: 'published documents only', list: acls.publishedOnly, full: false },
    { name: 'nobody', list: acls.none, full: false },
    { name: 'everything but reading', list: [{ filter: '_id in path("**")', permissions: ['create', 'update'] }], full: false },
    { name: 'all documents but some', list: [{ filter: '_id in path("**") && _type != "secret"', permissions: ['read'] }], full: false },
    { name: 'quotes that do not match', list: [{ filter: '_id in path("**\')', permissions: ['read'] }], full: false },
    {
      name: 'odd entries',
      list: [null, 5, 'x', {}, { filter: 5, permissions: 'read' }, { filter: '_id in path("**")', permissions: 'read' }],
      full: false,
    },
    { name: 'an object instead of a list', list: { filter: '_id in path("**")', permissions: ['read'] }, full: null },
  ])('tells for an access list of $name: $full', async ({ list, full }) => {
    sanity.fault('acl', { answer: { status: 200, body: list } })
    expect(await findFullRead(apiAt(sanity.url, client, { token: sanity.token }))).toBe(full)
  })

  it.each([
    { name: 'a missing grant', answer: answers.missingGrant },
    { name: 'no robots', answer: answers.robotsNotAllowed },
    { name: '500', answer: answers.internalError },
    { name: '404', answer: { status: 404, body: '' } },
    { name: 'HTML', answer: { status: 200, body: '<html></html>' } },
    { name: 'null', answer: { status: 200, body: 'null' } },
    { name: 'nothing', answer: answers.empty },
  ])('is unknown, after one request, for an answer of $name', async ({ answer }) => {
    sanity.fault('acl', { answer })
    expect(await findFullRead(apiAt(sanity.url, client, { token: sanity.token }))).toBeNull()
    expect(sanity.count('acl')).toBe(1)
  })

  it('is unknown when the connection breaks', async () => {
    sanity.fault('acl', { connection: 'reset' })
    expect(await findFullRead(apiAt(sanity.url, client, { token: sanity.token }))).toBeNull()
  })

  it('ends with the cancellation', async () => {
    const reason = new BackupError({ code: 'cancelled', title: 't', message: 'm', hint: 'h' })
    const api = apiAt(sanity.url, client, { token: sanity.token, signal: AbortSignal.abort(reason) })
    expect(await rejection(findFullRead(api))).toBe(reason)
  })
})
