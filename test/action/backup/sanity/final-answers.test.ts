import { describe, expect, it } from '@jest/globals'
import { answers } from '../../../doubles/sanity/answers.ts'
import { finalAnswers } from '../../../sanity/errors/rows.ts'
import { failureOf } from '../../support.ts'
import { backUpWith, expectFailure, untilExport, untilQuery } from './support.ts'

/** One of each kind: all others are proven by `test/sanity/errors/answers.test.ts`. */
const kinds = new Set([
  '401 SIO-401-ANF',
  '401 that is a missing grant',
  '402 of a user quota',
  '403 with an empty body',
  '404 of a dataset',
  '400',
  '204',
  '429 that asks for too long a wait',
])

const oneOfEach = finalAnswers.filter(({ name }) => kinds.has(name))

/** Both routes are read by the same code. */
const onExportToo = new Set(['401 SIO-401-ANF', '204', '429 that asks for too long a wait'])

describe('an answer that no further try can change', () => {
  it.concurrent.each(oneOfEach)('to the count ends the run at once: $name', async (row) => {
    const { run, requests } = await backUpWith(row.answer, 'query')

    expectFailure(run, row)
    expect(requests).toEqual(untilQuery(1))
  })

  it.concurrent.each(oneOfEach.filter(({ name }) => onExportToo.has(name)))('to the export ends the run at once: $name', async (row) => {
    const { run, requests } = await backUpWith(row.answer, 'export')

    expectFailure(run, row)
    expect(requests).toEqual(untilExport(1))
  })
})

describe('the words of an answer', () => {
  it.concurrent('keep the trace id, which support asks for', async () => {
    const traceparent = '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01'

    const { run } = await backUpWith({ ...answers.sessionNotFound, headers: { traceparent } }, 'query')

    expect(run.error?.message).toContain('trace id 0123456789abcdef0123456789abcdef')
  })

  it.concurrent('do not matter when the answer of a success is no number', async () => {
    const { run, requests } = await backUpWith({ status: 200, body: '<html>Welcome to the hotel Wi-Fi</html>' }, 'query')

    expect(failureOf(run)).toMatchObject({ exitCode: 1, code: 'sanity-unavailable', title: expect.stringContaining('did not count') })
    expect(requests).toEqual(untilQuery(2))
  })
})
