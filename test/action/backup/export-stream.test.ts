import { describe, expect, it } from '@jest/globals'
import { answers, errorLines } from '../../doubles/sanity/answers.ts'
import { type Sanity, startSanity } from '../../doubles/sanity/sanity.ts'
import { type BackupRun, backUp, failureOf, readSnapshot, type Snapshot, threeDocuments, threeLines, together } from '../support.ts'

type ExportFault = Parameters<Sanity['fault']>[1]
type Stream = NonNullable<ExportFault['stream']>

/** Stands inside of lines that cannot be backed up; nothing of such a line may ever be seen. */
const MARKER = 'CONFIDENTIAL-7f3a9c'

type Scenario = {
  readonly name?: string
  readonly faults?: readonly ExportFault[]
  readonly stream?: Stream
  /** What the counts result in, one after the other. */
  readonly counts?: readonly unknown[]
  readonly lines?: readonly (string | Buffer)[]
  readonly inputs?: Readonly<Record<string, string>>
}

type Ended = {
  readonly run: BackupRun
  readonly exports: number
  readonly queries: number
  readonly snapshot: Snapshot | undefined
}

/** Backs up into a folder and reads what is there afterwards. */
async function backUpStream({ faults = [], stream, counts, lines, inputs = {} }: Scenario): Promise<Ended> {
  await using sanity = await startSanity(lines ? { lines } : { documents: threeDocuments })
  for (const fault of faults) sanity.fault('export', fault)
  if (stream) sanity.fault('export', { stream })
  if (counts) sanity.fault('query', { results: counts })
  await using run = await backUp({ sanity }, { inputs: { 'export-mode': 'stream', ...inputs } })
  const snapshot = run.exitCode === 0 ? await readSnapshot(run) : undefined
  return { run, exports: sanity.count('export'), queries: sanity.count('query'), snapshot }
}

const truncated = { exitCode: 1, code: 'export-truncated' }
const invalid = { exitCode: 1, code: 'export-invalid' }
const rejected = { exitCode: 1, code: 'export-rejected' }

const rows: readonly (Scenario & { name: string })[] = [
  { name: 'chunked, without the final chunk, inside a line', stream: { ending: { how: 'cut', afterBytes: 60 } } },
  { name: 'chunked, without the final chunk, at a line end', stream: { ending: { how: 'cut', afterLines: 2 } } },
  { name: 'chunked, without the final chunk, behind the last line', stream: { ending: { how: 'cut' } } },
  { name: 'shorter than its content-length', stream: { framing: 'content-length', ending: { how: 'cut', afterLines: 2 } } },
  { name: 'reset in the middle', stream: { ending: { how: 'reset', afterLines: 1 } } },
  { name: 'reset behind the last line', stream: { ending: { how: 'reset' } } },
]
const broken = together(rows, backUpStream)

describe('a connection that breaks', () => {
  it.each(rows)('each time fails after five exports: $name', async ({ name }) => {
    const { run, exports } = await broken(name)

    expect(failureOf(run)).toMatchObject(truncated)
    expect(exports).toBe(5)
  })

  it.concurrent.each([
    { name: 'reset before the headers', fault: { connection: 'reset' } },
    { name: 'closed before the headers', fault: { connection: 'close' } },
    {
      name: 'reset in the middle',
      fault: { stream: { first: ['{"_id":"ghost","_type":"post"}'], ending: { how: 'reset', afterLines: 3 } } },
    },
    { name: 'cut in the middle', fault: { stream: { first: ['{"_id":"ghost","_type":"post"}'], ending: { how: 'cut', afterBytes: 70 } } } },
    {
      name: 'ended inside a line',
      fault: { stream: { first: ['{"_id":"ghost","_type":"post"}'], ending: { how: 'clean', afterBytes: 70 } } },
    },
    { name: 'an error line', fault: { stream: { first: ['{"_id":"ghost","_type":"post"}'], last: [errorLines.withStatus] } } },
    { name: 'a whole, but short one', fault: { stream: { ending: { how: 'clean', afterLines: 1 } } } },
  ] satisfies { name: string; fault: ExportFault }[])(
    'once leaves nothing of the first export in the snapshot: $name',
    async ({ fault }) => {
      const { exports, snapshot } = await backUpStream({ faults: [{ ...fault, times: 1 }] })

      expect(exports).toBe(2)
      expect(snapshot?.lines).toEqual(threeLines)
      expect(snapshot?.manifest.documents).toMatchObject({ count: 3, byType: { author: 1, post: 2 } })
    },
  )
})

