import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { type Answer, type Queue, readBody, recordRequest, send, type Turns, untilClosed } from '../http.ts'
import { aclOf, denial, findToken, userOf } from './access.ts'
import { datasetNotFound, projectNotFound } from './answers.ts'
import type { Dataset } from './data/store.ts'
import type { Limiter } from './limits.ts'
import { aliasesAnswer, aliasIsReadOnly, datasetsAnswer, featuresAnswer, projectOf } from './read/projects.ts'
import { docAnswer, exportDataset, historyAnswer, queryAnswer, sendAsset } from './read/read.ts'
import type { Rules } from './rules.ts'
import { findTarget } from './target.ts'
import type { Call, Fault, Projects, Route, SanityRequest, TokenOptions } from './types.ts'
import { write } from './write/write.ts'

/** Everything that the emulated server knows. */
export type World = {
  /** Project of `tokens` and `aliases`. */
  readonly project: string
  /** Project of requests that do not say which. */
  readonly defaultProject: string
  readonly projects: Projects
  readonly tokens: ReadonlyMap<string, TokenOptions>
  readonly aliases: Readonly<Record<string, string>>
  readonly rules: Rules
  readonly limiter: Limiter
  readonly pageDocuments: number
  readonly faults: Queue<Fault & { readonly route: Route }>
  readonly hooks: Queue<Turns & { readonly route: Route; readonly run: () => unknown }>
  /** How many results of a fault were given. */
  readonly given: WeakMap<Fault, number>
  requests: SanityRequest[]
  /** Where this server listens. */
  url: string
}

export async function receive(
  world: World,
  request: IncomingMessage,
  { response, url }: { response: ServerResponse; url: URL },
): Promise<void> {
  const target = findTarget(request, url, world.defaultProject)
  const record: SanityRequest = { ...recordRequest(request, url), route: target.route, project: target.project, dataset: target.dataset }
  world.requests.push(record)
  const fault = world.faults.take((rule) => rule.route === record.route && (rule.when?.(record) ?? true))
  const token = findToken(world.tokens, request)
  const denied =
    target.route === 'asset' ? undefined : denial(token, target.project, { projects: world.projects, defaultProject: world.project })
  const given = fault?.answer ?? denied
  // A write that takes long counts among those at the same time: see `write`.
  if (fault?.delayMs && (given || fault.connection || !isWrite(record.route))) await setTimeout(fault.delayMs)
  if (fault?.connection) return await breakConnection(response, fault.connection)
  if (given) {
    // The whole request is read first, as a server behind a proxy would.
    await readBody(request)
    return send(response, given)
  }
  const caller = { token: token === 'none' || token === 'unknown' ? undefined : token, ...target }
  const call = { request, response, record, caller, fault }
  const answer = await managementAnswer(world, call)
  if (answer) return send(response, answer)
  await dataAnswer(world, call)
}

const isWrite = (route: Route): boolean => route === 'mutate' || route === 'actions' || route === 'upload'

/** What needs no dataset, or only the name of one. */
async function managementAnswer({ projects, aliases }: World, { record, caller, request }: Call): Promise<Answer | undefined> {
  const datasets = projects.get(caller.project)
  if (record.route === 'unknown') return { status: 404, body: { statusCode: 404, error: 'Not Found', message: 'Not Found' } }
  if (record.route === 'me') return { status: 200, body: userOf(caller) }
  const management = ['project', 'datasets', 'aliases', 'features', 'acl'].includes(record.route)
  if (!datasets) return management ? projectNotFound(caller.project) : datasetNotFound(caller.project, caller.dataset)
  if (record.route === 'project') return { status: 200, body: projectOf(caller.project) }
  if (record.route === 'aliases') return aliasesAnswer(caller, aliases)
  if (record.route === 'features') return featuresAnswer(caller, aliases)
  if (record.route === 'datasets') return datasetsAnswer(caller, record.method, { datasets, body: await readBody(request) })
  return undefined
}

async function dataAnswer(world: World, call: Call): Promise<void> {
  const { record, caller, response, fault } = call
  const alias = caller.dataset.startsWith('~') ? caller.dataset.slice(1) : undefined
  const store = world.projects.get(caller.project)?.get(alias === undefined ? caller.dataset : (world.aliases[alias] ?? ''))
  if (!store) return send(response, datasetNotFound(caller.project, caller.dataset))
  // A write has its body read first: see `write`.
  const meanwhile = async () => void (await world.hooks.take(({ route }) => route === record.route)?.run())
  if (!isWrite(record.route)) await meanwhile()
  store.settle()
  switch (record.route) {
    case 'acl':
      return send(response, { status: 200, body: aclOf(caller) })
    case 'export':
      return await exportDataset(call, store, world.pageDocuments)
    case 'query':
      return send(response, await queryAnswer(call, store, nextResult(world, fault)))
    case 'doc':
      return send(response, await docAnswer(call, store))
    case 'history':
      return send(response, historyAnswer(call, store))
    case 'asset':
      return sendAsset(call, store, world.tokens)
    default:
      return await answerWrite(world, call, { store, alias, meanwhile })
  }
}

type WriteTarget = { readonly store: Dataset; readonly alias: string | undefined; meanwhile(): Promise<void> }

async function answerWrite(world: World, call: Call, { store, alias, meanwhile }: WriteTarget): Promise<void> {
  const { response, request, fault } = call
  if (alias !== undefined) {
    await readBody(request)
    return send(response, aliasIsReadOnly(alias))
  }
  const done = await write(call, store, { ...world, cdn: world.url, meanwhile })
  if (fault?.lost === undefined) return send(response, done)
  if (typeof fault.lost === 'object') return send(response, fault.lost)
  await breakConnection(response, fault.lost)
}

function nextResult({ given }: World, fault: Fault | undefined): { readonly value: unknown } | undefined {
  if (!fault?.results) return undefined
  const turn = given.get(fault) ?? 0
  given.set(fault, turn + 1)
  return { value: fault.results[Math.min(turn, fault.results.length - 1)] }
}

async function breakConnection(response: ServerResponse, how: 'reset' | 'close' | 'hang'): Promise<void> {
  if (how === 'hang') await untilClosed(response)
  else if (how === 'reset') response.socket?.resetAndDestroy()
  else response.socket?.destroy()
}
