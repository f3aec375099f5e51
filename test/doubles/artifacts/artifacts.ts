import { type ChildProcess, spawn } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import {
  BlobSASPermissions,
  BlobServiceClient,
  type ContainerClient,
  generateBlobSASQueryParameters,
  SASProtocol,
  StorageSharedKeyCredential,
} from '@azure/storage-blob'
import { type Answer, listen, makeQueue, type RecordedRequest, readBody, recordRequest, send, type Turns, untilClosed } from '../http.ts'
import { type BlobFault, makeBlobProxy } from './blob-proxy.ts'

type Method = 'CreateArtifact' | 'FinalizeArtifact' | 'ListArtifacts' | 'GetSignedArtifactURL' | 'DeleteArtifact'

type ResultsRequest = RecordedRequest & {
  readonly call: Method
  readonly run: string
  readonly body: Readonly<Record<string, unknown>>
}

type ResultsFault = Turns & {
  readonly delayMs?: number
  readonly answer?: Answer
  readonly connection?: 'reset' | 'hang'
  /** The request is served, and its answer lost: a gateway's comes instead, or none at all. */
  readonly lost?: Answer | 'reset'
  /** GetSignedArtifactURL: a well-signed URL of a blob that does not exist. */
  readonly dangling?: boolean
  /** Only requests of this run: several may use one service at the same time. */
  readonly run?: string
}

/** An artifact as the service knows it. */
export type StoredArtifact = {
  readonly id: number
  readonly run: string
  readonly name: string
  readonly mimeType: string
  readonly blob: string
  readonly createdAt: string
  /** As the client asked for it; undefined: the repository's own retention. */
  readonly expiresAt: string | undefined
  readonly size: number
  /** `sha256:<hex>` as the client sent it; the service does not compare. */
  readonly digest: string
}

/** One workflow run: its artifacts are its own, names are unique in it. */
export type ArtifactRun = {
  readonly runId: string
  /** What the runner puts into the environment of the action. */
  readonly env: Readonly<Record<string, string>>
  readonly runtimeToken: string
}

export type Artifacts = AsyncDisposable & {
  readonly url: string
  newRun(runId?: string): ArtifactRun
  readonly requests: readonly ResultsRequest[]
  /** Requests to the blob host. */
  readonly blobRequests: readonly RecordedRequest[]
  of(method: Method): readonly ResultsRequest[]
  count(method: Method): number
  fault(method: Method, fault: ResultsFault): void
  blobFault(fault: BlobFault): void
  /** Forgets faults and requests, not artifacts. */
  reset(): void
  /** Finalised artifacts, of one run or of all. */
  list(runId?: string): readonly StoredArtifact[]
  /** The bytes of an artifact as they are stored. */
  fetchBytes(id: number): Promise<Buffer>
  /** A signed URL for the download, as REST redirects to. */
  signedUrl(id: number): string
  remove(id: number): void
}

type Entry = Omit<StoredArtifact, 'size' | 'digest'> & { readonly size?: number; readonly digest?: string; readonly finalized: boolean }

/** The documented emulator account of Azure Storage, its key public: learn.microsoft.com, Azurite, "Well-known storage account and key". */
const ACCOUNT = 'devstoreaccount1'
const ACCOUNT_KEY = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=='

const CONTAINER = 'actions-results'

const AZURITE_START_TIMEOUT_MS = 30_000

/** Artifacts of a repository that says nothing else last 90 days. */
const RETENTION_DAYS = 90

/**
 * Starts the artifact service of GitHub Actions: the Twirp methods as @actions/artifact 6 generates them, in front of Azurite as blob host. Start one
 * for a whole test file: Azurite takes a second or more.
 *
 * @param location Folder for the blobs, for artifacts that should not lie in memory.
 */