describe('a stream that ends early, but politely', () => {
  it.concurrent.each([
    { name: 'inside a line', stream: { ending: { how: 'clean', afterBytes: 60 } } },
    {
      name: 'inside a line, with the content-length of what came',
      stream: { framing: 'content-length', ending: { how: 'clean', afterBytes: 60 } },
    },
    { name: 'inside a line, its end being that of the connection', stream: { framing: 'close', ending: { how: 'cut', afterBytes: 60 } } },
    {
      name: 'inside a character',
      stream: { first: ['{"_id":"ä","_type":"ä'], finalNewline: false, ending: { how: 'clean', afterBytes: 21 } },
    },
    { name: 'at a line end', stream: { ending: { how: 'clean', afterLines: 2 } } },
    {
      name: 'at a line end, with the content-length of what came',
      stream: { framing: 'content-length', ending: { how: 'clean', afterLines: 2 } },
    },
    { name: 'at a line end, its end being that of the connection', stream: { framing: 'close', ending: { how: 'cut', afterLines: 2 } } },
    { name: 'behind a line that lacks its line feed only', stream: { ending: { how: 'clean', afterBytes: 90 } } },
    { name: 'before the first byte', stream: { ending: { how: 'clean', afterBytes: 0 } } },
  ] satisfies { name: string; stream: Stream }[])('fails after a second export: $name', async ({ stream }) => {
    const { run, exports } = await backUpStream({ stream })

    expect(failureOf(run)).toMatchObject(truncated)
    expect(exports).toBe(2)
  })

  it.concurrent('fails when the answer is a 200 without a body', async () => {
    const { run, exports } = await backUpStream({ faults: [{ answer: answers.empty }] })

    expect(failureOf(run)).toMatchObject({ ...truncated, message: expect.stringMatching(/held 0 documents.*counts 3/) })
    expect(exports).toBe(2)
  })

  it.concurrent('names the line in the middle of which it ended', async () => {
    const { run } = await backUpStream({ stream: { ending: { how: 'clean', afterBytes: 60 } } })

    expect(run.error?.message).toContain('middle of line 2')
  })

  it.concurrent('fails when a cursor says that there is more', async () => {
    const { run, exports } = await backUpStream({ stream: { last: ['{"nextCursor":"taZ9fp"}'] } })

    expect(failureOf(run)).toMatchObject({ ...truncated, message: expect.stringContaining('cursor') })
    expect(exports).toBe(2)
  })
})

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

