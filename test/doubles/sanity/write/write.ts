import { setTimeout } from 'node:timers/promises'
import { type Answer, readBody } from '../../http.ts'
import { mayNotWrite, uploadDenied, writerOf } from '../access.ts'
import { storeAsset } from '../assets/assets.ts'
import { parseExactly } from '../data/json.ts'
import type { Dataset } from '../data/store.ts'
import type { Limiter } from '../limits.ts'
import type { Rules } from '../rules.ts'
import type { Call, Projects } from '../types.ts'
import { act } from './actions.ts'
import { mutate } from './mutate.ts'

type Surroundings = {
  readonly cdn: string
  readonly projects: Projects
  readonly rules: Rules
  readonly limiter: Limiter
  /** What others do right before this request is carried out. */
  meanwhile(): Promise<void>
}

/** sanity.io docs, technical limits: the body of a mutation is at most 4 MB. Status INFERRED. */
const MUTATION_LIMIT_BYTES = 4_000_000

export async function write(call: Call, store: Dataset, around: Surroundings): Promise<Answer> {
  const { record, request } = call
  const kind = record.route === 'upload' ? 'upload' : 'mutation'
  const pass = around.limiter.enter({ address: request.socket.remoteAddress ?? '', kind, dataset: store.name })
  if (pass.refused) {
    await readBody(request)
    return pass.refused
  }
  try {
    if (call.fault?.delayMs) await setTimeout(call.fault.delayMs)
    const body = await readBody(request)
    await around.meanwhile()
    const answer = await carryOut(call, store, { ...around, body })
    // `sync` waits for the search index: sanity.io docs, transactions.
    const waits = record.route === 'mutate' && (record.query['visibility'] ?? 'sync') === 'sync'
    if (waits && store.indexLagMs > 0) await setTimeout(store.indexLagMs)
    return { ...answer, headers: { ...pass.headers, ...answer.headers } }
  } finally {
    pass.done()
  }
}

async function carryOut(
  { record, caller }: Call,
  store: Dataset,
  { body, cdn, projects, rules }: Surroundings & { body: Buffer },
): Promise<Answer> {
  const denied = mayNotWrite(caller, record.route)
  if (denied) return denied
  const writer = writerOf(caller, { projects, rules })
  if (record.route === 'upload') {
    const kind = record.path.includes('/assets/images/') ? 'images' : 'files'
    // Roles can be denied images or files: sanity.io docs, roles.
    if (caller.token?.may?.('create', kind === 'images' ? 'image-' : 'file-', undefined) === false) return uploadDenied
    const upload = { kind, bytes: body, query: record.query, author: writer.author, project: caller.project, cdn } as const
    const document = storeAsset(store, upload)
    if (document) return { status: 200, body: { document } }
    return { status: 422, body: { statusCode: 422, error: 'Unprocessable Entity', message: 'Invalid image, could not process' } }
  }
  if (body.length > MUTATION_LIMIT_BYTES) {
    return { status: 413, body: { statusCode: 413, error: 'Request Entity Too Large', message: 'Payload too large' } }
  }
  let value: unknown
  try {
    value = parseExactly(body.toString())
  } catch {
    return { status: 400, body: { statusCode: 400, error: 'Bad Request', message: 'Invalid JSON' } }
  }
  if (record.route === 'mutate') return await mutate(store, value, { query: record.query, writer })
  return act(store, value, { apiVersion: caller.apiVersion, writer })
}
