import { spawn, spawnSync } from 'node:child_process'
import { hash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { createGunzip, type Gunzip, gunzipSync } from 'node:zlib'
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
 * Starts GitHub's git: the programs of a real git server over HTTP, with the hook of one that refuses in GitHub's words. Any number of repositories,
 * of which one is there from the start, with a first commit on `main`.
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
    const ref = `refs/heads/${branch}`
    const changes = Object.entries(files).map(
      ([path, content]) => `M 100644 inline ${path}\ndata ${Buffer.byteLength(content)}\n${content}\n`,
    )
    const people = `author ${author} ${date}\ncommitter ${author} ${date}`
    // No ref here is ever packed.
    const from = existsSync(join(folder, ref)) ? `from ${ref}^0\n` : ''
    const made = `commit ${ref}\nmark :1\n${people}\ndata ${Buffer.byteLength(message)}\n${message}\n${from}${changes.join('')}`
    const { status, stdout, stderr } = git(folder, ['fast-import', '--quiet', '--force'], `${made}\nget-mark :1\n`)
    if (status !== 0) throw new Error(stderr)
    return stdout.trim()
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
    files: (commitish) => filesAt(folder, commitish),
    lose: async (name) => {
      const object = run('rev-parse', name)
      await rm(join(folder, 'objects', object.slice(0, 2), object.slice(2)))
    },
    refuse: async (refusal) => await writeHook(folder, refusal),
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

/** All files of a commit, by two processes, however many they are. */
function filesAt(folder: string, commitish: string): Record<string, string> {
  const listed = git(folder, ['ls-tree', '-r', '-z', '--full-tree', commitish])
  if (listed.status !== 0) throw new Error(`git ls-tree ${commitish}: ${listed.stderr}`)
  const entries = listed.stdout.split('\0').filter((entry) => entry !== '')
  const names = entries.map((entry) => `${entry.slice(0, entry.indexOf('\t')).split(' ')[2]}\n`)
  const { stdout } = git(folder, ['cat-file', '--batch'], names.join(''), 'latin1')
  let at = 0
  const contents = entries.map(() => {
    const start = stdout.indexOf('\n', at) + 1
    const end = start + Number(stdout.slice(at, start).split(' ')[2])
    if (Number.isNaN(end)) throw new Error(`not there: ${stdout.slice(at, start)}`)
    // A line feed follows each.
    at = end + 1
    return Buffer.from(stdout.slice(start, end), 'latin1').toString('utf8')
  })
  return Object.fromEntries(entries.map((entry, index) => [entry.slice(entry.indexOf('\t') + 1), contents[index] ?? '']))
}

/**
 * A bare repository, made without a process: git-scm.com/docs/gitrepository-layout. It is set as GitHub's servers are: partial clones, and commits by
 * their name. Nothing is tidied up after a push, and nothing has to outlive the machine. Where many push at once, a busy machine may hold a lock for
 * longer than the tenth of a second that git waits for it.
 */
async function makeBare(folder: string): Promise<void> {
  for (const name of ['objects', 'refs/heads']) await mkdir(join(folder, name), { recursive: true })
  await writeFile(join(folder, 'HEAD'), 'ref: refs/heads/main\n')
  await writeFile(join(folder, 'config'), serverSettings)
}

const serverSettings = `[core]
  repositoryFormatVersion = 0
  bare = true
  fsync = none
  filesRefLockTimeout = 30000
  packedRefsTimeout = 30000
[uploadpack]
  allowFilter = true
  allowReachableSHA1InWant = true
[receive]
  autoGC = false
`

/** Lets a repository refuse all pushes in GitHub's words. A push to one that refuses nothing starts no hook. */
async function writeHook(folder: string, refusal: Refusal | undefined): Promise<void> {
  const hooks = join(folder, 'hooks')
  await rm(hooks, { recursive: true, force: true })
  if (refusal === undefined) return
  await mkdir(hooks)
  const words = refusals[refusal].map((line) => `echo "${line}" >&2\n`)
  await writeFile(join(hooks, 'pre-receive'), `#!/bin/sh\nread -r old new ref\n${words.join('')}exit 1\n`, { mode: 0o755 })
}

/** GitHub's refusals: docs.github.com, and public issues that quote them. The reason in brackets can only be git's own here. */
const refusals: Readonly<Record<Refusal, readonly string[]>> = {
  protected: [
    'error: GH006: Protected branch update failed for $ref.',
    'error: At least 1 approving review is required by reviewers with write access.',
  ],
  ruleset: [
    'error: GH013: Repository rule violations found for $ref.',
    'Review all repository rules at http://github.com/acme/site/rules',
    '- Changes must be made through a pull request.',
  ],
  secret: ['error: GH013: Repository rule violations found for $ref.', '- Push cannot contain secrets'],
  'large-file': [
    'error: Trace: 0123456789abcdef',
    'error: See https://gh.io/lfs for more information.',
    "error: File data.bin is 108.69 MB; this exceeds GitHub's file size limit of 100.00 MB",
    'error: GH001: Large files detected. You may want to try Git Large File Storage - https://git-lfs.github.com.',
  ],
  'large-pack': ['fatal: pack exceeds maximum allowed size (2.00 GiB)'],
}

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

/**
 * Hands the request to the program that git's own `http-backend` would start for it, and adds the few bytes that that one adds
 * (git-scm.com/docs/http-protocol). So a request takes one process instead of three.
 */
async function serve(request: IncomingMessage, response: ServerResponse, { url, root, record, fault, body: given }: Call): Promise<void> {
  const { service, method } = record
  if (service === 'other') return send(response, gitAnswers.notFound)
  const [, repository = ''] = /^\/([^/]+\/[^/]+?)(?:\.git)?\//.exec(url.pathname) ?? []
  const protocol = request.headers['git-protocol']?.toString() ?? ''
  const env = {
    PATH: '/usr/bin:/bin',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_PROTOCOL: protocol,
    GIT_COMMITTER_NAME: 'github-actions[bot]',
    GIT_COMMITTER_EMAIL: 'github-actions[bot]@github.localhost',
  }
  const asks = method === 'GET'
  const args = [
    service.slice('git-'.length),
    '--stateless-rpc',
    ...(asks ? ['--http-backend-info-refs'] : []),
    join(root, `${repository}.git`),
  ]
  const body = given ?? (fault?.twice ? await readBody(request) : undefined)
  const unzips = request.headers['content-encoding'] === 'gzip'
  if (body && fault?.twice) spawnSync('git', args, { env, input: unzips ? gunzipSync(body) : body })
  const child = spawn('git', args, { env, stdio: ['pipe', 'pipe', 'ignore'] })
  child.stdin.on('error', () => undefined)
  // A server lets a push that has come whole end, whether or not anybody waits for the answer.
  response.on('close', () => child.stdin.destroy())
  if (body) child.stdin.end(unzips ? gunzipSync(body) : body)
  else feed(unzips ? pipeInto(createGunzip(), child.stdin) : child.stdin)
  const withheld: Buffer[] = []
  const give = async (chunk: Buffer): Promise<void> => {
    if (fault?.loseAnswer) return
    if (fault?.cutAnswer) return void withheld.push(chunk)
    record.sentBytes += chunk.length
    if (!response.write(chunk) && !response.destroyed) await drained(response)
  }
  if (!fault?.loseAnswer) {
    response.writeHead(200, {
      'content-type': `application/x-${service}-${asks ? 'advertisement' : 'result'}`,
      'cache-control': 'no-cache',
    })
  }
  if (asks && !/\bversion=2\b/.test(protocol)) await give(Buffer.from(`${packetLine(`# service=${service}\n`)}0000`))
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) await give(chunk)
  await fault?.after?.()
  if (fault?.cutAnswer) {
    const whole = Buffer.concat(withheld)
    return void response.write(whole.subarray(0, Math.floor(whole.length / 2)), () => response.socket?.resetAndDestroy())
  }
  if (fault?.loseAnswer) response.socket?.resetAndDestroy()
  else response.end()

  function feed(sink: Writable): void {
    request.on('data', (chunk: Buffer) => {
      record.receivedBytes += chunk.length
      if (!sink.write(chunk)) {
        request.pause()
        sink.once('drain', () => request.resume())
      }
    })
    request.on('end', () => sink.end())
  }
}

/** git-scm.com/docs/protocol-common, pkt-line. */
function packetLine(text: string): string {
  return `${(text.length + 4).toString(16).padStart(4, '0')}${text}`
}

function pipeInto(unzip: Gunzip, sink: Writable): Gunzip {
  // A body that breaks off is the end of it.
  unzip.on('error', () => sink.end())
  unzip.pipe(sink)
  return unzip
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
