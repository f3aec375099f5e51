import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { type Answer, listen, makeQueue, type RecordedRequest, readBody, recordRequest, send, type Turns, untilClosed } from './http.ts'
import { acls, answers, datasetNotFound, projectNotFound } from './sanity-answers.ts'
import { assetAnswer, storeAsset } from './sanity-assets.ts'
import { act, mutate } from './sanity-mutate.ts'
import {
  type Dataset,
  type DatasetOptions,
  type Entry,
  entryOf,
  evaluateGroq,
  inPerspective,
  isPublicId,
  makeDataset,
} from './sanity-store.ts'
import { type StreamFault, sendStream } from './sanity-stream.ts'

type Route = 'export' | 'query' | 'doc' | 'mutate' | 'actions' | 'upload' | 'asset' | 'acl' | 'project' | 'datasets' | 'me' | 'unknown'

type SanityRequest = RecordedRequest & { readonly route: Route; readonly project: string | undefined; readonly dataset: string }

type TokenOptions = {
  readonly project?: string
  readonly role?: 'viewer' | 'editor' | 'administrator' | 'contributor'
  readonly state?: 'valid' | 'expired'
  /** A custom role: a GROQ filter of the documents that it may read; nothing in an answer says that others were left out. */
  readonly filter?: string
}

/** What a fault does instead of, or to, the normal answer. One of `answer`, `connection`, `result` or `stream`; `delayMs` goes with any. */
type Fault = Turns & {
  readonly delayMs?: number
  /** The whole answer. */
  readonly answer?: Answer
  /** `reset`: RST before any byte. `close`: FIN before any byte. `hang`: no answer, ever. */
  readonly connection?: 'reset' | 'close' | 'hang'
  /** Query: what the queries result in, one value a request, the last one for all that follow. */
  readonly results?: readonly unknown[]
  /** Export: what is wrong with the stream. */
  readonly stream?: StreamFault
  /** Export: the parameter `types` is ignored (sanity-io/sanity issue 9491). */
  readonly ignoreTypes?: boolean
  /** Export: the lines, sorted or filtered at will. */
  readonly select?: (entries: readonly Entry[]) => readonly Entry[]
  /** Only requests that fit, e.g. those with a certain cursor. */
  readonly when?: (request: SanityRequest) => boolean
}

export type SanityOptions = DatasetOptions & {
  /** The documents given beside it lie in this project and dataset. */
  readonly project?: string
  readonly dataset?: string
  /** Further datasets: project id, then dataset name. */
  readonly projects?: Readonly<Record<string, Readonly<Record<string, DatasetOptions>>>>
  /** Project of requests without `X-Sanity-Project-ID` on loopback: @sanity/export does not send it. Default: `project`. */
  readonly defaultProject?: string
  readonly tokens?: Readonly<Record<string, TokenOptions>>
  /** Documents a page in cursor mode. The real server ends a page after about 30 seconds: sanity.io docs, export. */
  readonly pageDocuments?: number
}

export type Sanity = AsyncDisposable & {
  readonly url: string
  readonly project: string
  readonly dataset: string
  /** A valid token with the Viewer role of `project`. */
  readonly token: string
  /** A valid token with the Editor role of `project`. */
  readonly editorToken: string
  readonly requests: readonly SanityRequest[]
  of(route: Route): readonly SanityRequest[]
  count(route: Route): number
  /** Sets a fault for a route; the newest that fits wins, and it heals after `skip` + `times` requests. */
  fault(route: Route, fault: Fault): void
  /** Forgets all faults and requests, not the documents. */
  reset(): void
  /** The documents of a dataset, to look at or to change. */
  store(dataset?: string, project?: string): Dataset
  /** Stores an asset with its document, as an upload would; returns its document. */
  addAsset(upload: { kind: 'images' | 'files'; bytes: Buffer; filename?: string; oldHash?: string }): {
    readonly _id: string
    readonly url: string
  }
}

type Caller = {
  /** Undefined: no token. */
  readonly token: TokenOptions | undefined
  readonly project: string
  readonly dataset: string
  readonly apiVersion: string
}

type Call = {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly record: SanityRequest
  readonly caller: Caller
  readonly fault: Fault | undefined
}

/** Long enough to be masked, and of the form of real ones: `sk` and letters and digits. */
const VIEWER_TOKEN = 'skVIEWERabcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop'
const EDITOR_TOKEN = 'skEDITORabcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop'

const DEFAULT_PAGE_DOCUMENTS = 1000

