import type { ServerResponse } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { listen, makeQueue, readBody, recordRequest, send, type Turns, untilClosed } from './http.ts'
import { aclOf, denial, findToken, userOf, writerOf } from './sanity-access.ts'
import { datasetNotFound, projectNotFound } from './sanity-answers.ts'
import { storeAsset } from './sanity-assets.ts'
import { makeLimiter } from './sanity-limits.ts'
import { mutate } from './sanity-mutate.ts'
import { aliasesAnswer, aliasIsReadOnly, datasetsAnswer, featuresAnswer, projectOf } from './sanity-projects.ts'
import { docAnswer, exportDataset, historyAnswer, queryAnswer, sendAsset } from './sanity-read.ts'
import { defaultRules, type Rules } from './sanity-rules.ts'
import { Dataset } from './sanity-store.ts'
import { findTarget } from './sanity-target.ts'
import { systemMember } from './sanity-transaction.ts'
import type { Call, Fault, Projects, Route, Sanity, SanityOptions, SanityRequest, TokenOptions } from './sanity-types.ts'
import { write } from './sanity-write.ts'

export type { Sanity, SanityOptions } from './sanity-types.ts'

/** Long enough to be masked, and of the form of real ones: `sk` and letters and digits. */
const TOKEN_END = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop'
const VIEWER_TOKEN = `skVIEWER${TOKEN_END}`
const EDITOR_TOKEN = `skEDITOR${TOKEN_END}`
const ADMIN_TOKEN = `skADMIN${TOKEN_END}`

const DEFAULT_PAGE_DOCUMENTS = 1000

