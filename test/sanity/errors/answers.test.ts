import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { countDocuments } from '../../../src/sanity/count.ts'
import { type Sanity, startSanity } from '../../doubles/sanity/sanity.ts'
import { apiAt, type Client, makeClient } from '../../support/ask.ts'
import { rejection } from '../../support/feed.ts'
import { finalAnswers, passingAnswers } from './rows.ts'

let sanity: Sanity
let client: Client

beforeAll(async () => {
  client = makeClient()
  sanity = await startSanity({ documents: [{ _id: 'a', _type: 'post' }] })
})

beforeEach(() => sanity.reset())

afterAll(async () => {
  await client[Symbol.asyncDispose]()
  await sanity[Symbol.asyncDispose]()
})

describe('an answer that no further try can change', () => {
  it.each(finalAnswers)('is asked for once, and becomes an error with the fact and the cure: $name', async ({ answer, ...row }) => {
    sanity.fault('query', { answer })

    const error = await rejection(countDocuments(apiAt(sanity.url, client, { token: sanity.token }), { types: [] }))

    expect(error).toMatchObject({
      code: row.code,
      title: expect.stringMatching(row.title),
      message: expect.stringMatching(row.fact),
      hint: expect.stringMatching(row.cure),
    })
    expect(sanity.count('query')).toBe(1)
  })
})

describe('an answer that may be another one soon', () => {
  it.each(passingAnswers)(
    'may be asked for five times, and becomes an error with the fact and the cure: $name',
    async ({ answer, ...row }) => {
      sanity.fault('query', { answer })

      const error = await rejection(countDocuments(apiAt(sanity.url, client, { token: sanity.token }), { types: [] }))

      expect(error).toMatchObject({
        code: row.code,
        title: expect.stringMatching(row.title),
        message: expect.stringMatching(row.fact),
        hint: expect.stringMatching(row.cure),
        retry: { tries: 5 },
      })
    },
  )
})