describe('a stream that is odd, but whole', () => {
  const data = `${threeLines.join('\n')}\n`
  const withError = '{"_id":"x","_type":"post","error":{"description":"a field"},"statusCode":500}'
  const withCursor = '{"_id":"x","_type":"post","nextCursor":"a field"}'

  it.concurrent.each([
    { name: 'CRLF', stream: { lineEnd: '\r\n' }, expected: data },
    { name: 'a BOM', stream: { bom: true }, expected: data },
    { name: 'a BOM and CRLF', stream: { bom: true, lineEnd: '\r\n' }, expected: data },
    { name: 'no final line feed', stream: { finalNewline: false }, expected: data },
    { name: 'no final line feed, CRLF', stream: { finalNewline: false, lineEnd: '\r\n' }, expected: data },
    { name: 'blank lines', stream: { first: ['', ' '], insert: { afterLines: 1, lines: ['', '\t'] }, last: [''] }, expected: data },
    { name: 'a cursor line in the middle', stream: { insert: { afterLines: 1, lines: ['{"nextCursor":"taZ9fp"}'] } }, expected: data },
    { name: 'an empty cursor at the end', stream: { last: ['{"nextCursor":""}'] }, expected: data },
    { name: 'a document with a field error', stream: { last: [withError] }, expected: `${data}${withError}\n` },
    { name: 'a document with a field nextCursor', stream: { last: [withCursor] }, expected: `${data}${withCursor}\n` },
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

describe('the count of the live documents', () => {
  it.concurrent.each([
    { name: 'lower', counts: [1], before: 1, after: 1, queries: 2 },
    { name: 'growing meanwhile', counts: [3, 9], before: 3, after: 9, queries: 2 },
    { name: 'shrinking meanwhile', counts: [9, 3], before: 9, after: 3, queries: 2 },
    { name: 'higher, then right: the index lagged', counts: [5, 5, 3], before: 5, after: 3, queries: 3 },
  ])('does not contradict the export: $name', async ({ counts, before, after, queries: expected }) => {
    const { exports, queries, snapshot } = await backUpStream({ counts })

    expect(snapshot?.manifest.documents).toMatchObject({ count: 3, liveCountBefore: before, liveCountAfter: after })
    expect({ exports, queries }).toEqual({ exports: 1, queries: expected })
  })

  it.concurrent('is asked again, and the export made once more, before the export is called truncated', async () => {
    const { run, exports, queries } = await backUpStream({ counts: [4] })

    expect(failureOf(run)).toMatchObject({ ...truncated, message: expect.stringMatching(/held 3 documents.*counts 4/) })
    expect({ exports, queries }).toEqual({ exports: 2, queries: 6 })
  })

  it.concurrent('may be right in the second round', async () => {
    const { exports, snapshot } = await backUpStream({ counts: [4, 4, 4, 3, 3] })

    expect(snapshot?.manifest.documents).toMatchObject({ count: 3, liveCountBefore: 3, liveCountAfter: 3 })
    expect(exports).toBe(2)
  })

  it.concurrent.each([
    { name: 'null', result: null },
    { name: 'a text', result: '3' },
    { name: 'negative', result: -1 },
    { name: 'a fraction', result: 1.5 },
    { name: 'a list', result: [3] },
  ])('proves nothing when it is no count: $name', async ({ result }) => {
    const { run, exports } = await backUpStream({ counts: [result] })

    expect(failureOf(run)).toMatchObject({ exitCode: 1, code: 'sanity-unavailable' })
    expect(exports).toBe(0)
  })

  it.concurrent('is of all documents but system ones, drafts and versions included', async () => {
    await using sanity = await startSanity({
      documents: [
        ...threeDocuments,
        { _id: 'drafts.a', _type: 'post' },
        { _id: 'versions.r1.a', _type: 'post' },
        { _id: '_.groups.public', _type: 'system.group' },
        { _id: '_.releases.r1', _type: 'system.release' },
      ],
    })

    await using run = await backUp({ sanity })

    const { manifest } = await readSnapshot(run)
    expect(manifest.documents).toMatchObject({ count: 6, drafts: 1, versions: 1, liveCountBefore: 5, liveCountAfter: 5 })
    expect(sanity.of('query').map(({ query }) => query['perspective'])).toEqual(['raw', 'raw'])
  })

  it.concurrent('does not take a release for a document that is missing', async () => {
    const lines = [...threeLines, '{"_id":"_.releases.r1","_type":"system.release"}']

    // Without the release three lines came, where four are live.
    const { run } = await backUpStream({ lines, counts: [4] })

    expect(failureOf(run)).toMatchObject(truncated)
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