/** Starts an emulated Sanity on loopback: one server for all projects, for the global host and (by the Host header) for project hosts. */
export async function startSanity(options: SanityOptions = {}): Promise<Sanity> {
  const project = options.project ?? 'abc12345'
  const dataset = options.dataset ?? 'production'
  const rules: Rules = { ...defaultRules, ...options.rules }
  const projects = makeProjects(project, dataset, options, rules)
  const tokens = new Map<string, TokenOptions>([
    [VIEWER_TOKEN, { role: 'viewer' }],
    [EDITOR_TOKEN, { role: 'editor' }],
    [ADMIN_TOKEN, { role: 'administrator' }],
    ...Object.entries(options.tokens ?? {}),
  ])
  const faults = makeQueue<Fault & { readonly route: Route }>()
  const hooks = makeQueue<Turns & { readonly route: Route; readonly run: () => unknown }>()
  const limiter = makeLimiter(options.limits)
  const aliases = options.aliases ?? {}
  let requests: SanityRequest[] = []
  const given = new WeakMap<Fault, number>()

  const server = await listen(async (request, response, url) => {
    const target = findTarget(request, url, options.defaultProject ?? project)
    const record: SanityRequest = { ...recordRequest(request, url), route: target.route, project: target.project, dataset: target.dataset }
    requests.push(record)
    const fault = faults.take((rule) => rule.route === record.route && (rule.when?.(record) ?? true))
    // A write that takes long counts among those at the same time: see `write`.
    if (fault?.delayMs && !isWrite(record.route)) await setTimeout(fault.delayMs)
    if (fault?.connection) return await breakConnection(response, fault.connection)
    const token = findToken(tokens, request)
    const denied = target.route === 'asset' ? undefined : denial(token, target.project, { projects, defaultProject: project })
    if (fault?.answer || denied) {
      if (fault?.answer && fault.delayMs && isWrite(record.route)) await setTimeout(fault.delayMs)
      // The whole request is read first, as a server behind a proxy would.
      await readBody(request)
      return send(response, fault?.answer ?? denied ?? { status: 500 })
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
    const management = ['project', 'datasets', 'aliases', 'features', 'acl'].includes(record.route)
    if (!datasets) return send(response, management ? projectNotFound(caller.project) : datasetNotFound(caller.project, caller.dataset))
    if (record.route === 'project') return send(response, { status: 200, body: projectOf(caller.project) })
    if (record.route === 'aliases') return send(response, aliasesAnswer(caller, aliases))
    if (record.route === 'features') return send(response, featuresAnswer(caller, aliases))
    if (record.route === 'datasets') {
      return send(response, datasetsAnswer(caller, record.method, { datasets, body: await readBody(request) }))
    }
    const alias = caller.dataset.startsWith('~') ? caller.dataset.slice(1) : undefined
    const store = datasets.get(alias === undefined ? caller.dataset : (aliases[alias] ?? ''))
    if (!store) return send(response, datasetNotFound(caller.project, caller.dataset))
    store.settle()
    switch (record.route) {
      case 'acl':
        return send(response, { status: 200, body: aclOf(caller) })
      case 'export':
        return await exportDataset(call, store, options.pageDocuments ?? DEFAULT_PAGE_DOCUMENTS)
      case 'query':
        return send(response, await queryAnswer(call, store, nextResult(fault)))
      case 'doc':
        return send(response, await docAnswer(call, store))
      case 'history':
        return send(response, historyAnswer(call, store))
      case 'asset':
        return sendAsset(call, store, tokens)
      case 'upload':
      case 'mutate':
      case 'actions':
        return await answerWrite(call, store, alias)
      default:
        return record.route satisfies never
    }
  }

  async function answerWrite(call: Call, store: Dataset, alias: string | undefined): Promise<void> {
    const { record, response, request, fault } = call
    if (alias !== undefined) {
      await readBody(request)
      return send(response, aliasIsReadOnly(alias))
    }
    const meanwhile = async () => void (await hooks.take(({ route }) => route === record.route)?.run())
    const done = await write(call, store, { cdn: server.url, projects, rules, limiter, meanwhile })
    if (fault?.lost === undefined) return send(response, done)
    if (typeof fault.lost === 'object') return send(response, fault.lost)
    await breakConnection(response, fault.lost)
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
    found.settle()
    return found
  }

  return {
    url: server.url,
    project,
    dataset,
    token: VIEWER_TOKEN,
    editorToken: EDITOR_TOKEN,
    adminToken: ADMIN_TOKEN,
    get requests() {
      return requests
    },
    of: (route) => requests.filter((request) => request.route === route),
    count: (route) => requests.filter((request) => request.route === route).length,
    fault: (route, fault) => faults.add({ ...fault, route }),
    meanwhile: (route, run, turns = {}) => hooks.add({ times: 1, ...turns, route, run }),
    async edit(mutations, name = dataset) {
      const caller = { token: { role: 'editor' }, project, dataset: name, apiVersion: '2025-02-19' } as const
      const writer = { ...writerOf(caller, { projects, rules }), author: 'gEditor' }
      const { status, body } = await mutate(storeOf(name), { mutations }, { query: {}, writer })
      if (status !== 200) throw new Error(`An editor was refused: ${JSON.stringify(body)}`)
      return (body as { transactionId: string }).transactionId
    },
    reset() {
      faults.clear()
      hooks.clear()
      requests = []
    },
    store: storeOf,
    migrate(name) {
      const store = storeOf(name)
      for (const document of store.documents()) store.put({ ...document, _system: systemMember(document) })
    },
    addAsset({ kind, bytes, filename }) {
      const query: Record<string, string> = filename === undefined ? {} : { filename }
      const document = storeAsset(storeOf(), { kind, bytes, query, author: 'gEditor', project, cdn: server.url })
      if (!document) throw new Error('Not an image')
      return { _id: document._id, url: String(document['url']) }
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

const isWrite = (route: Route): boolean => route === 'mutate' || route === 'actions' || route === 'upload'

function makeProjects(project: string, dataset: string, options: SanityOptions, rules: Rules): Projects {
  const make = (name: string, content: ConstructorParameters<typeof Dataset>[1]) => {
    const made = new Dataset(name, content)
    made.indexLagMs = rules.indexLagMs
    made.deletedFileMs = rules.deletedFileMs
    return made
  }
  const projects: Projects = new Map([[project, new Map([[dataset, make(dataset, options)]])]])
  for (const [id, datasets] of Object.entries(options.projects ?? {})) {
    const known = projects.get(id) ?? new Map<string, Dataset>()
    for (const [name, content] of Object.entries(datasets)) known.set(name, make(name, content))
    projects.set(id, known)
  }
  return projects
}

async function breakConnection(response: ServerResponse, how: 'reset' | 'close' | 'hang'): Promise<void> {
  if (how === 'hang') await untilClosed(response)
  else if (how === 'reset') response.socket?.resetAndDestroy()
  else response.socket?.destroy()
}
