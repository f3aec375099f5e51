import { describe, expect, it } from '@jest/globals'
import { errorLines } from '../../../doubles/sanity/answers.ts'
import { failureOf, threeLines } from '../../support.ts'
import { backUpStream, type Stream } from './support.ts'

/** Here is one line of each kind: all others are proven by `test/sanity/export/line.test.ts` and `stream.test.ts` beside it. */

/** Stands inside of lines that cannot be backed up; nothing of such a line may ever be seen. */
const MARKER = 'CONFIDENTIAL-7f3a9c'
const invalid = { exitCode: 1, code: 'export-invalid' }
const rejected = { exitCode: 1, code: 'export-rejected' }

describe('an error inside the stream', () => {
  it.concurrent.each([
    {
      name: 'a line with a status',
      stream: { last: [errorLines.withStatus] },
      fact: /line 4.*HTTP 500.*Internal Server Error.*query timed out/,
    },
    { name: 'glued into a line', stream: { glue: { line: 1, text: errorLines.withoutStatus } }, fact: /line 2.*query timed out/ },
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
    { name: 'an object without _id', line: `{"_type":"post","title":"${MARKER}"}` },
    { name: 'an error in a document without _id', line: `{"_type":"post","title":"x","error":"${MARKER}"}` },
    { name: 'half a document', line: `{"_id":"x","_type":"post","title":"${MARKER}` },
    {
      name: 'an invalid byte',
      line: Buffer.concat([Buffer.from(`{"_id":"x","_type":"post","title":"${MARKER}`), Buffer.from([0xff]), Buffer.from('"}')]),
    },
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
