import { describe, expect, it } from '@jest/globals'
import { readPage } from '../../../src/sanity/export/page.ts'
import { chunks, cut, rejection, source } from '../../support/feed.ts'

const a = '{"_id":"a","_type":"post"}'
const b = '{"_id":"drafts.b","_type":"page"}'
const cursor = '{"nextCursor":"taZ9fp"}'

describe('a page of the export', () => {
  it.each([
    { name: 'with a cursor at its end', body: `${a}\n${b}\n${cursor}\n`, ids: ['a', 'drafts.b'], next: 'taZ9fp' },
    { name: 'whose cursor line is not ended', body: `${a}\n${cursor}`, ids: ['a'], next: 'taZ9fp' },
    { name: 'with blank lines behind its cursor', body: `${a}\n${cursor}\n\n \n`, ids: ['a'], next: 'taZ9fp' },
    { name: 'of nothing but a cursor', body: `${cursor}\n`, ids: [], next: 'taZ9fp' },
    { name: 'that is the last', body: `${a}\n${b}\n`, ids: ['a', 'drafts.b'], next: undefined },
    { name: 'that is empty', body: '', ids: [], next: undefined },
    { name: 'that holds a document twice', body: `${a}\n${a}\n`, ids: ['a', 'a'], next: undefined },
    {
      name: 'with a document that has a field of that name',
      body: '{"_id":"a","_type":"post","nextCursor":"x"}\n',
      ids: ['a'],
      next: undefined,
    },
  ])('gives its documents and the cursor of the next one: one $name', async ({ body, ids, next }) => {
    expect(await read(chunks(body))).toEqual({ ids, next })
  })

  it.each([
    { name: 'an empty cursor', body: `${a}\n{"nextCursor":""}\n`, code: 'export-invalid', says: 'would begin the export again' },
    { name: 'a document behind the cursor', body: `${cursor}\n${a}\n`, code: 'export-invalid', says: 'Line 2' },
    { name: 'a second cursor', body: `${cursor}\n${cursor}\n`, code: 'export-invalid', says: 'behind the cursor' },
    { name: 'a cut cursor', body: `${a}\n${cursor.slice(0, 15)}`, code: 'export-truncated', says: 'in the middle of line 2' },
    { name: 'an error line', body: `${a}\n{"error":{"description":"timed out"}}\n`, code: 'export-rejected', says: 'timed out' },
    { name: 'an error behind the cursor', body: `${cursor}\n{"error":"timed out"}\n`, code: 'export-rejected', says: 'timed out' },
    { name: 'a line that is no JSON', body: '<html>\n', code: 'export-invalid', says: 'it is not valid JSON' },
  ])('is refused in its own words: one with $name', async ({ body, code, says }) => {
    expect(await rejection(read(chunks(body)))).toMatchObject({ code, message: expect.stringContaining(says) })
  })

  it('gives one result wherever the network splits it', async () => {
    const bytes = Buffer.from(`\ufeff${a}\r\n{"_id":"ü🙂","_type":"post"}\r\n${cursor}\r\n`)
    const whole = await read(chunks(bytes))
    const splits = Array.from({ length: bytes.length + 1 }, (_, at) => [bytes.subarray(0, at), bytes.subarray(at)])
    const results = await Promise.all([...splits, [...cut(bytes, [1])]].map((parts) => read(source(parts).items)))
    expect(whole).toEqual({ ids: ['a', 'ü🙂'], next: 'taZ9fp' })
    expect(results.filter((result) => JSON.stringify(result) !== JSON.stringify(whole))).toEqual([])
  })
})

async function read(body: AsyncIterable<Buffer>): Promise<{ ids: string[]; next: string | undefined }> {
  const pages = readPage(body)
  const ids: string[] = []
  for (;;) {
    const { done, value } = await pages.next()
    if (done) return { ids, next: value }
    ids.push(...value.map(({ id }) => id))
  }
}
