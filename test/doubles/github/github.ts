import { type Artifacts, expiryOf, type StoredArtifact } from '../artifacts/artifacts.ts'
import { type Answer, listen, makeQueue, type RecordedRequest, recordRequest, send, type Turns, untilClosed } from '../http.ts'

type RestRoute = 'repository' | 'artifacts' | 'run-artifacts' | 'artifact' | 'zip' | 'delete-artifact' | 'unknown'

type RestRequest = RecordedRequest & { readonly route: RestRoute }

type RestFault = Turns & { readonly answer?: Answer; readonly connection?: 'reset' | 'hang'; readonly delayMs?: number }

export type GithubRestOptions = {
  /** `owner/name`. */
  readonly repository?: string
  readonly visibility?: 'private' | 'public' | 'internal'
  /** Where the artifacts come from. */
  readonly artifacts?: Artifacts
  /** Tokens that are taken; by default any. */
  readonly tokens?: readonly string[]
}

export type GithubRest = AsyncDisposable & {
  readonly url: string
  /** What the runner puts into the environment. */
  readonly env: Readonly<Record<string, string>>
  readonly requests: readonly RestRequest[]
  count(route: RestRoute): number
  fault(route: RestRoute, fault: RestFault): void
  /** Makes an artifact one of a fork’s run. */
  foreign(artifact: number): void
  reset(): void
}

/** Errors as GitHub's REST API words them: docs.github.com, REST API, troubleshooting. */
export const restAnswers = {
  badCredentials: restError(401, 'Bad credentials'),
  forbidden: restError(403, 'Resource not accessible by integration'),
  notFound: restError(404, 'Not Found'),
  gone: restError(410, 'Artifact has expired'),
  rateLimited: {
    ...restError(403, 'API rate limit exceeded for installation ID 1.'),
    headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1900000000' },
  },
  serverError: { status: 500, headers: { 'content-type': 'text/html' }, body: '<html><body>Whoa there!</body></html>' },
} as const satisfies Record<string, Answer>

