import type { GitHub } from '@actions/github/lib/utils'
import type { Http, HttpAnswer } from '../http/http.ts'
import type { Wait } from '../http/retry.ts'

/** GitHub's REST API, as somebody with this token sees it: the values that every question to it needs. */
export type Github = {
  /** Of github.com, of a `*.ghe.com` or of a server of one's own: the runner says which. */
  readonly apiUrl: string
  /** Empty: questions are asked without one. */
  readonly token: string
  readonly http: Http
  readonly wait: Wait
  readonly signal: AbortSignal
}

/** Octokit's methods, by the chapters of docs.github.com/rest. */
export type Rest = InstanceType<typeof GitHub>['rest']

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

/** How long GitHub, or its storage, may be silent before its answer and within it, in milliseconds. */
export const answerMs = 10_000
/** How long a whole answer may take, in milliseconds: one that only drips must not keep a run waiting. */
export const totalMs = 20_000
const tries = 3

/**
 * Asks GitHub by one of octokit's methods, three times if GitHub has trouble. Whatever GitHub answers is a value here, a refusal too; what it means is
 * for the caller to say. Throws the reason of the signal only.
 */
export async function askGithub(github: Github, ask: (rest: Rest) => Promise<OctokitAnswer>): Promise<GithubAnswer> {
  for (let tryNumber = 1; ; tryNumber++) {
    const answer = await askOnce(github, ask)
    const final = answer.status !== undefined && answer.status < 500 && answer.status !== 429
    if (final || tryNumber === tries) return answer
    await github.wait(1000 * tryNumber, github.signal)
  }
}

/** `owner/name` as the parameters that octokit's methods take. */
export function ownerAndRepo(repository: string): { readonly owner: string; readonly repo: string } {
  const [owner = '', ...name] = repository.split('/')
  return { owner, repo: name.join('/') }
}

/** What an answer other than the wanted one says, as part of a sentence. */
export function whyNot({ status, limited = false }: GithubAnswer): string {
  if (status === undefined) return 'GitHub could not be reached'
  return `GitHub answered ${status}${limited ? ': its rate limit is used up' : ''}`
}

/** As octokit gives an answer, and as it throws one that is an error; without an answer it throws something else. */
type OctokitAnswer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | number | undefined>>
  readonly data: unknown
}

async function askOnce(github: Github, ask: (rest: Rest) => Promise<OctokitAnswer>): Promise<GithubAnswer> {
  try {
    const { rest } = await openOctokit(github)
    return readAnswer(await ask(rest))
  } catch (error) {
    github.signal.throwIfAborted()
    const { response } = error as { readonly response?: OctokitAnswer }
    return response === undefined ? { status: undefined } : readAnswer(response)
  }
}

function readAnswer({ status, headers, data }: OctokitAnswer): GithubAnswer {
  if (status === 200) return { status, value: data }
  const { location } = headers
  // docs.github.com/rest, "Rate limits for the REST API": the answer to one request too many is a 403 or a 429.
  const limited = [403, 429].includes(status) && (headers['x-ratelimit-remaining'] === '0' || headers['retry-after'] !== undefined)
  return { status, location: location === undefined ? undefined : String(location), limited }
}

const silent = () => undefined
/** Octokit would write what GitHub says of itself to the console, past all cleaning. */
const log = { debug: silent, info: silent, warn: silent, error: silent }

/** Octokit is loaded when it is first needed: a run that asks GitHub nothing does without. */
async function openOctokit(github: Github): Promise<InstanceType<typeof GitHub>> {
  const { GitHub } = await import(/* webpackMode: "eager" */ '@actions/github/lib/utils')
  return new GitHub({
    ...(github.token ? { auth: github.token } : {}),
    baseUrl: github.apiUrl,
    userAgent: 'sanity-backup',
    log,
    request: { fetch: fetchOver(github), log },
  })
}

/** What octokit asks of `fetch`, over the HTTP client that everything here uses: with its proxies, and deadlines. Follows no redirect. */
function fetchOver({ http, signal }: Github) {
  return async (url: string, { headers }: { readonly headers: Record<string, string> }): Promise<Response> => {
    const answer = await http(new URL(url), {
      headers: { ...headers, 'x-github-api-version': '2022-11-28' },
      headersTimeout: answerMs,
      bodyTimeout: answerMs,
      signal: AbortSignal.any([signal, AbortSignal.timeout(totalMs)]),
    })
    const body = await answer.body.arrayBuffer()
    return new Response(body.byteLength === 0 ? null : body, { status: answer.statusCode, headers: headersOf(answer) })
  }
}

function headersOf({ headers }: HttpAnswer): [name: string, value: string][] {
  return Object.entries(headers).flatMap(([name, values]) => [values ?? []].flat().map((value): [string, string] => [name, value]))
}
