import type { Answer } from '../../doubles/http.ts'
import { answers, datasetNotFound, projectNotFound, rateLimited } from '../../doubles/sanity/answers.ts'

/** An answer of Sanity, and the error that it has to become. */
export type Row = {
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

/** Answers that no further try can change. */
export const finalAnswers: readonly Row[] = [
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
    title: /Rate limited by Sanity \(429\)/,
    fact: /600 s.*API rate limit exceeded/s,
    cure: /off the full hour/,
  },
  {
    name: '429 that asks to wait until a far date',
    answer: rateLimited(new Date(Date.now() + 3_600_000)),
    code: 'sanity-rate-limited',
    title: /Rate limited by Sanity \(429\)/,
    fact: /3[56]\d\d s/,
    cure: /off the full hour/,
  },
]

/** Answers that may be others soon. */
export const passingAnswers: readonly Row[] = [
  {
    name: '429 with seconds',
    answer: rateLimited(1),
    code: 'sanity-rate-limited',
    title: /Rate limited/,
    fact: /wait 1 s/,
    cure: /off the full hour/,
  },
  {
    name: '429 without a time',
    answer: rateLimited(),
    code: 'sanity-rate-limited',
    title: /Rate limited/,
    fact: /API rate limit/,
    cure: /off the full hour/,
  },
  {
    name: '429 with an empty body',
    answer: { status: 429 },
    code: 'sanity-rate-limited',
    title: /Rate limited/,
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