export async function startArtifacts({ location }: { location?: string } = {}): Promise<Artifacts> {
  await using stack = new AsyncDisposableStack()
  const azurite = stack.use(await startAzurite(location))
  const proxy = makeBlobProxy({ port: azurite.port, findRun: (path) => entries.find(({ blob }) => path.endsWith(blob))?.run })
  const blobHost = stack.use(await listen(proxy.handler))
  const storage = await makeStorage(azurite.port, blobHost.url)
  const faults = makeQueue<ResultsFault & { readonly method: Method }>()
  let entries: readonly Entry[] = []
  let requests: ResultsRequest[] = []
  let nextId = 1000

  const server = stack.use(
    await listen(async (request, response, url) => {
      const call = url.pathname.split('/').at(-1) as Method
      const body = JSON.parse((await readBody(request)).toString() || '{}') as Record<string, unknown>
      const run = runOf(request.headers.authorization)
      requests.push({ ...recordRequest(request, url), call, run: run?.runId ?? '', body })
      const fault = faults.take((rule) => rule.method === call && (rule.run === undefined || rule.run === run?.runId))
      if (fault?.delayMs) await new Promise((resolve) => setTimeout(resolve, fault.delayMs))
      if (fault?.connection === 'reset') return void response.socket?.resetAndDestroy()
      if (fault?.connection === 'hang') return await untilClosed(response)
      if (fault?.answer) return send(response, fault.answer)
      if (!run || body['workflow_run_backend_id'] !== run.backendId)
        return send(response, twirpError(401, 'unauthenticated', 'invalid token'))
      const answer = serve(call, { body, runId: run.runId, dangling: fault?.dangling ?? false })
      if (fault?.lost === 'reset') return void response.socket?.resetAndDestroy()
      send(response, fault?.lost ?? answer)
    }),
  )

  function serve(call: Method, { body, runId, dangling }: { body: Record<string, unknown>; runId: string; dangling: boolean }): Answer {
    const name = String(body['name'] ?? '')
    const ofRun = entries.filter((entry) => entry.run === runId)
    const found = ofRun.find((entry) => entry.name === name)
    switch (call) {
      case 'CreateArtifact': {
        // An unfinished one has its name too, and stays unlisted.
        if (found) return twirpError(409, 'already_exists', 'an artifact with this name already exists on the workflow run')
        const entry = newEntry(nextId++, runId, body)
        entries = [...entries, entry]
        return ok({ ok: true, signed_upload_url: storage.sign(entry.blob, 'cw') })
      }
      case 'FinalizeArtifact': {
        if (!found) return notFound()
        const finished = { ...found, finalized: true, size: Number(body['size']), digest: String(body['hash'] ?? '') }
        entries = entries.map((entry) => (entry === found ? finished : entry))
        return ok({ ok: true, artifact_id: String(found.id) })
      }
      case 'ListArtifacts': {
        const listed = ofRun.filter(
          (entry) =>
            entry.finalized &&
            (body['name_filter'] === undefined || entry.name === body['name_filter']) &&
            (body['id_filter'] === undefined || String(entry.id) === body['id_filter']),
        )
        return ok({ artifacts: listed.map((entry) => twirpArtifact(entry, body)) })
      }
      case 'GetSignedArtifactURL':
        if (!found?.finalized) return notFound()
        return ok({ signed_url: storage.sign(dangling ? `${randomUUID()}.zip` : found.blob, 'r', found) })
      case 'DeleteArtifact':
        if (!found) return notFound()
        entries = entries.filter((entry) => entry !== found)
        return ok({ ok: true, artifact_id: String(found.id) })
      default:
        call satisfies never
        return twirpError(404, 'bad_route', 'no handler for path')
    }
  }

  const finalised = () =>
    entries.flatMap((entry) => (entry.finalized ? { ...entry, size: entry.size ?? 0, digest: entry.digest ?? '' } : []))
  const entryOf = (id: number): Entry => {
    const found = entries.find((entry) => entry.id === id)
    if (!found) throw new Error(`No artifact ${id}`)
    return found
  }
  const disposables = stack.move()
  return {
    url: server.url,
    newRun: (runId) => newRun(server.url, runId),
    get requests() {
      return requests
    },
    get blobRequests() {
      return proxy.requests
    },
    of: (method) => requests.filter((request) => request.call === method),
    count: (method) => requests.filter((request) => request.call === method).length,
    fault: (method, fault) => faults.add({ ...fault, method }),
    blobFault: (fault) => proxy.fault(fault),
    reset() {
      faults.clear()
      proxy.reset()
      requests = []
    },
    list: (runId) => finalised().filter(({ run }) => runId === undefined || run === runId),
    fetchBytes: (id) => storage.fetchBytes(entryOf(id).blob),
    signedUrl: (id) => storage.sign(entryOf(id).blob, 'r', entryOf(id)),
    remove(id) {
      entries = entries.filter((entry) => entry.id !== id)
    },
    [Symbol.asyncDispose]: () => disposables.disposeAsync(),
  }
}