/** Starts GitHub's REST API as far as this project asks it. Shapes: GitHub's OpenAPI description. */
export async function startGithubRest(options: GithubRestOptions = {}): Promise<GithubRest> {
  const { repository = 'acme/site', visibility = 'private', artifacts, tokens } = options
  const faults = makeQueue<RestFault & { readonly route: RestRoute }>()
  let requests: RestRequest[] = []
  const foreign = new Set<number>()

  const server = await listen(async (request, response, url) => {
    const [, prefix, rest = ''] = /^\/repos\/([^/]+\/[^/]+)(\/.*)?$/.exec(url.pathname) ?? []
    const route = routeOf(request.method ?? 'GET', rest)
    const record = { ...recordRequest(request, url), route }
    requests.push(record)
    const fault = faults.take((rule) => rule.route === route)
    if (fault?.delayMs) await new Promise((resolve) => setTimeout(resolve, fault.delayMs))
    if (fault?.connection === 'reset') return void response.socket?.resetAndDestroy()
    if (fault?.connection === 'hang') return await untilClosed(response)
    if (fault?.answer) return send(response, fault.answer)
    const token = /^(?:token|bearer) (.+)$/i.exec(record.authorization ?? '')?.[1]
    if (tokens && token !== undefined && !tokens.includes(token)) return send(response, restAnswers.badCredentials)
    // Without a token, or for somebody else, a private repository does not exist.
    if (prefix !== repository || (token === undefined && visibility !== 'public')) return send(response, restAnswers.notFound)
    send(response, answer(route, rest, record.query))
  })

  function answer(route: RestRoute, rest: string, query: Readonly<Record<string, string>>): Answer {
    const id = Number(/\/artifacts\/(\d+)/.exec(rest)?.[1])
    switch (route) {
      case 'repository':
        return { status: 200, body: repositoryOf(repository, visibility) }
      case 'artifacts':
        return listAnswer(artifacts?.list() ?? [], query)
      case 'run-artifacts':
        return listAnswer(artifacts?.list(/\/runs\/(\d+)\//.exec(rest)?.[1]) ?? [], query)
      case 'unknown':
        return restAnswers.notFound
      default: {
        const artifact = artifacts?.list().find((candidate) => candidate.id === id)
        if (!artifact) return restAnswers.notFound
        if (route === 'artifact') return { status: 200, body: artifactOf(artifact) }
        if (route === 'zip') return { status: 302, headers: { location: artifacts?.signedUrl(id) ?? '' } }
        artifacts?.remove(id)
        return { status: 204 }
      }
    }
  }

  /** Newest first, in pages of `per_page`. */
  function listAnswer(all: readonly StoredArtifact[], query: Readonly<Record<string, string>>): Answer {
    const matching = all.filter(({ name }) => query['name'] === undefined || name === query['name']).toSorted((a, b) => b.id - a.id)
    const size = Number(query['per_page'] ?? 30)
    const page = Number(query['page'] ?? 1)
    const shown = matching.slice((page - 1) * size, page * size)
    return { status: 200, body: { total_count: matching.length, artifacts: shown.map(artifactOf) } }
  }

  function artifactOf(artifact: StoredArtifact): object {
    const url = `${server.url}/repos/${repository}/actions/artifacts/${artifact.id}`
    const expiresAt = expiryOf(artifact)
    return {
      id: artifact.id,
      node_id: Buffer.from(`Artifact:${artifact.id}`).toString('base64'),
      name: artifact.name,
      size_in_bytes: artifact.size,
      url,
      archive_download_url: `${url}/zip`,
      expired: Date.parse(expiresAt) <= Date.now(),
      created_at: artifact.createdAt,
      updated_at: artifact.createdAt,
      expires_at: expiresAt,
      digest: artifact.digest,
      workflow_run: {
        id: Number(artifact.run),
        repository_id: 1,
        head_repository_id: foreign.has(artifact.id) ? 99 : 1,
        head_branch: 'main',
        head_sha: '0123456789abcdef0123456789abcdef01234567',
      },
    }
  }

  return {
    url: server.url,
    env: { GITHUB_API_URL: server.url, GITHUB_GRAPHQL_URL: `${server.url}/graphql`, GITHUB_REPOSITORY: repository },
    get requests() {
      return requests
    },
    count: (route) => requests.filter((request) => request.route === route).length,
    fault: (route, fault) => faults.add({ ...fault, route }),
    foreign: (artifact) => void foreign.add(artifact),
    reset() {
      faults.clear()
      requests = []
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

function routeOf(method: string, rest: string): RestRoute {
  if (rest === '') return 'repository'
  if (rest === '/actions/artifacts') return 'artifacts'
  if (/^\/actions\/runs\/\d+\/artifacts$/.test(rest)) return 'run-artifacts'
  if (/^\/actions\/artifacts\/\d+\/zip$/.test(rest)) return 'zip'
  if (/^\/actions\/artifacts\/\d+$/.test(rest)) return method === 'DELETE' ? 'delete-artifact' : 'artifact'
  return 'unknown'
}

function repositoryOf(fullName: string, visibility: 'private' | 'public' | 'internal'): object {
  const [login, name] = fullName.split('/')
  return {
    id: 1,
    node_id: 'R_1',
    name,
    full_name: fullName,
    owner: { login, id: 2, type: 'Organization' },
    private: visibility !== 'public',
    visibility,
    html_url: `https://github.com/${fullName}`,
    fork: false,
    archived: false,
    disabled: false,
    default_branch: 'main',
    permissions: { admin: false, maintain: false, push: false, triage: false, pull: true },
  }
}

function restError(status: number, message: string) {
  return { status, body: { message, documentation_url: 'https://docs.github.com/rest', status: String(status) } } as const
}