/** sanity.io docs, technical limits: the body of a mutation is at most 4 MB. */
const MUTATION_LIMIT_BYTES = 4_000_000

/** Starts an emulated Sanity on loopback: one server for all projects, for the global host and (by the Host header) for project hosts. */
export async function startSanity(options: SanityOptions = {}): Promise<Sanity> {
  const project = options.project ?? 'abc12345'
  const dataset = options.dataset ?? 'production'
  const projects = makeProjects(project, dataset, options)
  const tokens = new Map<string, TokenOptions>([
    [VIEWER_TOKEN, { role: 'viewer' }],
    [EDITOR_TOKEN, { role: 'editor' }],
    ...Object.entries(options.tokens ?? {}),
  ])
  const faults = makeQueue<Fault & { readonly route: Route }>()
  let requests: SanityRequest[] = []
  const given = new WeakMap<Fault, number>()

  const server = await listen(async (request, response, url) => {
    const target = findTarget(request, url, options.defaultProject ?? project)
    const record: SanityRequest = { ...recordRequest(request, url), route: target.route, project: target.project, dataset: target.dataset }
    requests.push(record)
    const fault = faults.take((rule) => rule.route === record.route && (rule.when?.(record) ?? true))
    if (fault?.delayMs) await setTimeout(fault.delayMs)
    if (fault?.connection) return await breakConnection(response, fault.connection)
    if (fault?.answer) {
      // The whole request is read first, as a server behind a proxy would.
      await readBody(request)
      return send(response, fault.answer)
    }
    const token = findToken(tokens, request)
    const denied = target.route === 'asset' ? undefined : denial(token, target.project, { projects, defaultProject: project })
    if (denied) {
      await readBody(request)
      return send(response, denied)
    }
    const caller = { token: token === 'none' || token === 'unknown' ? undefined : token, ...target }
    await answer({ request, response, record, caller, fault })
  })

  async function answer(call: Call): Promise<void> {
    const { record, caller, response, request, fault } = call
    const datasets = projects.get(caller.project)
    if (record.route === 'unknown')
      return send(response, { status: 404, body: { statusCode: 404, error: 'Not Found', message: 'Not Found' } })
    if (record.route === 'me') return send(response, { status: 200, body: userOf(caller) })
    const management = record.route === 'project' || record.route === 'datasets' || record.route === 'acl'
    if (!datasets) return send(response, management ? projectNotFound(caller.project) : datasetNotFound(caller.project, caller.dataset))
    if (record.route === 'project') return send(response, { status: 200, body: projectOf(caller.project) })
    if (record.route === 'datasets') return send(response, listDatasets(caller, datasets))
    const store = datasets.get(caller.dataset)
    if (!store) return send(response, datasetNotFound(caller.project, caller.dataset))
    switch (record.route) {
      case 'acl':
        return send(response, { status: 200, body: aclOf(caller) })
      case 'export':
        return await exportDataset(call, store, options.pageDocuments ?? DEFAULT_PAGE_DOCUMENTS)
      case 'query':
        return send(response, await queryAnswer(call, store, nextResult(fault)))
      case 'doc':
        return send(response, await docAnswer(call, store))
      case 'asset':
        return sendAsset(call, store, tokens)
      case 'upload':
      case 'mutate':
      case 'actions':
        return send(response, await write(call, store, { body: await readBody(request), cdn: server.url }))
      default:
        return record.route satisfies never
    }
  }

  function nextResult(fault: Fault | undefined): { readonly value: unknown } | undefined {
    if (!fault?.results) return undefined
    const turn = given.get(fault) ?? 0
    given.set(fault, turn + 1)
    return { value: fault.results[Math.min(turn, fault.results.length - 1)] }
  }

  const storeOf = (name = dataset, projectId = project): Dataset => {
    const found = projects.get(projectId)?.get(name)
    if (!found) throw new Error(`No dataset ${name} in project ${projectId}`)
    return found
  }

  return {
    url: server.url,
    project,
    dataset,
    token: VIEWER_TOKEN,
    editorToken: EDITOR_TOKEN,
    get requests() {
      return requests
    },
    of: (route) => requests.filter((request) => request.route === route),
    count: (route) => requests.filter((request) => request.route === route).length,
    fault: (route, fault) => faults.add({ ...fault, route }),
    reset() {
      faults.clear()
      requests = []
    },
    store: storeOf,
    addAsset(upload) {
      const document = storeAsset(storeOf(), { ...upload, project, cdn: server.url })
      if (!document) throw new Error('Not an image')
      return { _id: document._id, url: String(document['url']) }
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

function makeProjects(project: string, dataset: string, options: SanityOptions): Map<string, Map<string, Dataset>> {
  const projects = new Map<string, Map<string, Dataset>>([[project, new Map([[dataset, makeDataset(dataset, options)]])]])
  for (const [id, datasets] of Object.entries(options.projects ?? {})) {
    const known = projects.get(id) ?? new Map<string, Dataset>()
    for (const [name, content] of Object.entries(datasets)) known.set(name, makeDataset(name, content))
    projects.set(id, known)
  }
  return projects
}

type Target = { readonly route: Route; readonly project: string; readonly dataset: string; readonly apiVersion: string }

/** Project host or global host: @sanity/client http/requestOptions.ts. */
function findTarget(request: IncomingMessage, url: URL, defaultProject: string): Target {
  const host = /^([a-z0-9-]+)\.api(?:cdn)?\./.exec(request.headers.host ?? '')?.[1]
  const header = request.headers['x-sanity-project-id']
  const project = host ?? (typeof header === 'string' ? header : defaultProject)
  const asset = /^\/(images|files)\/([^/]+)\/([^/]+)\/[^/]+$/.exec(url.pathname)
  if (asset) return { route: 'asset', project: asset[2] ?? '', dataset: asset[3] ?? '', apiVersion: '' }
  const [, apiVersion = '', rest = ''] = /^\/v(1|X|\d{4}-\d{2}-\d{2})(\/.*)$/.exec(url.pathname) ?? []
  const data = /^\/(?:data\/(export|query|doc|mutate|actions)|assets\/(?:images|files))\/([^/]+)/.exec(rest)
  const name = decodeURIComponent(data?.[2] ?? '')
  if (data) return { route: (data[1] as Route | undefined) ?? 'upload', project, dataset: name, apiVersion }
  const acl = /^\/projects\/([^/]+)\/datasets\/([^/]+)\/acl$/.exec(rest)
  if (acl) return { route: 'acl', project: acl[1] ?? '', dataset: decodeURIComponent(acl[2] ?? ''), apiVersion }
  const [, projectId, list] = /^\/projects\/([^/]+)(\/datasets)?$/.exec(rest) ?? []
  if (projectId) return { route: list ? 'datasets' : 'project', project: projectId, dataset: '', apiVersion }
  if (rest === '/datasets') return { route: 'datasets', project, dataset: '', apiVersion }
  return { route: rest === '/users/me' ? 'me' : 'unknown', project, dataset: '', apiVersion }
}

function findToken(tokens: ReadonlyMap<string, TokenOptions>, request: IncomingMessage): TokenOptions | 'none' | 'unknown' {
  const { authorization } = request.headers
  if (!authorization) return 'none'
  return tokens.get(/^Bearer (.*)$/.exec(authorization)?.[1] ?? '') ?? 'unknown'
}

function denial(
  token: TokenOptions | 'none' | 'unknown',
  project: string,
  { projects, defaultProject }: { projects: ReadonlyMap<string, unknown>; defaultProject: string },
): Answer | undefined {
  if (token === 'none') return undefined
  if (token === 'unknown') return answers.sessionNotFound
  if (token.state === 'expired') return answers.sessionExpired
  const foreign = (token.project ?? defaultProject) !== project
  return foreign && projects.has(project) ? answers.wrongProject : undefined
}

async function breakConnection(response: ServerResponse, how: 'reset' | 'close' | 'hang'): Promise<void> {
  if (how === 'hang') await untilClosed(response)
  else if (how === 'reset') response.socket?.resetAndDestroy()
  else response.socket?.destroy()
}

async function exportDataset({ record, response, caller, fault }: Call, store: Dataset, pageDocuments: number): Promise<void> {
  const types = record.query['types'] && !fault?.ignoreTypes ? record.query['types'].split(',') : undefined
  if (store.generated) return await sendStream(response, generatedLines(store.generated, types, caller), fault?.stream ?? {})
  const readable = await readableIds(caller, store)
  const visible = store.entries.filter(({ document }) =>
    document ? readable(document) && (types?.includes(document._type) ?? true) : true,
  )
  const entries = fault?.select?.(visible) ?? visible
  const cursor = record.query['nextCursor']
  if (cursor === undefined) return await sendStream(response, linesOf(entries), fault?.stream ?? {})
  const start = cursor === '' ? 0 : Number(Buffer.from(cursor, 'base64url').toString())
  if (!Number.isInteger(start)) {
    return send(response, { status: 400, body: { statusCode: 400, error: 'Bad Request', message: 'Invalid cursor' } })
  }
  // The last line of a page has the cursor, the last page has none: @sanity/export getDocumentCursorStream.ts.
  const page = linesOf(entries.slice(start, start + pageDocuments))
  const next = start + pageDocuments
  const more = next < entries.length ? [Buffer.from(JSON.stringify({ nextCursor: Buffer.from(String(next)).toString('base64url') }))] : []
  await sendStream(response, [...page, ...more], fault?.stream ?? {})
}

/** A list, and no generator: for a content-length the lines are gone through twice. */
function linesOf(entries: readonly Entry[]): Buffer[] {
  return entries.map(({ line }) => line)
}

async function* generatedLines({ lines }: NonNullable<Dataset['generated']>, types: readonly string[] | undefined, { token }: Caller) {
  for await (const raw of lines()) {
    const line = typeof raw === 'string' ? Buffer.from(raw) : raw
    if (types || !token) {
      const { document } = entryOf(line)
      if (document && !(types?.includes(document._type) ?? true)) continue
      if (document && !token && !isPublicId(document._id)) continue
    }
    yield line
  }
}

/** No token: what is public, and nothing of a private dataset, without an error (sanity.io docs, export; sanity.io/answers). */
async function readableIds({ token }: Caller, store: Dataset): Promise<(document: { readonly _id: string }) => boolean> {
  if (!token) return store.aclMode === 'public' ? ({ _id }) => isPublicId(_id) : () => false
  if (!token.filter) return () => true
  const ids = new Set((await evaluateGroq(`*[${token.filter}]._id`, store.documents(), {})) as string[])
  return ({ _id }) => ids.has(_id)
}

/** `{query, result, ms}` and the default perspective by API version: @sanity/client data/dataMethods.ts; sanity.io docs, perspectives. */
async function queryAnswer(
  { request, record, caller }: Call,
  store: Dataset,
  forced: { readonly value: unknown } | undefined,
): Promise<Answer> {
  const { query, params } = request.method === 'POST' ? parseQueryBody(await readBody(request)) : parseQueryString(record.query)
  const echo = record.query['returnQuery'] === 'false' ? {} : { query }
  const found = (result: unknown): Answer => ({
    status: 200,
    headers: { 'ratelimit-limit': '500' },
    body: { ...echo, result, syncTags: ['s1:double'], ms: 3 },
  })
  if (forced) return found(forced.value)
  if (store.generated && /^\s*count\(/.test(query)) return found(store.generated.count)
  const modern = caller.apiVersion === 'X' || (caller.apiVersion !== '1' && caller.apiVersion >= '2025-02-19')
  const perspective = record.query['perspective'] ?? (modern ? 'published' : 'raw')
  const readable = await readableIds(caller, store)
  try {
    return found(await evaluateGroq(query, inPerspective(store.documents().filter(readable), perspective), params))
  } catch (error) {
    if (!Error.isError(error) || error.name !== 'GroqSyntaxError') throw error
    const start = 'position' in error ? error.position : 0
    const description = error.message
    return { status: 400, body: { error: { type: 'queryParseError', description, query, start, end: start } } }
  }
}

function parseQueryString(query: Readonly<Record<string, string>>): { query: string; params: Record<string, unknown> } {
  const params = Object.entries(query).filter(([key]) => key.startsWith('$'))
  return { query: query['query'] ?? '', params: Object.fromEntries(params.map(([key, value]) => [key.slice(1), JSON.parse(value)])) }
}

function parseQueryBody(body: Buffer): { query: string; params: Record<string, unknown> } {
  const { query, params = {} } = JSON.parse(body.toString()) as { query: string; params?: Record<string, unknown> }
  return { query, params }
}

/** `{documents, omitted: [{id, reason}]}`: sanity-io/sanity core/preview/availability.ts. */
async function docAnswer({ caller, record }: Call, store: Dataset): Promise<Answer> {
  const readable = await readableIds(caller, store)
  const ids = decodeURIComponent(record.path.split('/').at(-1) ?? '').split(',')
  const found = ids.map((id) => ({ id, document: store.find(id) }))
  const omitted = found.flatMap(({ id, document }) => {
    if (!document) return [{ id, reason: 'existence' }]
    return readable(document) ? [] : [{ id, reason: 'permission' }]
  })
  return { status: 200, body: { documents: found.flatMap(({ document }) => (document && readable(document) ? document : [])), omitted } }
}

async function write({ record, caller }: Call, store: Dataset, { body, cdn }: { body: Buffer; cdn: string }): Promise<Answer> {
  if (caller.token?.role !== 'editor' && caller.token?.role !== 'administrator') return mayNotWrite(record.route)
  if (record.route === 'upload') return uploadAnswer({ record, caller, store, body, cdn })
  if (body.length > MUTATION_LIMIT_BYTES)
    return { status: 413, body: { statusCode: 413, error: 'Request Entity Too Large', message: 'Payload too large' } }
  const value: unknown = JSON.parse(body.toString())
  return record.route === 'mutate' ? mutate(store, value, record.query) : act(store, value, record.query, caller.apiVersion)
}

function mayNotWrite(route: Route): Answer {
  if (route === 'upload') return { status: 403, body: { statusCode: 403, error: 'Forbidden', message: 'Insufficient permissions' } }
  const description = 'Insufficient permissions; permission "create" required'
  const error = { type: 'insufficientPermissionsError', description, permission: 'create' }
  return {
    status: 403,
    body: { error: { type: 'mutationError', description: `transaction failed: ${description}`, items: [{ index: 0, error }] } },
  }
}

type UploadCall = {
  readonly record: SanityRequest
  readonly caller: Caller
  readonly store: Dataset
  readonly body: Buffer
  readonly cdn: string
}

function uploadAnswer({ record, caller, store, body, cdn }: UploadCall): Answer {
  const kind = record.path.includes('/assets/images/') ? 'images' : 'files'
  const document = storeAsset(store, { kind, bytes: body, filename: record.query['filename'], project: caller.project, cdn })
  if (document) return { status: 200, body: { document } }
  return { status: 422, body: { statusCode: 422, error: 'Unprocessable Entity', message: 'Invalid image, could not process' } }
}

function sendAsset({ record, request, response, fault }: Call, store: Dataset, tokens: ReadonlyMap<string, TokenOptions>): void {
  const asset = store.assets.get(record.path)
  if (!asset) return send(response, { status: 404, headers: { 'content-type': 'text/plain' }, body: 'Not found' })
  const raw = record.query['dlRaw'] === 'true'
  const token = findToken(tokens, request)
  if (raw && (token === 'none' || token === 'unknown')) return send(response, answers.sessionNotFound)
  const whole = assetAnswer(asset, raw)
  if (!fault?.stream) return send(response, whole)
  const body = Buffer.isBuffer(whole.body) ? whole.body : Buffer.alloc(0)
  const cut = body.subarray(0, fault.stream.ending?.afterBytes ?? body.length)
  response.writeHead(200, { ...whole.headers, 'content-length': String(body.length), ...fault.stream.headers })
  response.write(cut, () => setTimeout(20).then(() => (fault.stream?.ending?.how === 'stall' ? undefined : response.socket?.destroy())))
}

function aclOf({ token }: Caller): readonly object[] {
  if (!token) return acls.publishedOnly
  if (token.filter) return [{ filter: token.filter, permissions: ['read', 'history'] }]
  return token.role === 'contributor' ? acls.contributor : token.role === 'viewer' || !token.role ? acls.viewer : acls.editor
}

/** Robot tokens: sanity.io docs, HTTP authentication; @sanity/client types.ts. No token: an empty object, as the Studio expects it. */
function userOf({ token }: Caller): object {
  if (!token) return {}
  const name = token.role ?? 'viewer'
  const title = name.charAt(0).toUpperCase() + name.slice(1)
  return {
    id: 'pDoubleRobot',
    name: 'Backup',
    email: null,
    profileImage: null,
    provider: 'sanity-token',
    role: name,
    roles: [{ name, title }],
  }
}

/** @sanity/client types.ts, SanityProject. */
function projectOf(id: string): object {
  return {
    id,
    displayName: `Project ${id}`,
    studioHost: null,
    organizationId: 'oDouble',
    isBlocked: false,
    isDisabled: false,
    isDisabledByUser: false,
    createdAt: '2024-01-01T00:00:00.000Z',
    metadata: {},
    members: [],
  }
}

function listDatasets({ token }: Caller, datasets: ReadonlyMap<string, Dataset>): Answer {
  if (!token) return answers.missingGrant
  const createdAt = '2024-01-01T00:00:00.000Z'
  const body = [...datasets.values()].map(({ name, aclMode }) => ({
    name,
    aclMode,
    createdAt,
    createdByUserId: 'pDouble',
    addonFor: null,
    tags: [],
  }))
  return { status: 200, body }
}