/** Answers of the real service, for `fault(method, { answer })`: what @actions/artifact shared/artifact-twirp-client.js tells apart. */
export const artifactAnswers = {
  quota: twirpError(403, 'resource_exhausted', 'insufficient usage to create artifact'),
  forbidden: twirpError(403, 'permission_denied', 'write permission required'),
  /** A list that is behind what is stored. */
  emptyList: { status: 200, body: { artifacts: [] } },
  conflict: twirpError(409, 'already_exists', 'an artifact with this name already exists on the workflow run'),
  badRequest: twirpError(400, 'invalid_argument', 'invalid artifact name'),
  /** Retried by the client, 5 times in about half a minute. */
  internal: twirpError(500, 'internal', 'internal server error'),
  unavailable: twirpError(503, 'unavailable', 'service unavailable'),
  html: { status: 502, headers: { 'content-type': 'text/html' }, body: '<html><body>502 Bad Gateway</body></html>' },
} as const satisfies Record<string, Answer>

function twirpError(status: number, code: string, msg: string): Answer {
  return { status, body: { code, msg } }
}

const ok = (body: object): Answer => ({ status: 200, body })

const notFound = (): Answer => twirpError(404, 'not_found', 'artifact not found')

function newEntry(id: number, run: string, body: Readonly<Record<string, unknown>>): Entry {
  const expiresAt = body['expires_at']
  return {
    id,
    run,
    name: String(body['name'] ?? ''),
    mimeType: String(body['mime_type'] ?? 'application/zip'),
    blob: `${randomUUID()}/artifacts/${createHash('sha256').update(String(id)).digest('hex')}.zip`,
    createdAt: new Date().toISOString(),
    expiresAt: typeof expiresAt === 'string' ? expiresAt : undefined,
    finalized: false,
  }
}

/** Int64 values are strings, wrapped values bare: the JSON form of protobuf. */
function twirpArtifact(entry: Entry, { workflow_run_backend_id, workflow_job_run_backend_id }: Readonly<Record<string, unknown>>): object {
  return {
    workflow_run_backend_id,
    workflow_job_run_backend_id,
    database_id: String(entry.id),
    name: entry.name,
    size: String(entry.size),
    created_at: entry.createdAt,
    digest: entry.digest,
  }
}

/** When the service would delete an artifact. */
export function expiryOf({ createdAt, expiresAt }: StoredArtifact): string {
  return expiresAt ?? new Date(Date.parse(createdAt) + RETENTION_DAYS * 86_400_000).toISOString()
}

let lastRun = 1000

