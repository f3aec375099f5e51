import { describe, expect, it } from '@jest/globals'
import { answers, errorLines } from '../../../doubles/sanity/answers.ts'
import { type Sanity, startSanity } from '../../../doubles/sanity/sanity.ts'
import { backUp, failureOf, readSnapshot, sumSha256 } from '../../support.ts'

type Fault = Parameters<Sanity['fault']>[1]
type When = NonNullable<Fault['when']>

const lines = Array.from({ length: 25 }, (_, index) => `{"_id":"id-${String(index).padStart(2, '0')}","_type":"post","n":${index}}`)
const pageOf = (cursor: string): When => {
  return ({ query }) => query['nextCursor'] === cursor
}
const second = Buffer.from('10').toString('base64url')
const isPage: When = ({ query }) => query['nextCursor'] !== undefined
const isStream: When = ({ query }) => query['nextCursor'] === undefined

/** Backs 25 documents up, ten a page. */
async function backUpPages(faults: readonly Fault[], inputs: Readonly<Record<string, string>> = { 'export-mode': 'cursor' }) {
  await using sanity = await startSanity({ lines, pageDocuments: 10 })
  for (const fault of faults) sanity.fault('export', fault)
  await using run = await backUp({ sanity }, { inputs })
  const asked = sanity.of('export').map(({ query }) => (query['nextCursor'] === undefined ? 'stream' : query['nextCursor']))
  return { run, asked, snapshot: run.exitCode === 0 ? await readSnapshot(run) : undefined }
}

describe('an export in pages', () => {
  it('holds every document of every page, in order, and says that it is not one moment', async () => {
    const { snapshot, run, asked } = await backUpPages([])
    expect(snapshot?.lines).toEqual(lines)
    expect(snapshot?.manifest.source.mode).toBe('cursor')
    expect(snapshot?.manifest.documents.contentDigest).toBe(sumSha256(lines))
    expect(asked).toEqual(['', second, Buffer.from('20').toString('base64url')])
    expect(run.summary).toContain('| Consistency | not one moment')
  })

  it.concurrent.each([
    { name: 'its cursor line is split over many packets', fault: { stream: { chunkBytes: 1 } }, exports: 3 },
    { name: 'page two answers 503 without a body', fault: { answer: { status: 503 }, when: pageOf(second), times: 1 }, exports: 4 },
    { name: 'page two is reset before the headers', fault: { connection: 'reset', when: pageOf(second), times: 1 }, exports: 4 },
    {
      name: 'page two is reset in the middle',
      fault: { stream: { ending: { how: 'reset', afterLines: 4 } }, when: pageOf(second), times: 1 },
      exports: 4,
    },
    {
      name: 'page two ends inside a line',
      fault: { stream: { ending: { how: 'clean', afterBytes: 100 } }, when: pageOf(second), times: 1 },
      exports: 4,
    },
    {
      name: 'page two ends with an error line',
      fault: { stream: { last: [errorLines.withStatus] }, when: pageOf(second), times: 1 },
      exports: 4,
    },
  ] satisfies { name: string; fault: Fault; exports: number }[])(
    'is whole, and fetches only the broken page again, when $name',
    async ({ fault, exports }) => {
      const { snapshot, asked } = await backUpPages([fault])
      expect(snapshot?.lines).toEqual(lines)
      expect(asked).toHaveLength(exports)
      expect(asked.filter((cursor) => cursor === '')).toHaveLength(1)
    },
  )

  it('keeps the later of two versions of a document, in one page or in two, and counts them', async () => {
    const earlier = '{"_id":"id-03","_type":"post","n":"old"}'
    const faults = [
      { stream: { first: [earlier, earlier] }, when: pageOf('') },
      { stream: { first: [lines[3] ?? ''] }, when: pageOf(second) },
    ]
    const { snapshot, run } = await backUpPages(faults)
    expect(snapshot?.lines.toSorted()).toEqual(lines)
    expect(snapshot?.lines.indexOf(lines[3] ?? '')).toBe(9)
    expect(run.summary).toContain('documents came again 3 times')
  })

  it.concurrent.each([
    {
      name: 'an empty cursor',
      fault: { stream: { last: ['{"nextCursor":""}'] }, when: pageOf(Buffer.from('20').toString('base64url')) },
      code: 'export-invalid',
      says: /its cursor is empty/,
    },
    {
      name: 'a cursor that has been there before',
      fault: { stream: { last: [`{"nextCursor":"${second}"}`] }, when: pageOf(Buffer.from('20').toString('base64url')) },
      code: 'export-invalid',
      says: /Page 3 ends with a cursor that has been there before/,
    },
    {
      name: 'a document behind the cursor',
      fault: { stream: { last: ['{"_id":"late","_type":"post"}'] }, when: pageOf('') },
      code: 'export-invalid',
      says: /behind the cursor/,
    },
    {
      name: 'a page that is never whole',
      fault: { stream: { ending: { how: 'reset', afterLines: 4 } }, when: pageOf(second) },
      code: 'export-truncated',
      says: /was cut|ended in the middle/,
    },
    {
      name: 'a page that answers 401',
      fault: { answer: answers.sessionNotFound, when: pageOf(second) },
      code: 'sanity-unauthorized',
      says: /401|token/i,
    },
    {
      name: 'a page too few',
      fault: { select: (entries) => entries.slice(0, 20) },
      code: 'export-truncated',
      says: /20 documents where Sanity counts 25/,
    },
  ] satisfies { name: string; fault: Fault; code: string; says: RegExp }[])(
    'fails, and leaves nothing, for $name',
    async ({ fault, code, says }) => {
      const { run } = await backUpPages([fault])
      const failure = failureOf(run)
      expect(failure).toMatchObject({ exitCode: 1, code })
      expect(`${failure.title} ${failure.message}`).toMatch(says)
    },
  )

  it('fails for a server that goes on with new cursors and old documents for ever', async () => {
    await using sanity = await startSanity({ lines, pageDocuments: 10 })
    for (let page = 0; page < 60; page++) {
      const when = ({ query }: { query: Readonly<Record<string, string>> }) => query['nextCursor'] === (page === 0 ? '' : `c${page}`)
      const answer = { status: 200, body: Buffer.from(`${lines[0]}\n{"nextCursor":"c${page + 1}"}\n`) }
      sanity.fault('export', { when, answer })
    }
    await using run = await backUp({ sanity }, { inputs: { 'export-mode': 'cursor' } })
    expect(failureOf(run)).toMatchObject({ exitCode: 1, code: 'export-invalid', message: expect.stringContaining('brought nothing new') })
    expect(sanity.count('export')).toBeLessThan(15)
  })
})

