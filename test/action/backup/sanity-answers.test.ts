import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { startGithubRest } from '../../doubles/github/github.ts'
import type { Answer } from '../../doubles/http.ts'
import { answers, datasetNotFound, projectNotFound, rateLimited, redirectTo } from '../../doubles/sanity/answers.ts'
import { startSanity } from '../../doubles/sanity/sanity.ts'
import { makeTempFolder } from '../../support/process.ts'
import { type BackupRun, backUp, failureOf, readSnapshot, startHoneypot, threeDocuments, together } from '../support.ts'

type Row = {
  readonly name: string
  readonly answer: Answer
  readonly code: string
  readonly title: RegExp
  /** What the message says of the fact, and the hint of the cure. */
  readonly fact: RegExp
  readonly cure: RegExp
}

const boom = (status: number, error: string, message: string): Answer => ({ status, body: { statusCode: status, error, message } })
const html = (status: number, words: string): Answer => ({
  status,
  headers: { 'content-type': 'text/html' },
  body: `<html><head><title>${words}</title><script>alert("x")</script></head><body><h1>${words}</h1></body></html>`,
})

const unauthorized = 'sanity-unauthorized'
const forbidden = 'sanity-forbidden'
const notFound = 'sanity-not-found'
const quota = 'sanity-quota'

const newToken = /robot token with the Viewer role/
const checkProject = /project-id/
const giveRole = /Viewer role/
const missingGrant = { code: forbidden, title: /may not read/, fact: /valid.*lacks a permission/s, cure: giveRole }

