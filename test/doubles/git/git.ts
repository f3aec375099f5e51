import { spawn, spawnSync } from 'node:child_process'
import { hash } from 'node:crypto'
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { makeTempFolder } from '../../support/process.ts'
import { type Answer, listen, makeQueue, type RecordedRequest, readBody, recordRequest, send, type Turns, untilClosed } from '../http.ts'

type Service = 'git-upload-pack' | 'git-receive-pack'

type GitRequest = RecordedRequest & {
  readonly service: Service | 'other'
  /** Its number among the requests of one git process; 0 is the question that opens an exchange. */
  readonly place: number
  sentBytes: number
  receivedBytes: number
}

type GitFault = Turns & {
  readonly answer?: Answer
  readonly connection?: 'reset' | 'hang'
  /** Awaited before the request is served. */
  readonly before?: () => Promise<void>
  /** Awaited when the request has been served, before the end of its answer. */
  readonly after?: () => Promise<void>
  /** Serves the request, and cuts the connection instead of answering. */
  readonly loseAnswer?: true
  /** Serves the request twice, and answers the second time only: so it is when the network sends it again. */
  readonly twice?: true
  /** Serves the request, and cuts the connection in the middle of its answer. */
  readonly cutAnswer?: true
  /** Only for a body that comes without its length. */
  readonly chunked?: true
  /** Only for the exchange itself, not for the question that opens it. */
  readonly exchange?: true
  /** Only for a push that moves a ref below this one. */
  readonly moves?: string
  /** Only for requests with this number in their git process. */
  readonly place?: number
  /** Only for what was not asked before, so that a second try succeeds. */
  readonly firstTry?: true
}

/** What GitHub refuses a push with, once it has been received. */
export type Refusal = 'protected' | 'ruleset' | 'large-file' | 'large-pack' | 'secret'

export type Git = AsyncDisposable & {
  readonly url: string
  /** What the runner puts into the environment. */
  readonly env: Readonly<Record<string, string>>
  readonly requests: readonly GitRequest[]
  /** The repository itself. */
  readonly folder: string
  /** Runs git in the repository, as its owner. */
  run(...args: readonly string[]): string
  /** A commit of the given files on a branch, made by somebody else. */
  commit(branch: string, files: Readonly<Record<string, string>>, options?: CommitOptions): string
  /** The content of an object. */
  bytes(name: string): Buffer
  /** A tree as a tar. */
  archive(tree: string): Buffer
  /** The paths of a commit's files. */
  paths(commitish: string): string[]
  /** The files of a commit, with their content: for few files. */
  files(commitish: string): Record<string, string>
  /** Takes an object from the server's disk. It must lie in a file of its own, as those of a small push do. */
  lose(name: string): Promise<void>
  /** Lets the server refuse pushes of any branch until further notice. */
  refuse(refusal: Refusal | undefined): Promise<void>
  fault(service: Service | 'any', fault: GitFault): void
  reset(): void
}

type CommitOptions = { readonly author?: string; readonly date?: string; readonly message?: string }

type GitOptions = {
  /** `owner/name` */
  readonly repository?: string
  /** Tokens that may write; by default any may. */
  readonly writers?: readonly string[]
  /** Tokens that may only read. */
  readonly readers?: readonly string[]
  /** A repository without any commit. */
  readonly empty?: boolean
}

/** GitHub's answers to git: captured texts in docs.github.com, "Error: Permission denied", and in public issues. */
export const gitAnswers = {
  forbidden: text(403, 'Permission to acme/site.git denied to github-actions[bot].'),
  notFound: text(404, 'Repository not found.'),
  duplicate: text(400, 'Duplicate header: "Authorization"'),
  unauthorized: {
    status: 401,
    headers: { 'content-type': 'text/plain', 'www-authenticate': 'Basic realm="GitHub"' },
    body: 'Invalid username or token. Password authentication is not supported for Git operations.\n',
  },
  forbiddenToRead: text(
    403,
    "The `acme' organization has enabled or enforced SAML SSO. To access this repository, you must re-authorize the OAuth Application.",
  ),
  moved: { status: 301, headers: { location: 'http://github.localhost:9/acme/new.git/info/refs?service=git-upload-pack' } },
  lengthRequired: text(411, 'Length Required'),
  badRequest: text(400, 'Bad Request'),
  requestTimeout: text(408, 'Request Timeout'),
  unavailable: text(503, 'Service unavailable'),
} as const satisfies Record<string, Answer>

