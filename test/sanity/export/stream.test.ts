import { describe, expect, it } from '@jest/globals'
import type { SanityApi } from '../../../src/sanity/api.ts'
import { exportDocuments, readExport } from '../../../src/sanity/export/stream.ts'
import { nothingSent } from '../../support/ask.ts'
import { chunks, collect, cut, rejection, source } from '../../support/feed.ts'

const a = '{"_id":"a","_type":"post"}'
const b = '{"_id":"drafts.b","_type":"page","error":"none"}'
const system = '{"_id":"_.groups.public","_type":"system.group"}'
const cursor = '{"nextCursor":"taZ9fp"}'

describe('an export that is whole', () => {
  it.each([
    { name: 'of no documents', body: '', ids: [] },
    { name: 'of two documents', body: `${a}\n${b}\n`, ids: ['a', 'drafts.b'] },
    { name: 'without a last line feed', body: `${a}\n${b}`, ids: ['a', 'drafts.b'] },
    { name: 'with blank lines', body: `\n\n${a}\n \n\t\n${b}\n\n`, ids: ['a', 'drafts.b'] },
    { name: 'with CRLF and a byte order mark', body: `\ufeff${a}\r\n${b}\r\n`, ids: ['a', 'drafts.b'] },
    { name: 'with system documents', body: `${system}\n${a}\n`, ids: ['_.groups.public', 'a'] },
    { name: 'with a cursor in the middle', body: `${a}\n${cursor}\n${b}\n`, ids: ['a', 'drafts.b'] },
    { name: 'with an empty cursor at the end', body: `${a}\n{"nextCursor":""}\n`, ids: ['a'] },
    { name: 'of blank lines only', body: '\n\r\n', ids: [] },
  ])('gives its documents in order: one $name', async ({ body, ids }) => {
    expect((await read(body)).map(({ id }) => id)).toEqual(ids)
  })

  it('gives each document with its type and the very bytes of its line', async () => {
    const odd = '{ "_id":"a" ,"_type":"post","n":12345678901234567890,"n":1e400,"\\u0061":"\u2028ü🙂" }'
    expect((await read(`\ufeff${odd}\r\n`)).map(({ bytes, ...rest }) => ({ ...rest, line: String(bytes) }))).toEqual([
      { id: 'a', type: 'post', line: odd },
    ])
  })
})

describe('an export that is broken', () => {
  it.each([
    { name: 'an end in the middle of a line', body: `${a}\n${b.slice(0, 20)}`, code: 'export-truncated', says: 'in the middle of line 2' },
    {
      name: 'an end in the middle of a character',
      body: Buffer.from(`${a}\n{"_id":"ü`).subarray(0, -1),
      code: 'export-truncated',
      says: 'in the middle of line 2',
    },
    { name: 'an end after a cursor', body: `${a}\n${cursor}\n`, code: 'export-truncated', says: 'after 2 lines with a cursor' },
    { name: 'an end after a cursor and a blank line', body: `${a}\n${cursor}\n\n`, code: 'export-truncated', says: 'with a cursor' },
    {
      name: 'an error line at the end',
      body: `${a}\n{"error":{"description":"query timed out"}}\n`,
      code: 'export-rejected',
      says: 'In line 2 of the export Sanity says: "query timed out"',
    },
    {
      name: 'an error line without line feed',
      body: `${a}\n{"statusCode":500,"error":"E","message":"m"}`,
      code: 'export-rejected',
      says: '"HTTP 500: E: m"',
    },
    { name: 'an error line in the middle', body: `${a}\n{"error":"x"}\n${b}\n`, code: 'export-rejected', says: 'In line 2' },
    {
      name: 'an error glued into a document',
      body: `${a}\n{"_id":"c","ti{"error":{"description":"unable to scan"}}`,
      code: 'export-rejected',
      says: '"unable to scan"',
    },
    {
      name: 'a line that is no JSON, ended by a line feed',
      body: `${a}\n\n{"_id":"c\n${b}\n`,
      code: 'export-invalid',
      says: 'Line 3 of the export cannot be backed up: it is not valid JSON',
    },
    {
      name: 'an empty object',
      body: `${a}\n{}\n`,
      code: 'export-invalid',
      says: 'Line 2 of the export cannot be backed up: it has no _id',
    },
    { name: 'an empty object as last line, not ended', body: `${a}\n{}`, code: 'export-invalid', says: 'it has no _id' },
    { name: 'null', body: 'null\n', code: 'export-invalid', says: 'Line 1 of the export cannot be backed up: it is not a JSON object' },
    { name: 'the body of a rate limit', body: '{"message":"API rate limit exceeded"}', code: 'export-invalid', says: 'Line 1' },
    {
      name: 'invalid UTF-8',
      body: Buffer.from(`${a}\n{"_id":"ü"}\n`, 'latin1'),
      code: 'export-invalid',
      says: 'Line 2 of the export cannot be backed up: it is not valid UTF-8',
    },
    {
      name: 'an id that comes twice',
      body: `${a}\n${b}\n\n${a}\n`,
      code: 'export-invalid',
      says: 'Line 4 of the export cannot be backed up: its _id has been there before',
    },
    {
      name: 'a byte order mark in the middle',
      body: `${a}\n\ufeff${b}\n`,
      code: 'export-invalid',
      says: 'Line 2 of the export cannot be backed up: it is not valid JSON',
    },
    { name: 'an error line at the beginning', body: `{"error":"x"}\n${a}\n`, code: 'export-rejected', says: 'In line 1' },
    { name: 'HTML', body: '<html>\n', code: 'export-invalid', says: 'it is not valid JSON' },
  ])('is refused in its own words: $name', async ({ body, code, says }) => {
    expect(await rejection(read(body))).toMatchObject({ code, message: expect.stringContaining(says) })
  })

  it('never shows the content of a line that is invalid', async () => {
    const secrets = [
      '{"_id":"secret-one",\n',
      '{"password":"secret-two"}\n',
      '"secret-three"\n',
      '{"_id":"secret-four","_type":7}\n',
      '{"_id":"secret-five"',
    ]
    const errors = (await Promise.all(secrets.map((body) => rejection(read(body))))) as { message: string; hint: string; title: string }[]
    expect(errors.map(({ message, hint, title }) => message + hint + title).filter((text) => text.includes('secret'))).toEqual([])
  })

  it.each([
    { name: 'an error inside the stream', body: '{"error":"x"}', tries: 2 },
    { name: 'a cut line', body: '{"_id":', tries: 2 },
    { name: 'an open cursor', body: cursor, tries: 2 },
    { name: 'an invalid line', body: '{}\n', tries: 1 },
  ])('may be tried as often as it can help: $name $tries times', async ({ body, tries }) => {
    expect(await rejection(read(body))).toMatchObject({ retry: { tries } })
  })

  it('passes on the error of its source', async () => {
    const error = new RangeError('cut')
    expect(await rejection(collect(readExport(source([Buffer.from(`${a}\n`)], error).items)))).toBe(error)
  })

  it('closes the body when it is broken and when the consumer leaves', async () => {
    const broken = source([Buffer.from('{}\n'), Buffer.from(a)])
    await rejection(collect(readExport(broken.items)))
    const left = source([Buffer.from(`${a}\n`), Buffer.from(b)])
    for await (const _ of readExport(left.items)) break
    expect([broken.closed(), left.closed()]).toEqual([true, true])
  })
})

