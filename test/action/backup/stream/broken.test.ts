import { describe, expect, it } from '@jest/globals'
import { answers, errorLines } from '../../../doubles/sanity/answers.ts'
import { failureOf, threeLines, together } from '../../support.ts'
import { backUpStream, type ExportFault, type Scenario, type Stream, truncated } from './support.ts'

/** The other ways in which a body can break are proven by `test/sanity/api.test.ts`. */
const rows: readonly (Scenario & { name: string })[] = [
  { name: 'chunked, without the final chunk, behind the last line', stream: { ending: { how: 'cut' } } },
  { name: 'reset in the middle', stream: { ending: { how: 'reset', afterLines: 1 } } },
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
    { name: 'cut in the middle', fault: { stream: { first: ['{"_id":"ghost","_type":"post"}'], ending: { how: 'cut', afterBytes: 70 } } } },
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
    { name: 'inside a line, its end being that of the connection', stream: { framing: 'close', ending: { how: 'cut', afterBytes: 60 } } },
    { name: 'at a line end', stream: { ending: { how: 'clean', afterLines: 2 } } },
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
    const { run, exports } = await backUpStream({ stream: { ending: { how: 'clean', afterBytes: 60 } } })

    expect(failureOf(run)).toMatchObject({ ...truncated, message: expect.stringContaining('middle of line 2') })
    expect(exports).toBe(2)
  })

  it.concurrent('fails when a cursor says that there is more', async () => {
    const { run, exports } = await backUpStream({ stream: { last: ['{"nextCursor":"taZ9fp"}'] } })

    expect(failureOf(run)).toMatchObject({ ...truncated, message: expect.stringContaining('cursor') })
    expect(exports).toBe(2)
  })
})
