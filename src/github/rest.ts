import type { Dispatcher } from 'undici'

/** The part of an HTTP client that is needed here. */
type Http = (
  url: URL,
  options: { headers: Record<string, string>; headersTimeout: number; bodyTimeout: number; signal: AbortSignal },
) => Promise<Dispatcher.ResponseData>

/** What runs the workflow. `enterprise`: GitHub on a host of its own, which has not all services of github.com. */
export type Forge = 'github' | 'enterprise' | 'gitea' | 'forgejo'

/** GitHub's REST API, as somebody with this token sees it. */
export type Github = {
  readonly apiUrl: string
  readonly token: string
  readonly http: Http
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>
  readonly signal: AbortSignal
}

/**
 * What GitHub answered. `status` is undefined if it could not be reached; `value` is the JSON of a 200, `location` where a redirect leads; `limited`:
 * so much was asked lately that GitHub gives no answer.
 */
export type GithubAnswer = {
  readonly status: number | undefined
  readonly value?: unknown
  readonly location?: string | undefined
  readonly limited?: boolean
}

export const answerMs = 10_000
/** Nor may an answer that only drips keep a run waiting. */
export const totalMs = 20_000
const tries = 3

/** Asks GitHub, three times if it has trouble. Throws the reason of the signal only. */
export async function askGithub(path: string, github: Github): Promise<GithubAnswer> {
  for (let tryNumber = 1; ; tryNumber++) {
    const answer = await askOnce(path, github)
    const final = answer.status !== undefined && answer.status < 500 && answer.status !== 429
    if (final || tryNumber === tries) return answer
    await github.wait(1000 * tryNumber, github.signal)
  }
}

/** What an answer other than the wanted one says. */
export function whyNot({ status, limited = false }: GithubAnswer): string {
  if (status === undefined) return 'GitHub could not be reached'
  return `GitHub answered ${status}${limited ? ': its rate limit is used up' : ''}`
}

async function askOnce(path: string, { apiUrl, token, http, signal }: Github): Promise<GithubAnswer> {
  try {
    const { statusCode, headers, body } = await http(new URL(`${apiUrl}${path}`), {
      headers: {
        accept: 'application/vnd.github+json',
        'user-agent': 'sanity-backup',
        'x-github-api-version': '2022-11-28',
        ...(token ? { authorization: `Bearer ${token}` } : {}),
      },
      headersTimeout: answerMs,
      bodyTimeout: answerMs,
      signal: AbortSignal.any([signal, AbortSignal.timeout(totalMs)]),
    })
    const { location } = headers
    if (statusCode === 200) return { status: 200, value: await body.json() }
    await body.dump()
    // docs.github.com/rest, "Rate limits for the REST API": the answer to one request too many is a 403 or a 429.
    const limited = [403, 429].includes(statusCode) && (headers['x-ratelimit-remaining'] === '0' || headers['retry-after'] !== undefined)
    return { status: statusCode, location: Array.isArray(location) ? location[0] : location, limited }
  } catch {
    signal.throwIfAborted()
    return { status: undefined }
  }
}
