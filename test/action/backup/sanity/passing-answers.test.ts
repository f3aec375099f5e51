import { describe, expect, it } from '@jest/globals'
import type { Answer } from '../../../doubles/http.ts'
import { answers, rateLimited } from '../../../doubles/sanity/answers.ts'
import { startSanity } from '../../../doubles/sanity/sanity.ts'
import { passingAnswers } from '../../../sanity/errors/rows.ts'
import { backUp, threeDocuments, together } from '../../support.ts'
import { backUpWith, expectFailure, untilExport, untilQuery } from './support.ts'

/** One that says how long to wait, and one that does not: all others are proven by `test/sanity/errors/answers.test.ts`. */
const retriedAnswers = passingAnswers.filter(({ name }) => ['429 with seconds', '500'].includes(name))

const routes = ['query', 'export'] as const

/** Backs up into a folder, with one such answer on a route before the right ones. */
async function backUpAfter(answer: Answer, route: 'query' | 'export') {
  await using sanity = await startSanity({ documents: threeDocuments })
  sanity.fault(route, { answer, times: 1 })
  await using run = await backUp({ sanity })
  const [first = 0, second = 0] = sanity.of(route).map(({ at }) => at)
  return { exitCode: run.exitCode, waitMs: second - first, triedAgainAt: performance.timeOrigin + second, tries: sanity.count(route) }
}

const rows = retriedAnswers.flatMap((row) => routes.map((route) => ({ ...row, name: `${row.name} to the ${route}`, route })))
const endedAfterTries = together(rows, async ({ answer, route }) => await backUpWith(answer, route))

describe('an answer that may be another one soon', () => {
  it.each(rows)('is asked for five times: $name', async ({ route, ...row }) => {
    const { run, requests } = await endedAfterTries(row.name)

    expectFailure(run, row)
    expect(requests).toEqual({ query: untilQuery(5), export: untilExport(5) }[route])
  })

  it.each(rows.filter(({ name }) => !name.startsWith('429 with seconds')))('is waited for longer each time: $name', async ({ name }) => {
    const { times } = await endedAfterTries(name)

    const waits = times.slice(1).map((at, before) => at - (times[before] ?? 0))
    expect(waits.filter((wait, before) => wait < 745 * 2 ** before)).toEqual([])
    expect(waits).toHaveLength(4)
  })
})

describe('a server that is well again', () => {
  it.concurrent.each(routes)('is asked again after as many seconds as its 429 on the %s route names', async (route) => {
    const { exitCode, waitMs } = await backUpAfter(rateLimited(3), route)

    expect(exitCode).toBe(0)
    expect(waitMs).toBeGreaterThanOrEqual(2_950)
  })

  it.concurrent('is asked again when the date comes that its 429 names', async () => {
    const date = new Date(Math.ceil(Date.now() / 1000) * 1000 + 6_000)

    const { exitCode, triedAgainAt } = await backUpAfter(rateLimited(date), 'query')

    expect(exitCode).toBe(0)
    expect(triedAgainAt).toBeGreaterThanOrEqual(date.getTime() - 50)
  })

  it.concurrent('is asked again after a second when that date has passed', async () => {
    const { exitCode, waitMs } = await backUpAfter(rateLimited(new Date(Date.now() - 60_000)), 'query')

    expect(exitCode).toBe(0)
    expect(waitMs).toBeGreaterThan(700)
  })

  it.concurrent.each([
    { route: 'query', tries: 3 },
    { route: 'export', tries: 2 },
  ] as const)('gets its backup made on the second try of the $route', async ({ route, tries }) => {
    expect(await backUpAfter(answers.internalError, route)).toMatchObject({ exitCode: 0, tries })
  })
})