describe('an export of 2 KB, split in two at every byte', () => {
  const documents = Array.from(
    { length: 14 },
    (_, index) => `{"_id":"id-${index}","_type":"post","title":"ü 🙂 \u2028 ${'…'.repeat(20)} ${index}"}`,
  )
  it.each([
    { name: 'that is whole', ending: '\r\n', says: 'id-13 post {"_id":"id-13"' },
    { name: 'without a last line end', ending: '', says: 'id-13 post {"_id":"id-13"' },
    {
      name: 'with an error line at the end',
      ending: '\r\n{"statusCode":500,"error":"Internal Server Error","message":"timed out – ü"}\r\n',
      says: 'Sanity says: "HTTP 500: Internal Server Error: timed out – ü"',
    },
    {
      name: 'with an error glued to the end',
      ending: '\r\n{"_id":"x","ti{"error":{"description":"timed out – ü"}}',
      says: 'Sanity says: "timed out – ü"',
    },
    { name: 'with a cut last line', ending: '\r\n{"_id":"x","_type":"ü', says: 'in the middle of line 15' },
    {
      name: 'with an invalid line at the end',
      ending: '\r\n{"_id":5}\r\n',
      says: 'Line 15 of the export cannot be backed up: it has no _id',
    },
  ])('gives one result: one $name', async ({ ending, says }) => {
    const bytes = Buffer.from(`\ufeff${documents.join('\r\n')}${ending}`)
    const whole = await outcomeOf([bytes])
    const outcomes = new Set<string>()
    for (let at = 0; at <= bytes.length; at++) outcomes.add(await outcomeOf([bytes.subarray(0, at), bytes.subarray(at)]))
    outcomes.add(await outcomeOf(cut(bytes, [1])))
    expect([...outcomes]).toEqual([whole])
    expect(whole).toContain(says)
  })
})

describe('exportDocuments', () => {
  it('asks for the export of the dataset, and for the wanted types in one parameter', async () => {
    const asked: unknown[] = []
    const api: SanityApi = {
      source: { projectId: 'abc12345', dataset: 'production', apiHost: new URL('https://api.sanity.io'), apiVersion: '2025-02-19' },
      open: async (path, { query }) => {
        asked.push({ path, query })
        return chunks(`${a}\n`)
      },
      send: nothingSent,
    }
    await collect(exportDocuments(api, { types: [], expected: 0 }))
    await collect(exportDocuments(api, { types: ['post', 'page'], expected: 2 }))
    expect(asked).toEqual([
      { path: '/data/export/production', query: {} },
      { path: '/data/export/production', query: { types: 'post,page' } },
    ])
  })
})

async function read(body: string | Buffer) {
  return (await collect(readExport(chunks(body)))).flat()
}

/** The documents of an export that is whole, or the words in which one is refused. */
async function outcomeOf(parts: Iterable<Buffer>): Promise<string> {
  return await collect(readExport(source(parts).items)).then(
    (batches) => batches.flatMap((batch) => batch.map(({ id, type, bytes }) => `${id} ${type} ${bytes}`)).join('\n'),
    (error: unknown) => (error as Error).message,
  )
}
