import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { errorOfAnswer } from '../../../src/sanity/errors/answer.ts'
import type { Answer } from '../../doubles/http.ts'
import { answers, datasetNotFound, projectNotFound, rateLimited, redirectTo } from '../../doubles/sanity/answers.ts'
import { sourceAt } from '../../support/ask.ts'

describe('errorOfAnswer', () => {
  const boom = (status: number, message: string, more: object = {}): Answer => ({
    status,
    body: { statusCode: status, error: 'E', message, ...more },
  })
  const lake = (status: number, type: string, description: string): Answer => ({ status, body: { error: { type, description } } })

  it.each([
    {
      name: '401 ANF',
      answer: answers.sessionNotFound,
      code: 'sanity-unauthorized',
      title: 'Sanity does not know the token (401)',
      tries: 1,
    },
    { name: '401 AEX', answer: answers.sessionExpired, code: 'sanity-unauthorized', title: 'The Sanity token has expired (401)', tries: 1 },
    {
      name: '401 AWH',
      answer: answers.wrongProject,
      code: 'sanity-unauthorized',
      title: 'The Sanity token belongs to another project (401)',
      tries: 1,
    },
    {
      name: '401 AWH without code',
      answer: answers.wrongProjectWithoutCode,
      code: 'sanity-unauthorized',
      title: 'The Sanity token belongs to another project (401)',
      tries: 1,
    },
    {
      name: '401 not a member',
      answer: answers.projectUserNotFound,
      code: 'sanity-unauthorized',
      title: 'The Sanity token belongs to an account outside the project (401)',
      tries: 1,
    },
    {
      name: '401 missing grant',
      answer: answers.missingGrant,
      code: 'sanity-forbidden',
      title: 'The Sanity token may not read this dataset (401)',
      tries: 1,
    },
    { name: '401 empty', answer: { status: 401 }, code: 'sanity-unauthorized', title: 'Sanity refused the token (401)', tries: 1 },
    {
      name: '401 not found, without code',
      answer: boom(401, 'Session not found'),
      code: 'sanity-unauthorized',
      title: 'Sanity does not know the token (401)',
      tries: 1,
    },
    {
      name: '403 robots',
      answer: answers.robotsNotAllowed,
      code: 'sanity-forbidden',
      title: 'Sanity says: Robots are not allowed (403)',
      tries: 1,
    },
    {
      name: '403 permission',
      answer: answers.insufficientPermissions,
      code: 'sanity-forbidden',
      title: 'The Sanity token may not read this dataset (403)',
      tries: 1,
    },
    {
      name: '403 no access',
      answer: answers.noAccessToDataset,
      code: 'sanity-forbidden',
      title: 'The Sanity token may not read this dataset (403)',
      tries: 1,
    },
    {
      name: '403 HTML',
      answer: { status: 403, body: '<html><h1>Blocked</h1></html>' },
      code: 'sanity-forbidden',
      title: 'Sanity forbids the request (403)',
      tries: 1,
    },
    {
      name: '404 dataset',
      answer: datasetNotFound('abc12345', 'production'),
      code: 'sanity-not-found',
      title: 'Sanity has no such dataset (404)',
      tries: 1,
    },
    {
      name: '404 project',
      answer: projectNotFound('abc12345'),
      code: 'sanity-not-found',
      title: 'Sanity has no such project (404)',
      tries: 1,
    },
    {
      name: '404 project by code',
      answer: boom(404, 'Project not found', { errorCode: 'SIO-404-PNF' }),
      code: 'sanity-not-found',
      title: 'Sanity has no such project (404)',
      tries: 1,
    },
    {
      name: '404 empty',
      answer: { status: 404 },
      code: 'sanity-not-found',
      title: 'Sanity has no such project or dataset (404)',
      tries: 1,
    },
    { name: '402', answer: answers.paymentRequired, code: 'sanity-quota', title: "The Sanity plan's limit is reached (402)", tries: 1 },
    {
      name: 'a plan limit as 403',
      answer: lake(403, 'documentLimitExceededError', 'x'),
      code: 'sanity-quota',
      title: "The Sanity plan's limit is reached (403)",
      tries: 1,
    },
    {
      name: 'a 404 of a dataset called "quota"',
      answer: datasetNotFound('abc12345', 'quota'),
      code: 'sanity-not-found',
      title: 'Sanity has no such dataset (404)',
      tries: 1,
    },
    {
      name: 'a 429 that speaks of a quota',
      answer: { status: 429, body: { message: 'Request quota exceeded, slow down' } },
      code: 'sanity-rate-limited',
      title: 'Rate limited by Sanity (429)',
      tries: 5,
    },
    {
      name: 'a 403 of a proxy that speaks of permission',
      answer: { status: 403, body: "<html><p>You don't have permission to access this resource.</p></html>" },
      code: 'sanity-forbidden',
      title: 'Sanity forbids the request (403)',
      tries: 1,
    },
    {
      name: 'a 401 of a proxy that speaks of permission',
      answer: { status: 401, body: '<html><p>You need permission of the proxy.</p></html>' },
      code: 'sanity-unauthorized',
      title: 'Sanity refused the token (401)',
      tries: 1,
    },
    { name: '414', answer: { status: 414 }, code: 'input-invalid', title: 'The request is too long (414)', tries: 1 },
    { name: '431', answer: { status: 431 }, code: 'input-invalid', title: 'The request is too long (431)', tries: 1 },
    { name: '429', answer: rateLimited(), code: 'sanity-rate-limited', title: 'Rate limited by Sanity (429)', tries: 5 },
    {
      name: '400',
      answer: lake(400, 'queryParseError', 'unexpected token'),
      code: 'input-invalid',
      title: 'Sanity does not understand the request (400)',
      tries: 1,
    },
    { name: '500', answer: answers.internalError, code: 'sanity-unavailable', title: 'Sanity has a problem (500)', tries: 5 },
    { name: '502', answer: answers.badGateway, code: 'sanity-unavailable', title: 'Sanity has a problem (502)', tries: 5 },
    { name: '503', answer: answers.unavailable, code: 'sanity-unavailable', title: 'Sanity has a problem (503)', tries: 5 },
    { name: '504', answer: answers.gatewayTimeout, code: 'sanity-unavailable', title: 'Sanity has a problem (504)', tries: 5 },
    {
      name: '302',
      answer: redirectTo('https://elsewhere.example/'),
      code: 'sanity-unavailable',
      title: 'api.sanity.io answered with a redirect (302)',
      tries: 1,
    },
    { name: '418', answer: { status: 418 }, code: 'sanity-unavailable', title: 'api.sanity.io gave an unexpected answer (418)', tries: 1 },
  ] satisfies { name: string; answer: Answer; code: string; title: string; tries: number }[])(
    'has the code, the title and the number of tries that are right for $name',
    ({ answer, code, title, tries }) => {
      expect(errorOf(answer)).toMatchObject({ code, title, retry: { tries }, hint: expect.stringMatching(/\w/) })
    },
  )

  it.each([
    { name: 'seconds', answer: rateLimited(7), afterMs: 7_000 },
    { name: 'a date in the past', answer: rateLimited(new Date(0)), afterMs: 0 },
    { name: 'nothing', answer: rateLimited(), afterMs: undefined },
    { name: 'seconds, on a 503', answer: { status: 503, headers: { 'retry-after': '3' } }, afterMs: 3_000 },
    { name: 'but not for minutes, on a 503', answer: { status: 503, headers: { 'retry-after': '300' } }, afterMs: undefined },
  ] satisfies { name: string; answer: Answer; afterMs: number | undefined }[])('waits as long as asked: $name', ({ answer, afterMs }) => {
    expect(errorOf(answer).retry.afterMs).toBe(afterMs)
  })

  it.each([
    { name: 'a JSON array', body: '["a",{"message":"hidden"}]' },
    { name: 'null', body: 'null' },
    { name: 'a number', body: '42' },
    { name: 'a string', body: '"just words"' },
    { name: 'a nested error without words', body: '{"error":{"items":[{}]}}' },
    { name: 'fields of other types', body: '{"error":5,"message":{"a":1},"errorCode":[],"attributes":null}' },
    { name: 'attributes of another type', body: '{"error":"x","attributes":"project"}' },
    { name: '64 KB of HTML', body: `<html><script>${'alert(1);'.repeat(3000)}</script>${'<p>words of a proxy</p>'.repeat(2000)}` },
    { name: '64 KB of one word', body: 'x'.repeat(65_536) },
    { name: '64 KB of spaces', body: ' '.repeat(65_536) },
    { name: '64 KB of opening brackets', body: '<'.repeat(65_536) },
    { name: '64 KB of script starts', body: '<script>'.repeat(8_192) },
    { name: 'nothing', body: '' },
    { name: 'a long message', body: JSON.stringify({ message: 'm'.repeat(60_000) }) },
    { name: 'invalid UTF-8', body: Buffer.from([0xff, 0xfe, 0x00]) },
    { name: 'half of a JSON body', body: '{"error":"Unauthorized","mess' },
  ])('reads a body of $name without harm and quotes 300 characters of it at most', ({ body }) => {
    const startedAt = performance.now()
    const messages = [400, 401, 402, 403, 404, 409, 429, 500, 503].map((status) => errorOf({ status, body }).message)
    const quotes = messages.map((message) => /Sanity says: "(.*)"\./s.exec(message)?.[1] ?? '')
    expect(Math.max(...quotes.map((quote) => quote.length))).toBeLessThanOrEqual(300)
    expect(Math.max(...messages.map((message) => message.length))).toBeLessThan(700)
    expect(performance.now() - startedAt).toBeLessThan(20_000)
  })

  it('never throws, whatever the status and the body', () => {
    const anyBody = fc.oneof(
      fc.json(),
      fc.string({ unit: 'binary' }),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    )
    fc.assert(
      fc.property(fc.integer({ min: 201, max: 599 }), anyBody, (status, body) => {
        expect(errorOf({ status, body }).name).toBe('BackupError')
      }),
      { numRuns: 1000 },
    )
  })

  it('names the trace by which Sanity finds the request', () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    expect(errorOf({ status: 500, headers: { traceparent } }).message).toContain('(trace id 0af7651916cd43dd8448eb211c80319c)')
  })

  it.each([{ traceparent: 'x' }, { traceparent: '00-::error::-1' }, { traceparent: '' }])(
    'leaves out a trace that is none: "$traceparent"',
    ({ traceparent }) => {
      expect(errorOf({ status: 500, headers: { traceparent } }).message).not.toContain('trace')
    },
  )
})

function errorOf({ status, headers = {}, body = '' }: Answer) {
  const bytes = typeof body === 'string' || Buffer.isBuffer(body) ? Buffer.from(body) : Buffer.from(JSON.stringify(body))
  const url = new URL('https://api.sanity.io/v1/x')
  return errorOfAnswer({
    status,
    headers,
    body: bytes,
    source: sourceAt('https://api.sanity.io'),
    what: 'the export of the documents',
    url,
  })
}
