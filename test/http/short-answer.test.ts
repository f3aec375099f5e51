import { describe, expect, it } from '@jest/globals'
import { readJson, readShort } from '../../src/http/short-answer.ts'
import { type Handler, listen, untilClosed } from '../doubles/http.ts'
import { makeClient } from '../support/ask.ts'
import { chunks } from '../support/feed.ts'

describe('readJson', () => {
  it.each([
    { name: 'a value, however it is cut', parts: ['{"a"', ':[1', ']}'], value: { a: [1] } },
    { name: 'a value that is as long as it may be', parts: ['"12345678"'], value: '12345678' },
    { name: 'nothing of one that is longer', parts: ['"1234', '56789"'], value: undefined },
    { name: 'nothing of what is no JSON', parts: ['<html>'], value: undefined },
    { name: 'nothing of an empty answer', parts: [], value: undefined },
  ])('gives $name', async ({ parts, value }) => {
    expect(await readJson(chunks(...parts), 10)).toEqual(value)
  })
})

describe('readShort', () => {
  it.each<{ name: string; handler: Handler; text: string }>([
    { name: 'all of a short body', handler: (_, response) => void response.end('no'), text: 'no' },
    { name: 'the first 64 KiB of a long one', handler: (_, response) => void response.end('x'.repeat(200_000)), text: 'x'.repeat(65_536) },
    {
      name: 'what came of one that breaks',
      handler: (_, response) => void response.write('half', () => response.destroy()),
      text: 'half',
    },
    {
      name: 'what has come after some seconds of one that never ends',
      handler: async (_, response) => {
        response.write('half')
        await untilClosed(response)
      },
      text: 'half',
    },
  ])('gives $name', async ({ handler, text }) => {
    await using server = await listen(handler)
    await using client = makeClient()
    const { body } = await client.http(new URL(server.url), {})
    body.on('error', () => undefined)
    expect((await readShort(body)).toString()).toBe(text)
  })
})