/** The claim `scp` carries the two ids: @actions/artifact shared/util.js, which checks no signature. */
function newRun(url: string, runId = String(++lastRun)): ArtifactRun {
  const claims = { scp: `Actions.ExampleScope Actions.Results:${backendIdOf(runId)}:${randomUUID()}`, run: runId }
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const runtimeToken = `${part({ alg: 'RS256', typ: 'JWT' })}.${part(claims)}.c2lnbmF0dXJlLW9mLXRoZS1kb3VibGU`
  const env = { ACTIONS_RESULTS_URL: `${url}/`, ACTIONS_RUNTIME_URL: `${url}/`, ACTIONS_RUNTIME_TOKEN: runtimeToken, GITHUB_RUN_ID: runId }
  return { runId, env, runtimeToken }
}

/** The same run has the same backend id, also in a later attempt. */
function backendIdOf(runId: string): string {
  const hex = createHash('sha256').update(runId).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

function runOf(authorization: string | undefined): { runId: string; backendId: string } | undefined {
  const payload = /^Bearer [^.]+\.([^.]+)\./.exec(authorization ?? '')?.[1]
  if (!payload) return undefined
  const { run } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { run?: string }
  return run === undefined ? undefined : { runId: run, backendId: backendIdOf(run) }
}

type Storage = {
  sign(blob: string, permissions: string, entry?: Entry): string
  fetchBytes(blob: string): Promise<Buffer>
}

async function makeStorage(azuritePort: number, proxyUrl: string): Promise<Storage> {
  const credential = new StorageSharedKeyCredential(ACCOUNT, ACCOUNT_KEY)
  const service = new BlobServiceClient(`http://127.0.0.1:${azuritePort}/${ACCOUNT}`, credential)
  const container: ContainerClient = service.getContainerClient(CONTAINER)
  await container.create()
  return {
    sign(blob, permissions, entry) {
      const sas = generateBlobSASQueryParameters(
        {
          containerName: CONTAINER,
          blobName: blob,
          permissions: BlobSASPermissions.parse(permissions),
          protocol: SASProtocol.HttpsAndHttp,
          expiresOn: new Date(Date.now() + 3_600_000),
          ...(entry ? { contentDisposition: `attachment; filename="${entry.name}.zip"`, contentType: entry.mimeType } : {}),
        },
        credential,
      )
      return `${proxyUrl}/${ACCOUNT}/${CONTAINER}/${blob}?${sas.toString()}`
    },
    fetchBytes: (blob) => container.getBlobClient(blob).downloadToBuffer(),
  }
}

async function startAzurite(location: string | undefined): Promise<AsyncDisposable & { readonly port: number }> {
  const require = createRequire(import.meta.url)
  const main = join(dirname(require.resolve('azurite/package.json')), 'dist/src/blob/main.js')
  const place = location ? ['--location', location] : ['--inMemoryPersistence']
  const flags = ['--silent', '--disableTelemetry', '--skipApiVersionCheck', '--blobHost', '127.0.0.1', '--blobPort', '0']
  const child = spawn(process.execPath, [main, ...place, ...flags], { env: { PATH: '/usr/bin:/bin' }, stdio: ['ignore', 'pipe', 'pipe'] })
  // A test process that dies must not leave a server behind.
  const killChild = () => void child.kill('SIGKILL')
  process.once('exit', killChild)
  const port = await portOf(child)
  return {
    port,
    async [Symbol.asyncDispose]() {
      process.off('exit', killChild)
      const closed = once(child, 'close')
      if (child.kill('SIGKILL')) await closed
    },
  }
}

async function portOf(child: ChildProcess): Promise<number> {
  let output = ''
  const port = new Promise<number>((resolve, reject) => {
    const take = (text: Buffer) => {
      output += text.toString()
      const match = /successfully listens on http:\/\/127\.0\.0\.1:(\d+)/.exec(output)
      if (match) resolve(Number(match[1]))
    }
    child.stdout?.on('data', take)
    child.stderr?.on('data', take)
    child.once('close', () => reject(new Error(`Azurite ended: ${output}`)))
    setTimeout(() => reject(new Error(`Azurite did not start: ${output}`)), AZURITE_START_TIMEOUT_MS).unref()
  })
  try {
    return await port
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
}
