import type { Answer } from '../http.ts'

/**
 * Answers of the real API, as bodies of `fault({ answer })` and for the emulator itself. Boom style `{statusCode, error, message}` comes from the
 * auth and management layers, `{error: {type, description}}` from the Content Lake: @sanity/client http/errors.ts tells the two apart.
 */
export const answers = {
  /** 401 of a token that is unknown, deleted or revoked: sanity-io/sanity @repo/debug-proxy scenarios.ts. */
  sessionNotFound: unauthorized('Session not found', 'SIO-401-ANF'),
  /** 401 of an expired token: same source. */
  sessionExpired: unauthorized('Session is expired, please re-authenticate', 'SIO-401-AEX'),
  /** 401 of a token of another project: same source. */
  wrongProject: unauthorized('Session does not match project host', 'SIO-401-AWH'),
  /** The same as older answers have it, without a code: sanity.io/answers. */
  wrongProjectWithoutCode: unauthorized('Session does not match project host'),
  /** 401 of an account that is not a member of the project: sanity-io/sanity issues. */
  projectUserNotFound: {
    status: 401,
    body: {
      error: { type: 'projectUserNotFoundError', description: 'project user not found for user ID "g-abc123" in project "abc12345"' },
    },
  },
  /** Management endpoints answer 401 where a grant is missing, without a code: sanity-io/sanity core/util/apiErrors.ts. */
  missingGrant: missingGrant('sanity.project.datasets/read'),
  /** 403 of Content Lake: sanity-io/sanity issues. */
  insufficientPermissions: {
    status: 403,
    body: { error: { type: 'insufficientPermissionsError', description: 'Insufficient permissions; permission "read" required' } },
  },
  /** 403 for one dataset: sanity-io/sdk documentStore.test.ts. */
  noAccessToDataset: { status: 403, body: { error: 'Forbidden', message: 'Session does not have access to this dataset' } },
  /** 403 of endpoints that take no robot tokens: sanity.io docs, HTTP authentication. */
  robotsNotAllowed: { status: 403, body: { statusCode: 403, error: 'Forbidden', message: 'Robots are not allowed' } },
  /** 402: sanity.io/answers. */
  paymentRequired: {
    status: 402,
    body: {
      statusCode: 402,
      error: 'Payment Required',
      message: 'Project is already at user quota, add billing details to your project in order to increase the quota',
    },
  },
  /** 4xx of a plan limit: sanity-io/sanity issues. */
  planLimit: { status: 402, body: { statusCode: 402, error: 'plan_limit_reached', message: 'Plan limit reached' } },
  /** 409 while committing: rolled back, and the same transaction id may be sent again: sanity-io/sdk submissionErrors.ts. Text INFERRED. */
  transactionConflict: {
    status: 409,
    body: { error: { type: 'transactionConflictError', description: 'Transaction conflicted with another transaction' } },
  },
  /** 402 in the middle of an import: sanity-io/contentful-to-sanity issue 145. */
  quotaExceeded: { status: 402, body: { statusCode: 402, error: 'Payment Required', message: 'Quota exceeded' } },
  /** 500 of Content Lake. */
  internalError: {
    status: 500,
    body: { statusCode: 500, error: 'Internal Server Error', message: 'An internal server error occurred' },
  },
  /** What a proxy in front of the API says. */
  badGateway: {
    status: 502,
    headers: { 'content-type': 'text/html' },
    body: '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n',
  },
  unavailable: { status: 503 },
  gatewayTimeout: { status: 504, headers: { 'content-type': 'text/plain' }, body: 'upstream request timeout' },
  noContent: { status: 204 },
  empty: { status: 200, headers: { 'content-type': 'application/x-ndjson' }, body: '' },
} as const satisfies Record<string, Answer>

/** Management endpoints answer 401 where a grant is missing. */
export function missingGrant(grant: string): Answer {
  return unauthorized(`User is missing required grant ${grant}`)
}

/** 429 of the gateway, with seconds or an HTTP date: sanity.io/answers "API rate limit error"; sanity-io/client#942. */
export function rateLimited(retryAfter?: number | Date | string): Answer {
  const value = typeof retryAfter === 'object' ? retryAfter.toUTCString() : retryAfter
  return {
    status: 429,
    headers: { 'x-ratelimit-remaining-second': '0', ...(value === undefined ? {} : { 'retry-after': String(value) }) },
    body: { message: 'API rate limit exceeded' },
  }
}

/** 404 of a dataset, also of an alias, on the data and management routes: sanity-io/sanity requestErrors/classify.ts and issue 7528. */
export function datasetNotFound(project: string, dataset: string): Answer {
  const what = dataset.startsWith('~') ? 'Dataset alias' : 'Dataset'
  const name = dataset.replace(/^~/, '')
  return {
    status: 404,
    body: { error: `${what} not found`, statusCode: 404, message: `${what} "${name}" not found for project ID "${project}"` },
  }
}

/** 404 of a project on the management routes: sanity-io/sanity requestErrors/classify.ts. */
export function projectNotFound(project: string): Answer {
  const message = `Project with ID "${project}" not found`
  return { status: 404, body: { statusCode: 404, error: 'Not Found', message, attributes: { type: 'project' } } }
}

export function redirectTo(location: string, status = 302): Answer {
  return { status, headers: { location }, body: '' }
}

/** Error lines as they stand inside a 200 stream: @sanity/export rejectOnApiError.ts and tryParseJson.ts. */
export const errorLines = {
  withStatus: '{"statusCode":500,"error":"Internal Server Error","message":"query timed out"}',
  withoutStatus: '{"error":{"description":"query timed out"}}',
  withType: '{"error":{"description":"unable to scan: timed out","type":"databaseError"}}',
  asText: '{"error":"query timed out"}',
  messageOnly: '{"message":"API rate limit exceeded"}',
} as const

/** Answers of `acl`: sanity-io/sanity core/store/grants/debug/exampleGrants.ts. */
export const acls = {
  viewer: [{ filter: '_id in path("**")', permissions: ['read', 'history'] }],
  editor: [{ filter: '_id in path("**")', permissions: ['read', 'create', 'history', 'update'] }],
  contributor: [
    { filter: '_id in path("**")', permissions: ['read', 'history'] },
    { filter: '_id in path("drafts.**")', permissions: ['read', 'create', 'history', 'update'] },
  ],
  restricted: [{ filter: '_type in ["article", "author"]', permissions: ['read', 'history'] }],
  publishedOnly: [{ filter: '_id in path("*")', permissions: ['read'] }],
  none: [],
} as const

function unauthorized(message: string, errorCode?: string) {
  const code = errorCode === undefined ? {} : { errorCode }
  return { status: 401, body: { statusCode: 401, error: 'Unauthorized', message, ...code } } as const
}
