import { describe, expect, it } from '@jest/globals'
import { startSanity } from '../../../doubles/sanity/sanity.ts'
import { backUp, failureOf, threeDocuments, threeLines } from '../../support.ts'
import { backUpStream, type Stream, truncated } from './support.ts'

describe('a stream that is odd, but whole', () => {
  const data = `${threeLines.join('\n')}\n`
  const withFields = '{"_id":"x","_type":"post","error":{"description":"a field"},"statusCode":500,"nextCursor":"a field"}'

  it.concurrent.each([
    { name: 'a BOM and CRLF, without the last one', stream: { bom: true, lineEnd: '\r\n', finalNewline: false }, expected: data },
    { name: 'blank lines', stream: { first: ['', ' '], insert: { afterLines: 1, lines: ['', '\t'] }, last: [''] }, expected: data },
    { name: 'a document with the fields of an error and of a cursor', stream: { last: [withFields] }, expected: `${data}${withFields}\n` },
    { name: 'a close-delimited body', stream: { framing: 'close' }, expected: data },
    { name: 'a body with content-length', stream: { framing: 'content-length' }, expected: data },
    { name: 'the content encoding identity', stream: { headers: { 'content-encoding': 'identity' } }, expected: data },
    { name: 'a slow first byte and pauses', stream: { firstByteDelayMs: 500, chunkBytes: 40, chunkDelayMs: 200 }, expected: data },
  ] satisfies { name: string; stream: Stream; expected: string }[])('is backed up in one request: $name', async ({ stream, expected }) => {
    const { exports, snapshot } = await backUpStream({ stream })

    expect(snapshot?.data.toString()).toBe(expected)
    expect(exports).toBe(1)
  })

  it.concurrent('keeps the order of the documents as received', async () => {
    const { snapshot } = await backUpStream({ faults: [{ select: (entries) => entries.toReversed() }] })

    expect(snapshot?.lines).toEqual(threeLines.toReversed())
  })

  it.concurrent('keeps a carriage return that is not before a line feed, and all but the last of several', async () => {
    const line = '{"_id":"x",\r"_type":"post"}\r'

    const { snapshot } = await backUpStream({ lines: [line], stream: { lineEnd: '\r\n' } })

    expect(snapshot?.data.toString()).toBe(`${line}\n`)
  })

  it.concurrent('fails when something on the way has compressed it', async () => {
    const { run, exports } = await backUpStream({ stream: { gzip: true } })

    expect(failureOf(run)).toMatchObject({ exitCode: 1, code: 'sanity-unavailable', message: expect.stringContaining('gzip') })
    expect(run.error?.message).toMatch(/Hint: .*proxy/)
    expect(exports).toBe(1)
  })

  it.concurrent('asks for identity and sends the token and its name', async () => {
    await using sanity = await startSanity({ documents: threeDocuments })

    await using run = await backUp({ sanity })

    expect(run.exitCode).toBe(0)
    expect(sanity.of('export')[0]?.headers).toMatchObject({
      'accept-encoding': 'identity',
      authorization: `Bearer ${sanity.token}`,
      'user-agent': expect.stringMatching(/^sanity-backup\/\d/),
      'x-sanity-project-id': 'abc12345',
    })
  })
})

describe('types that the server ignores', () => {
  it.concurrent('are filtered here, and counted apart from the others', async () => {
    const { exports, snapshot } = await backUpStream({ faults: [{ ignoreTypes: true }], inputs: { types: 'post' } })

    expect(snapshot?.lines).toEqual(threeLines.slice(0, 2))
    expect(snapshot?.manifest.documents).toMatchObject({
      count: 2,
      byType: { post: 2 },
      excluded: 0,
      liveCountBefore: 2,
      liveCountAfter: 2,
    })
    expect(exports).toBe(1)
  })

  it.concurrent('do not make up for wanted ones that are missing', async () => {
    const { run } = await backUpStream({
      faults: [{ ignoreTypes: true, select: (entries) => entries.filter(({ document }) => document?._id !== 'a') }],
      inputs: { types: 'post' },
    })

    expect(failureOf(run)).toMatchObject({ ...truncated, message: expect.stringMatching(/held 1 .*counts 2/) })
  })
})