/**
 * Starts GitHub's git: a real `git http-backend` over HTTP, with the hooks of a server that refuses in GitHub's words. Any number of repositories, of
 * which one is there from the start, with a first commit on `main`.
 */
export async function startGit({ repository = 'acme/site', writers, readers = [], empty = false }: GitOptions = {}): Promise<Git> {
  await using stack = new AsyncDisposableStack()
  const root = stack.use(await makeTempFolder('git'))
  const folder = join(root.path, `${repository}.git`)
  const faults = makeQueue<GitFault & { readonly service: Service | 'any' }>()
  let requests: GitRequest[] = []
  const places = new Map<GitRequest['service'], number>()
  const asked = askedBefore()
  await makeBare(folder)

  const run = (...args: readonly string[]): string => {
    const { status, stdout, stderr } = git(folder, args)
    if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`)
    return stdout.trim()
  }

  const server = stack.use(
    await listen(async (request, response, url) => {
      const service = serviceOf(url)
      const exchange = request.method === 'POST'
      const place = exchange ? (places.get(service) ?? 0) + 1 : 0
      places.set(service, place)
      const record: GitRequest = { ...recordRequest(request, url), service, place, sentBytes: 0, receivedBytes: 0 }
      requests.push(record)
      const body =
        exchange && faults.some(({ firstTry, moves }) => firstTry === true || moves !== undefined) ? await readBody(request) : undefined
      record.receivedBytes += body?.length ?? 0
      const isNew = asked.isNew(service, body)
      const fault = faults.take(
        (rule) =>
          (rule.service === 'any' || rule.service === service) &&
          (!rule.exchange || exchange) &&
          (!rule.chunked || request.headers['transfer-encoding'] === 'chunked') &&
          (rule.place === undefined || rule.place === place) &&
          (!rule.firstTry || isNew) &&
          (rule.moves === undefined || body?.toString('latin1', 0, 1000).includes(` ${rule.moves}`) === true),
      )
      await fault?.before?.()
      if (fault?.connection === 'reset') return void response.socket?.resetAndDestroy()
      if (fault?.connection === 'hang') return await untilClosed(response)
      if (fault?.answer) return send(response, fault.answer)
      const refusal = refusalOf(record, { repository, writers, readers })
      if (refusal) return send(response, refusal)
      await serve(request, response, { url, root: root.path, record, fault, body })
    }),
  )

  const commit = (branch: string, files: Readonly<Record<string, string>>, options: CommitOptions = {}): string => {
    const { author = 'Ada <ada@acme.example>', date = '1700000000 +0100', message = `Change ${Object.keys(files).join(', ')}` } = options
    const changes = Object.entries(files).map(
      ([path, content]) => `M 100644 inline ${path}\ndata ${Buffer.byteLength(content)}\n${content}\n`,
    )
    const exists = git(folder, ['rev-parse', '--verify', '--quiet', `refs/heads/${branch}`]).status === 0
    const from = exists ? `from refs/heads/${branch}^0\n` : ''
    const made = `commit refs/made/new\nauthor ${author} ${date}\ncommitter ${author} ${date}\ndata ${Buffer.byteLength(message)}\n${message}\n${from}${changes.join('')}`
    const { status, stderr } = git(folder, ['fast-import', '--quiet', '--force'], made)
    if (status !== 0) throw new Error(stderr)
    const name = run('rev-parse', 'refs/made/new')
    run('update-ref', `refs/heads/${branch}`, name)
    run('update-ref', '-d', 'refs/made/new')
    return name
  }

  const paths = (commitish: string): string[] =>
    run('ls-tree', '-r', '--name-only', '--full-tree', commitish)
      .split('\n')
      .filter((path) => path !== '')

  if (!empty) commit('main', { 'index.html': '<h1>Site</h1>' })
  const owned = stack.move()
  return {
    // git knows that *.localhost is this machine, and @actions/artifact takes such a server for GitHub.
    url: `http://github.localhost:${server.port}`,
    env: { GITHUB_SERVER_URL: `http://github.localhost:${server.port}`, GITHUB_REPOSITORY: repository },
    get requests() {
      return requests
    },
    folder,
    run,
    commit,
    bytes: (name) => Buffer.from(git(folder, ['cat-file', 'blob', name], undefined, 'latin1').stdout, 'latin1'),
    archive: (tree) => Buffer.from(git(folder, ['archive', tree], undefined, 'latin1').stdout, 'latin1'),
    paths,
    files: (commitish) =>
      Object.fromEntries(paths(commitish).map((path) => [path, git(folder, ['cat-file', 'blob', `${commitish}:${path}`]).stdout])),
    lose: async (name) => {
      const object = run('rev-parse', name)
      await rm(join(folder, 'objects', object.slice(0, 2), object.slice(2)))
    },
    refuse: async (refusal) => await writeFile(join(folder, 'refusal'), refusal ?? ''),
    fault: (service, fault) => faults.add({ ...fault, service }),
    reset: () => {
      faults.clear()
      asked.clear()
      requests = []
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function git(folder: string, args: readonly string[], input?: string, encoding: 'utf8' | 'latin1' = 'utf8') {
  return spawnSync('git', args, {
    cwd: folder,
    encoding,
    input,
    maxBuffer: 1e9,
    env: { PATH: '/usr/bin:/bin', GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1', HOME: folder },
  })
}

/** As GitHub's servers are set: pushes, partial clones, and commits by their name. */
async function makeBare(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const settings = [
    ['http.receivepack', 'true'],
    ['uploadpack.allowFilter', 'true'],
    ['uploadpack.allowReachableSHA1InWant', 'true'],
  ]
  git(folder, ['init', '--quiet', '--bare', '--initial-branch=main', '.'])
  for (const [name = '', value = ''] of settings) git(folder, ['config', name, value])
  await writeFile(join(folder, 'refusal'), '')
  const hook = join(folder, 'hooks', 'pre-receive')
  await writeFile(hook, preReceive)
  await chmod(hook, 0o755)
}

/** GitHub's refusals: docs.github.com, and public issues that quote them. The reason in brackets can only be git's own here. */
const preReceive = `#!/bin/sh
read -r old new ref
case "$(cat refusal)" in
  protected)
    echo "error: GH006: Protected branch update failed for $ref." >&2
    echo "error: At least 1 approving review is required by reviewers with write access." >&2 ;;
  ruleset)
    echo "error: GH013: Repository rule violations found for $ref." >&2
    echo "Review all repository rules at http://github.com/acme/site/rules" >&2
    echo "- Changes must be made through a pull request." >&2 ;;
  secret)
    echo "error: GH013: Repository rule violations found for $ref." >&2
    echo "- Push cannot contain secrets" >&2 ;;
  large-file)
    echo "error: Trace: 0123456789abcdef" >&2
    echo "error: See https://gh.io/lfs for more information." >&2
    echo "error: File data.bin is 108.69 MB; this exceeds GitHub's file size limit of 100.00 MB" >&2
    echo "error: GH001: Large files detected. You may want to try Git Large File Storage - https://git-lfs.github.com." >&2 ;;
  large-pack)
    echo "fatal: pack exceeds maximum allowed size (2.00 GiB)" >&2 ;;
  *) exit 0 ;;
esac
exit 1
`

/**
 * Knows what was asked before: a body that came already, or a question that opens an exchange when nothing new was asked since another one did. So a
 * client that begins again, with all that it asked before, asks nothing new until it comes to where it was.
 */
function askedBefore() {
  const seen = new Set<string>()
  let bodies = 0
  return {
    isNew: (service: GitRequest['service'], body: Buffer | undefined): boolean => {
      const key = body === undefined ? `${service} ${bodies}` : hash('sha256', body)
      if (seen.has(key)) return false
      seen.add(key)
      if (body !== undefined) bodies++
      return true
    },
    clear: () => {
      seen.clear()
      bodies = 0
    },
  }
}

function serviceOf(url: URL): GitRequest['service'] {
  const name = url.searchParams.get('service') ?? url.pathname.split('/').at(-1)
  return name === 'git-upload-pack' || name === 'git-receive-pack' ? name : 'other'
}

type Rights = { readonly repository: string; readonly writers: readonly string[] | undefined; readonly readers: readonly string[] }

function refusalOf(request: GitRequest, { repository, writers, readers }: Rights): Answer | undefined {
  const headers = request.rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'authorization')
  if (headers.length > 1) return gitAnswers.duplicate
  const [, given = ''] = /^Basic (.+)$/.exec(request.authorization ?? '') ?? []
  const token = Buffer.from(given, 'base64')
    .toString()
    .replace(/^x-access-token:/, '')
  if (token === '') return gitAnswers.unauthorized
  const mayWrite = writers === undefined ? !readers.includes(token) : writers.includes(token)
  if (!mayWrite && !readers.includes(token)) return gitAnswers.unauthorized
  if (!new RegExp(`^/${repository}(\\.git)?/`).test(request.path)) return gitAnswers.notFound
  return request.service === 'git-receive-pack' && !mayWrite ? gitAnswers.forbidden : undefined
}

type Call = {
  readonly url: URL
  readonly root: string
  readonly record: GitRequest
  readonly fault: GitFault | undefined
  /** Undefined if it is still to be read. */
  readonly body: Buffer | undefined
}

/** Hands the request to git itself: git-scm.com/docs/git-http-backend. */
async function serve(request: IncomingMessage, response: ServerResponse, { url, root, record, fault, body: given }: Call): Promise<void> {
  const { headers, method = 'GET' } = request
  const env = {
    PATH: '/usr/bin:/bin',
    GIT_PROJECT_ROOT: root,
    GIT_HTTP_EXPORT_ALL: '1',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    PATH_INFO: url.pathname.replace(/^(\/[^/]+\/[^/]+?)(\.git)?\//, '$1.git/'),
    QUERY_STRING: url.search.slice(1),
    REQUEST_METHOD: method,
    CONTENT_TYPE: headers['content-type'] ?? '',
    ...(headers['content-length'] ? { CONTENT_LENGTH: headers['content-length'] } : {}),
    HTTP_CONTENT_ENCODING: headers['content-encoding'] ?? '',
    GIT_PROTOCOL: headers['git-protocol']?.toString() ?? '',
    REMOTE_USER: 'github-actions[bot]',
  }
  const body = given ?? (fault?.twice ? await readBody(request) : undefined)
  if (body && fault?.twice) spawnSync('git', ['http-backend'], { env, input: body })
  const child = spawn('git', ['http-backend'], { env, stdio: ['pipe', 'pipe', 'ignore'] })
  child.stdin.on('error', () => undefined)
  response.on('close', () => child.kill('SIGKILL'))
  if (body) child.stdin.end(body)
  else feed()
  let head: Buffer | undefined = Buffer.alloc(0)
  const withheld: Buffer[] = []
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    const body = head === undefined ? chunk : begin(Buffer.concat([head, chunk]))
    if (body === undefined || fault?.loseAnswer) continue
    if (fault?.cutAnswer) {
      withheld.push(body)
      continue
    }
    record.sentBytes += body.length
    if (!response.write(body) && !response.destroyed) await drained(response)
  }
  await fault?.after?.()
  if (fault?.cutAnswer) {
    const whole = Buffer.concat(withheld)
    return void response.write(whole.subarray(0, Math.floor(whole.length / 2)), () => response.socket?.resetAndDestroy())
  }
  if (fault?.loseAnswer) response.socket?.resetAndDestroy()
  else response.end()

  function feed(): void {
    request.on('data', (chunk: Buffer) => {
      record.receivedBytes += chunk.length
      if (!child.stdin.write(chunk)) {
        request.pause()
        child.stdin.once('drain', () => request.resume())
      }
    })
    request.on('end', () => child.stdin.end())
  }

  function begin(whole: Buffer): Buffer | undefined {
    const end = whole.indexOf('\r\n\r\n')
    head = end === -1 ? whole : undefined
    if (end === -1) return undefined
    const lines = whole.toString('latin1', 0, end).split('\r\n')
    const fields = lines.map((line) => line.split(': ', 2) as [string, string])
    const status = Number(fields.find(([name]) => name === 'Status')?.[1].slice(0, 3) ?? 200)
    if (!fault?.loseAnswer) response.writeHead(status, Object.fromEntries(fields.filter(([name]) => name !== 'Status')))
    return whole.subarray(end + 4)
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    response.on('drain', done)
    response.on('close', done)
  })
}

function text(status: number, body: string) {
  return { status, headers: { 'content-type': 'text/plain' }, body: `${body}\n` } as const
}
