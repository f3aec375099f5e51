import { describe, expect, it } from '@jest/globals'
import { errorLines } from '../../../doubles/sanity/answers.ts'
import { failureOf, threeLines } from '../../support.ts'
import { backUpStream, type Stream } from './support.ts'

/** Stands inside of lines that cannot be backed up; nothing of such a line may ever be seen. */
const MARKER = 'CONFIDENTIAL-7f3a9c'
const invalid = { exitCode: 1, code: 'export-invalid' }
const rejected = { exitCode: 1, code: 'export-rejected' }

describe('an error inside the stream', () => {
  const says = /query timed out/
  it.concurrent.each([
    {
      name: 'a line with a status',
      stream: { last: [errorLines.withStatus] },
      fact: /line 4.*HTTP 500.*Internal Server Error.*query timed out/,
    },
    { name: 'a line without a status', stream: { last: [errorLines.withoutStatus] }, fact: says },
    { name: 'a line with a type', stream: { last: [errorLines.withType] }, fact: /unable to scan/ },
    { name: 'a line with a text as error', stream: { last: [errorLines.asText] }, fact: says },
    { name: 'a line with message inside the error', stream: { last: ['{"error":{"message":"query timed out"}}'] }, fact: says },
    { name: 'a line with an error without words', stream: { last: ['{"error":{}}'] }, fact: /line 4/ },
    { name: 'the first line', stream: { first: [errorLines.withoutStatus] }, fact: /line 1.*query timed out/ },
    {
      name: 'a line in the middle',
      stream: { insert: { afterLines: 1, lines: [errorLines.withStatus] } },
      fact: /line 2.*query timed out/,
    },
    { name: 'without a final line feed', stream: { last: [errorLines.withStatus], finalNewline: false }, fact: says },
    { name: 'glued into a line', stream: { glue: { line: 1, text: errorLines.withoutStatus } }, fact: /line 2.*query timed out/ },
    { name: 'glued, with a type', stream: { glue: { line: 1, text: errorLines.withType } }, fact: /unable to scan/ },
    { name: 'glued, with a text as error', stream: { glue: { line: 1, text: errorLines.asText } }, fact: says },
    { name: 'glued, with the status first', stream: { glue: { line: 1, text: errorLines.withStatus } }, fact: /HTTP 500.*query timed out/ },
    {
      name: 'glued, with a line feed behind',
      stream: { glue: { line: 2, text: `${errorLines.withStatus}\n` } },
      fact: /line 3.*query timed out/,
    },
  ] satisfies { name: string; stream: Stream; fact: RegExp }[])('fails after a second export: $name', async ({ stream, fact }) => {
    const { run, exports } = await backUpStream({ stream })

    expect(failureOf(run)).toMatchObject({ ...rejected, message: expect.stringMatching(fact) })
    expect(exports).toBe(2)
  })

  it.concurrent('is told without the half document before it', async () => {
    const { run } = await backUpStream({
      lines: [`{"_id":"a","_type":"post","secret":"${MARKER}","more":"${'x'.repeat(200)}"}`],
      stream: { glue: { line: 0, text: errorLines.withoutStatus } },
    })

    expect(failureOf(run)).toMatchObject(rejected)
    expect(run.seen).not.toContain(MARKER)
  })
})

describe('a line that is not a document', () => {
  it.concurrent.each([
    { name: 'an empty object', line: '{}' },
    { name: 'null', line: 'null' },
    { name: 'a number', line: '42' },
    { name: 'true', line: 'true' },
    { name: 'a string', line: `"${MARKER}"` },
    { name: 'an array', line: `[{"_id":"x","_type":"post","title":"${MARKER}"}]` },
    { name: 'an object without _id', line: `{"_type":"post","title":"${MARKER}"}` },
    { name: 'an object without _type', line: `{"_id":"x","title":"${MARKER}"}` },
    { name: 'an empty _id', line: `{"_id":"","_type":"post","title":"${MARKER}"}` },
    { name: 'an empty _type', line: `{"_id":"x","_type":"","title":"${MARKER}"}` },
    { name: 'a number as _id', line: `{"_id":7,"_type":"post","title":"${MARKER}"}` },
    { name: 'null as _type', line: `{"_id":"x","_type":null,"title":"${MARKER}"}` },
    { name: 'a message without an error', line: errorLines.messageOnly },
    { name: 'an error in a document without _id', line: `{"_type":"post","title":"x","error":"${MARKER}"}` },
    { name: 'an error in a document with null as _id', line: `{"_id":null,"_type":"post","error":{"description":"${MARKER}"}}` },
    { name: 'an error in a part of a document', line: `{"_key":"k","_type":"block","error":"${MARKER}","message":"${MARKER}"}` },
    { name: 'an error in a list that is cut off', line: `{"_id":"x","_type":"t","list":[{"a":1},{"error":"${MARKER}"}` },
    { name: 'an error in a second document', line: `{"_id":"x","_type":"t","x":1} {"_id":null,"error":"${MARKER}"}` },
    { name: 'a cursor in a document without _id', line: `{"_type":"post","nextCursor":"${MARKER}"}` },
    { name: 'half a document', line: `{"_id":"x","_type":"post","title":"${MARKER}` },
    { name: 'two documents', line: `{"_id":"x","_type":"post"}{"_id":"y","_type":"post","title":"${MARKER}"}` },
    { name: 'a trailing comma', line: `{"_id":"x","_type":"post","title":"${MARKER}",}` },
    { name: 'a part of HTML', line: `<html><body>${MARKER}</body></html>` },
    { name: 'a BOM in the middle', line: `\ufeff{"_id":"x","_type":"post","title":"${MARKER}"}` },
    {
      name: 'an invalid byte',
      line: Buffer.concat([Buffer.from(`{"_id":"x","_type":"post","title":"${MARKER}`), Buffer.from([0xff]), Buffer.from('"}')]),
    },
    { name: 'an encoded surrogate', line: Buffer.from([...Buffer.from(`{"_id":"x","_type":"${MARKER}`), 0xed, 0xa0, 0x80, 0x22, 0x7d]) },
    { name: 'an overlong slash', line: Buffer.from([...Buffer.from(`{"_id":"x","_type":"${MARKER}`), 0xc0, 0xaf, 0x22, 0x7d]) },
    { name: 'half a character', line: Buffer.from([...Buffer.from(`{"_id":"x","_type":"${MARKER}`), 0xe2, 0x82, 0x22, 0x7d]) },
    { name: 'the id of another document', line: `{"_id":"b","_type":"post","title":"${MARKER}"}` },
  ])('fails at once, is named by its number and not shown: $name', async ({ line }) => {
    const { run, exports } = await backUpStream({ stream: { insert: { afterLines: 2, lines: [line] } } })

    expect(failureOf(run)).toMatchObject({ ...invalid, message: expect.stringMatching(/\bLine 3\b/) })
    expect(run.seen).not.toContain(MARKER)
    expect(exports).toBe(1)
  })

  it.concurrent('is not shown when its id is a confidential one that comes twice', async () => {
    const line = `{"_id":"${MARKER}","_type":"post"}`

    const { run } = await backUpStream({ lines: [...threeLines, line, line] })

    expect(failureOf(run)).toMatchObject({ ...invalid, message: expect.stringContaining('Line 5') })
    expect(run.seen).not.toContain(MARKER)
  })

  it.concurrent('is counted with the blank lines before it', async () => {
    const { run } = await backUpStream({ stream: { first: ['', ''], insert: { afterLines: 1, lines: ['', '{}'] } } })

    expect(run.error?.message).toContain('Line 5')
  })
})
