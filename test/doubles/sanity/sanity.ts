import { listen, makeQueue } from '../http.ts'
import { writerOf } from './access.ts'
import { storeAsset } from './assets/assets.ts'
import { Dataset, type DatasetOptions } from './data/store.ts'
import { makeLimiter } from './limits.ts'
import { receive, type World } from './router.ts'
import { defaultRules, type Rules } from './rules.ts'
import type { Projects, Sanity, SanityOptions, TokenOptions } from './types.ts'
import { mutate } from './write/mutate.ts'
import { systemMember } from './write/transaction.ts'

export type { Sanity, SanityOptions } from './types.ts'

/** Long enough to be masked, and of the form of real ones: `sk` and letters and digits. */
const TOKEN_END = 'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop'
const VIEWER_TOKEN = `skVIEWER${TOKEN_END}`
const EDITOR_TOKEN = `skEDITOR${TOKEN_END}`
const ADMIN_TOKEN = `skADMIN${TOKEN_END}`

const DEFAULT_PAGE_DOCUMENTS = 1000

/** Starts an emulated Sanity on loopback: one server for all projects, for the global host and (by the Host header) for project hosts. */
export async function startSanity(options: SanityOptions = {}): Promise<Sanity> {
  const { project = 'abc12345', dataset = 'production' } = options
  const world = makeWorld(options, { project, dataset })
  const server = await listen(async (request, response, url) => await receive(world, request, { response, url }))
  world.url = server.url
  const store = (name = dataset, projectId = project): Dataset => storeOf(world, name, projectId)
  return {
    url: server.url,
    project,
    dataset,
    token: VIEWER_TOKEN,
    editorToken: EDITOR_TOKEN,
    adminToken: ADMIN_TOKEN,
    get requests() {
      return world.requests
    },
    of: (route) => world.requests.filter((request) => request.route === route),
    count: (route) => world.requests.filter((request) => request.route === route).length,
    fault: (route, fault) => world.faults.add({ ...fault, route }),
    meanwhile: (route, run, turns = {}) => world.hooks.add({ times: 1, ...turns, route, run }),
    edit: async (mutations, name = dataset) => await edit(world, store(name), mutations),
    reset() {
      world.faults.clear()
      world.hooks.clear()
      world.requests = []
    },
    store,
    migrate(name) {
      for (const document of store(name).documents()) store(name).put({ ...document, _system: systemMember(document) })
    },
    addAsset({ kind, bytes, filename, oldHash }) {
      const query: Record<string, string> = filename === undefined ? {} : { filename }
      const document = storeAsset(store(), { kind, bytes, query, author: EDITOR, oldHash, project, cdn: server.url })
      if (!document) throw new Error('Not an image')
      return { _id: document._id, url: String(document['url']) }
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

/** Who writes in the Studio. */
const EDITOR = 'gEditor'

async function edit({ project, projects, rules }: World, store: Dataset, mutations: readonly object[]): Promise<string> {
  const caller = { token: { role: 'editor' }, project, dataset: store.name, apiVersion: '2025-02-19' } as const
  const writer = { ...writerOf(caller, { projects, rules }), author: EDITOR }
  const { status, body } = await mutate(store, { mutations }, { query: {}, writer })
  if (status !== 200) throw new Error(`An editor was refused: ${JSON.stringify(body)}`)
  return (body as { transactionId: string }).transactionId
}

function storeOf({ projects }: World, name: string, project: string): Dataset {
  const found = projects.get(project)?.get(name)
  if (!found) throw new Error(`No dataset ${name} in project ${project}`)
  found.settle()
  return found
}

function makeWorld(options: SanityOptions, { project, dataset }: { project: string; dataset: string }): World {
  const rules: Rules = { ...defaultRules, ...options.rules }
  const tokens = new Map<string, TokenOptions>([
    [VIEWER_TOKEN, { role: 'viewer' }],
    [EDITOR_TOKEN, { role: 'editor' }],
    [ADMIN_TOKEN, { role: 'administrator' }],
    ...Object.entries(options.tokens ?? {}),
  ])
  return {
    project,
    defaultProject: options.defaultProject ?? project,
    projects: makeProjects(options, { project, dataset }, rules),
    tokens,
    aliases: options.aliases ?? {},
    rules,
    limiter: makeLimiter(options.limits),
    pageDocuments: options.pageDocuments ?? DEFAULT_PAGE_DOCUMENTS,
    faults: makeQueue(),
    hooks: makeQueue(),
    given: new WeakMap(),
    requests: [],
    url: '',
  }
}

function makeProjects(options: SanityOptions, { project, dataset }: { project: string; dataset: string }, rules: Rules): Projects {
  const make = (name: string, content: DatasetOptions) => {
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