const finalAnswers: readonly Row[] = [
  {
    name: '401 SIO-401-ANF',
    answer: answers.sessionNotFound,
    code: unauthorized,
    title: /does not know the token/,
    fact: /deleted or revoked.*Session not found/s,
    cure: newToken,
  },
  {
    name: '401 SIO-401-AEX',
    answer: answers.sessionExpired,
    code: unauthorized,
    title: /expired/,
    fact: /expired.*Session is expired/s,
    cure: newToken,
  },
  {
    name: '401 SIO-401-AWH',
    answer: answers.wrongProject,
    code: unauthorized,
    title: /another project/,
    fact: /"abc12345".*does not match project host/s,
    cure: checkProject,
  },
  {
    name: '401 with the text of ANF without a code',
    answer: boom(401, 'Unauthorized', 'Session not found'),
    code: unauthorized,
    title: /does not know the token/,
    fact: /revoked/,
    cure: newToken,
  },
  {
    name: '401 with the text of AEX without a code',
    answer: boom(401, 'Unauthorized', 'Session is expired, please re-authenticate'),
    code: unauthorized,
    title: /expired/,
    fact: /expired/,
    cure: newToken,
  },
  {
    name: '401 with the text of AWH without a code',
    answer: answers.wrongProjectWithoutCode,
    code: unauthorized,
    title: /another project/,
    fact: /"abc12345"/,
    cure: checkProject,
  },
  {
    name: '401 with a code and without a text',
    answer: { status: 401, body: { errorCode: 'SIO-401-AEX' } },
    code: unauthorized,
    title: /expired/,
    fact: /expired/,
    cure: newToken,
  },
  {
    name: '401 projectUserNotFoundError',
    answer: answers.projectUserNotFound,
    code: unauthorized,
    title: /outside the project/,
    fact: /not a member/,
    cure: checkProject,
  },
  { name: '401 that is a missing grant', answer: answers.missingGrant, ...missingGrant },
  {
    name: '401 with an unknown text',
    answer: boom(401, 'Unauthorized', 'Please log in'),
    code: unauthorized,
    title: /refused the token/,
    fact: /Please log in/,
    cure: /secret is set/,
  },
  {
    name: '401 with an empty body',
    answer: { status: 401 },
    code: unauthorized,
    title: /refused the token/,
    fact: /gave no reason/,
    cure: /secret is set/,
  },
  {
    name: '401 with an HTML body',
    answer: html(401, 'Authorization required'),
    code: unauthorized,
    title: /refused the token/,
    fact: /Authorization required/,
    cure: /secret is set/,
  },
  {
    name: '402 of a user quota',
    answer: answers.paymentRequired,
    code: quota,
    title: /limit is reached \(402\)/,
    fact: /already at user quota/,
    cure: /Usage/,
  },
  {
    name: '402 with an empty body',
    answer: { status: 402 },
    code: quota,
    title: /limit is reached/,
    fact: /gave no reason/,
    cure: /Usage/,
  },
  { name: '402 plan_limit_reached', answer: answers.planLimit, code: quota, title: /limit is reached/, fact: /Plan limit/, cure: /Usage/ },
  {
    name: '403 plan_limit_reached',
    answer: boom(403, 'plan_limit_reached', 'Plan limit reached'),
    code: quota,
    title: /limit is reached \(403\)/,
    fact: /Plan limit/,
    cure: /Usage/,
  },
  {
    name: '400 documentLimitExceededError',
    answer: { status: 400, body: { error: { type: 'documentLimitExceededError', description: 'Document limit exceeded' } } },
    code: quota,
    title: /limit is reached/,
    fact: /Document limit exceeded/,
    cure: /Usage/,
  },
  {
    name: '403 Robots are not allowed',
    answer: answers.robotsNotAllowed,
    code: forbidden,
    title: /Robots are not allowed/,
    fact: /does not take robot tokens.*"abc12345".*"production".*2025-02-19/s,
    cure: /`project-id` and `dataset`.*`api-version`.*Viewer.*last resort.*personal token.*expires/s,
  },
  { name: '403 insufficient permissions', answer: answers.insufficientPermissions, ...missingGrant },
  {
    name: '403 insufficient permissions in the old style',
    answer: { status: 403, body: { error: 'Insufficient permissions', message: 'Insufficient permissions' } },
    ...missingGrant,
  },
  {
    name: '403 without the correct permissions',
    answer: { status: 403, body: { error: { description: 'Session does not have the correct permissions' } } },
    ...missingGrant,
  },
  { name: '403 without access to the dataset', answer: answers.noAccessToDataset, ...missingGrant },
  {
    name: '403 with an empty body',
    answer: { status: 403 },
    code: forbidden,
    title: /forbids/,
    fact: /gave no reason/,
    cure: /blocked or unpaid.*proxy/s,
  },
  {
    name: '403 with an HTML body',
    answer: html(403, 'Request blocked'),
    code: forbidden,
    title: /forbids/,
    fact: /Request blocked/,
    cure: /proxy or firewall/,
  },
  {
    name: '404 of a dataset',
    answer: datasetNotFound('abc12345', 'production'),
    code: notFound,
    title: /no such dataset/,
    fact: /"production".*"abc12345"/s,
    cure: /`dataset`.*project-id/s,
  },
  {
    name: '404 of an alias',
    answer: datasetNotFound('abc12345', '~live'),
    code: notFound,
    title: /no such dataset/,
    fact: /"production".*"abc12345"/s,
    cure: /alias/,
  },
  {
    name: '404 of a project',
    answer: projectNotFound('abc12345'),
    code: notFound,
    title: /no such project \(/,
    fact: /"abc12345".*"production"/s,
    cure: checkProject,
  },
  {
    name: '404 SIO-404-PNF',
    answer: { status: 404, body: { statusCode: 404, error: 'Not Found', message: 'Project not found', errorCode: 'SIO-404-PNF' } },
    code: notFound,
    title: /no such project \(/,
    fact: /"abc12345".*"production"/s,
    cure: checkProject,
  },
  {
    name: '404 that does not tell',
    answer: boom(404, 'Not Found', 'Not Found'),
    code: notFound,
    title: /no such project or dataset/,
    fact: /"abc12345".*"production"/s,
    cure: /`project-id` and `dataset`/,
  },
  {
    name: '404 with an empty body',
    answer: { status: 404 },
    code: notFound,
    title: /no such project or dataset/,
    fact: /"abc12345".*"production"/s,
    cure: /`project-id` and `dataset`/,
  },
  {
    name: '404 with an HTML body',
    answer: html(404, 'Page not found'),
    code: notFound,
    title: /no such project or dataset/,
    fact: /"abc12345".*"production"/s,
    cure: /`project-id` and `dataset`/,
  },
  {
    name: '400',
    answer: boom(400, 'Bad Request', 'unknown API version'),
    code: 'input-invalid',
    title: /does not understand/,
    fact: /unknown API version/,
    cure: /api-version/,
  },
  {
    name: '204',
    answer: answers.noContent,
    code: 'sanity-unavailable',
    title: /unexpected answer \(204\)/,
    fact: /Only a 200/,
    cure: /api-host.*proxy/s,
  },
  {
    name: '206',
    answer: { status: 206, body: '{"_id":"a","_type":"post"}\n' },
    code: 'sanity-unavailable',
    title: /unexpected answer \(206\)/,
    fact: /Only a 200/,
    cure: /api-host.*proxy/s,
  },
  {
    name: '201 that looks like a result',
    answer: { status: 201, body: { result: 3 } },
    code: 'sanity-unavailable',
    title: /unexpected answer \(201\)/,
    fact: /Only a 200/,
    cure: /api-host/,
  },
  {
    name: '429 that asks for too long a wait',
    answer: rateLimited(600),
    code: 'sanity-rate-limited',
    title: /too often \(429\)/,
    fact: /600 s.*API rate limit exceeded/s,
    cure: /off the full hour/,
  },
  {
    name: '429 that asks to wait until a far date',
    answer: rateLimited(new Date(Date.now() + 3_600_000)),
    code: 'sanity-rate-limited',
    title: /too often \(429\)/,
    fact: /3[56]\d\d s/,
    cure: /off the full hour/,
  },
]

/** One of each kind: both routes are read by the same code. */
const onExportToo = new Set([
  '401 SIO-401-ANF',
  '401 that is a missing grant',
  '401 with an empty body',
  '402 of a user quota',
  '403 Robots are not allowed',
  '403 insufficient permissions',
  '403 with an empty body',
  '404 of a dataset',
  '404 with an HTML body',
  '400',
  '204',
  '206',
  '429 that asks for too long a wait',
])

const retriedAnswers: readonly Row[] = [
  {
    name: '429 with seconds',
    answer: rateLimited(1),
    code: 'sanity-rate-limited',
    title: /too often/,
    fact: /wait 1 s/,
    cure: /off the full hour/,
  },
  {
    name: '429 without a time',
    answer: rateLimited(),
    code: 'sanity-rate-limited',
    title: /too often/,
    fact: /API rate limit/,
    cure: /off the full hour/,
  },
  {
    name: '429 with an empty body',
    answer: { status: 429 },
    code: 'sanity-rate-limited',
    title: /too often/,
    fact: /gave no reason/,
    cure: /off the full hour/,
  },
  {
    name: '500',
    answer: answers.internalError,
    code: 'sanity-unavailable',
    title: /\(500\)/,
    fact: /internal server error/i,
    cure: /status/,
  },
  { name: '502 in HTML', answer: answers.badGateway, code: 'sanity-unavailable', title: /\(502\)/, fact: /Bad Gateway/, cure: /status/ },
  {
    name: '503 without a body',
    answer: answers.unavailable,
    code: 'sanity-unavailable',
    title: /\(503\)/,
    fact: /no reason/,
    cure: /status/,
  },
  {
    name: '504 in plain text',
    answer: answers.gatewayTimeout,
    code: 'sanity-unavailable',
    title: /\(504\)/,
    fact: /upstream/,
    cure: /status/,
  },
]

const routes = ['query', 'export'] as const

/** Backs up with an answer on a route; the artifact service is one that must not be asked. */
async function backUpWith(answer: Answer, route: 'query' | 'export') {
  await using stack = new AsyncDisposableStack()
  const sanity = stack.use(await startSanity({ documents: threeDocuments }))
  const github = stack.use(await startGithubRest())
  const artifactService = stack.use(await startHoneypot())
  sanity.fault(route, { answer })
  const run = await backUp(
    { sanity, github },
    { inputs: { destination: 'artifact, directory' }, env: { ACTIONS_RESULTS_URL: `${artifactService.url}/` } },
  )
  await run[Symbol.asyncDispose]()
  const requests = {
    query: sanity.count('query'),
    export: sanity.count('export'),
    acl: sanity.count('acl'),
    artifacts: artifactService.requests.length,
  }
  return { run, requests, times: sanity.of(route).map(({ at }) => at) }
}

/** Backs up into a folder, with one such answer on a route before the right ones. */
async function backUpAfter(answer: Answer, route: 'query' | 'export') {
  await using sanity = await startSanity({ documents: threeDocuments })
  sanity.fault(route, { answer, times: 1 })
  await using run = await backUp({ sanity })
  const [first = 0, second = 0] = sanity.of(route).map(({ at }) => at)
  return { exitCode: run.exitCode, waitMs: second - first, triedAgainAt: performance.timeOrigin + second, tries: sanity.count(route) }
}

const untilQuery = (queries: number) => ({ query: queries, export: 0, acl: 0, artifacts: 0 })
const untilExport = (exports: number) => ({ query: 1, export: exports, acl: 0, artifacts: 0 })

function expectFailure(run: BackupRun, { code, title, fact, cure }: Row): void {
  const { exitCode, code: given, title: says, message } = failureOf(run)
  const [facts, hint] = message.split('\nHint: ')
  expect({ exitCode, code: given }).toEqual({ exitCode: 1, code })
  expect(says).toMatch(title)
  expect(facts).toMatch(fact)
  expect(hint).toMatch(cure)
}

const rows = retriedAnswers.flatMap((row) => routes.map((route) => ({ ...row, name: `${row.name} to the ${route}`, route })))
const endedAfterTries = together(rows, async ({ answer, route }) => await backUpWith(answer, route))

describe('an answer that no further try can change', () => {
  it.concurrent.each(finalAnswers)('to the count ends the run at once: $name', async (row) => {
    const { run, requests } = await backUpWith(row.answer, 'query')

    expectFailure(run, row)
    expect(requests).toEqual(untilQuery(1))
    expect(run.durationMs).toBeLessThan(20_000)
  })

  it.concurrent.each(finalAnswers.filter(({ name }) => onExportToo.has(name)))('to the export ends the run at once: $name', async (row) => {
    const { run, requests } = await backUpWith(row.answer, 'export')

    expectFailure(run, row)
    expect(requests).toEqual(untilExport(1))
    expect(run.durationMs).toBeLessThan(20_000)
  })
})

describe('an answer that may be another one soon', () => {
  it.each(rows)('is asked for five times: $name', async ({ route, ...row }) => {
    const { run, requests } = await endedAfterTries(row.name)

    expectFailure(run, row)
    expect(requests).toEqual({ query: untilQuery(5), export: untilExport(5) }[route])
  })

  it.each(rows.filter(({ name }) => !name.startsWith('429 with seconds')))('is waited for longer each time: $name', async ({ name }) => {
    const { times } = await endedAfterTries(name)

    const waits = times.slice(1).map((at, before) => at - (times[before] ?? 0))
    expect(waits.map((wait, before) => wait >= 745 * 2 ** before && wait < 1_250 * 2 ** before + 1_500)).toEqual([true, true, true, true])
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

describe('a redirect', () => {
  it.concurrent.each([
    { status: 301, route: 'query' },
    { status: 302, route: 'query' },
    { status: 302, route: 'export' },
    { status: 303, route: 'export' },
    { status: 307, route: 'export' },
    { status: 308, route: 'query' },
  ] as const)('to another host is not followed: $status on the $route route', async ({ status, route }) => {
    await using elsewhere = await startHoneypot()

    const { run, requests } = await backUpWith(redirectTo(`${elsewhere.url}/v2025-02-19/stolen`, status), route)

    expectFailure(run, {
      name: '',
      answer: { status },
      code: 'sanity-unavailable',
      title: new RegExp(`redirect \\(${status}\\)`),
      fact: /not followed, so that the token cannot reach another host/,
      cure: /api-host/,
    })
    expect(elsewhere.requests).toEqual([])
    expect(requests).toEqual(route === 'query' ? untilQuery(1) : untilExport(1))
  })
})

describe('an unreachable Sanity', () => {
  it.concurrent.each(['reset', 'close'] as const)('is tried five times before it is called unavailable: %s', async (connection) => {
    await using sanity = await startSanity({ documents: threeDocuments })
    sanity.fault('query', { connection })

    await using run = await backUp({ sanity })

    expect(failureOf(run)).toMatchObject({ exitCode: 1, code: 'sanity-unavailable', title: expect.stringContaining('cannot be reached') })
    expect(sanity.count('query')).toBe(5)
  })

  it.concurrent('is named with its port when nobody listens there', async () => {
    await using sanity = await startSanity()

    await using run = await backUp({ sanity }, { inputs: { 'api-host': 'http://127.0.0.1:9' } })

    expect(failureOf(run)).toMatchObject({
      exitCode: 1,
      code: 'sanity-unavailable',
      message: expect.stringMatching(/127\.0\.0\.1:9 .*refused.*ECONNREFUSED/),
    })
  })

  it.concurrent('is told apart from a certificate that nobody trusts', async () => {
    await using sanity = await startSanity()

    // A plain server does not speak TLS.
    await using run = await backUp({ sanity }, { inputs: { 'api-host': sanity.url.replace('http://', 'https://') } })

    expect(failureOf(run)).toMatchObject({ exitCode: 1, code: 'sanity-unavailable', title: expect.stringContaining('not secure') })
    expect(run.durationMs).toBeLessThan(20_000)
  })
})

describe('a proxy in the environment', () => {
  const nowhere = 'http://somebody:proxyPassword123@127.0.0.1:9'

  it.concurrent.each(['HTTP_PROXY', 'http_proxy'])('is used, and its password not shown: %s', async (variable) => {
    await using sanity = await startSanity({ documents: threeDocuments })

    await using run = await backUp({ sanity }, { env: { [variable]: nowhere } })

    expect(failureOf(run)).toMatchObject({ exitCode: 1, code: 'sanity-unavailable' })
    expect(sanity.requests).toEqual([])
    expect(run.seen).not.toContain('proxyPassword123')
  })

  it.concurrent('whose password reads like a piece of a path or a type bends neither', async () => {
    await using temp = await makeTempFolder('production')
    await using sanity = await startSanity({ documents: [{ _id: 'a', _type: 'production' }] })
    const env = { HTTP_PROXY: 'http://somebody:production@127.0.0.1:9', NO_PROXY: '127.0.0.1' }

    await using run = await backUp({ sanity }, { env, path: temp.path })

    expect(run.outputs['path']).toContain(temp.path)
    expect(run.outputs['manifest']).toBe(join(run.outputs['path'] ?? '', 'manifest.json'))
    expect((await readSnapshot(run)).manifest.documents.byType).toEqual({ production: 1 })
  })

  it.concurrent.each(['NO_PROXY', 'no_proxy'])('is passed by for hosts in %s', async (variable) => {
    await using sanity = await startSanity({ documents: threeDocuments })

    await using run = await backUp({ sanity }, { env: { HTTP_PROXY: nowhere, [variable]: '127.0.0.1' } })

    expect(run.exitCode).toBe(0)
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