describe('mode auto', () => {
  const cutStream: Fault = { stream: { ending: { how: 'reset', afterLines: 12 } }, when: isStream }

  it.concurrent.each([
    { name: 'is reset', fault: cutStream },
    { name: 'ends inside a line', fault: { stream: { ending: { how: 'clean', afterBytes: 100 } }, when: isStream } },
    { name: 'ends in an error', fault: { stream: { last: [errorLines.withoutStatus] }, when: isStream } },
    { name: 'ends early without an error', fault: { stream: { ending: { how: 'clean', afterLines: 12 } }, when: isStream } },
  ] satisfies { name: string; fault: Fault }[])('fetches pages when the stream $name twice, and says so', async ({ fault }) => {
    const { snapshot, asked, run } = await backUpPages([fault], {})
    expect(snapshot?.lines).toEqual(lines)
    expect(snapshot?.manifest.source.mode).toBe('cursor')
    expect(asked.slice(0, 3)).toEqual(['stream', 'stream', ''])
    expect(run.warnings.at(-1)).toMatch(/fetched page by page/)
    expect(run.summary).toContain('fetched page by page')
  })

  it('stays with the stream when it is cut only once', async () => {
    const { snapshot, asked } = await backUpPages([{ ...cutStream, times: 1 }], {})
    expect(snapshot?.manifest.source.mode).toBe('stream')
    expect(snapshot?.lines).toEqual(lines)
    expect(asked).toEqual(['stream', 'stream'])
  })

  it('fails in the words of the pages when these fail too', async () => {
    const { run } = await backUpPages([cutStream, { stream: { ending: { how: 'reset', afterLines: 4 } }, when: isPage }], {})
    expect(failureOf(run)).toMatchObject({
      exitCode: 1,
      code: 'export-truncated',
      message: expect.stringContaining('a page of the documents'),
    })
  })
})
