import { randomBytes } from 'node:crypto'
import type { Answer } from './http.ts'
import type { Dataset, SanityDocument } from './sanity-store.ts'

type Result = { readonly id: string; readonly operation: 'create' | 'update' | 'delete' | 'none'; readonly document?: SanityDocument }

type Change = { readonly id: string; readonly document: SanityDocument | undefined }

/** Thrown inside a transaction: nothing of it is applied. */
class MutationError extends Error {
  readonly status: number
  readonly item: Readonly<Record<string, unknown>>
  constructor(status: number, item: Readonly<Record<string, unknown>>) {
    super(String(item['description']))
    this.status = status
    this.item = item
  }
}

/**
 * `POST /data/mutate`: all mutations of the body or none. Shapes: @sanity/client data/dataMethods.ts; the conflict as users paste it in public issues.
 */
export function mutate(dataset: Dataset, body: unknown, query: Readonly<Record<string, string>>): Answer {
  const mutations = list(body, 'mutations')
  const changes = new Map<string, SanityDocument | undefined>()
  const results: Result[] = []
  const find = (id: string) => (changes.has(id) ? changes.get(id) : dataset.find(id))
  const now = new Date().toISOString()
  const revision = newRevision()
  for (const [position, mutation] of mutations.entries()) {
    try {
      const { id, document, operation } = applyMutation(mutation, find, { now, revision })
      if (operation !== 'none') changes.set(id, document)
      results.push({ id, operation, ...(query['returnDocuments'] === 'true' && document ? { document } : {}) })
    } catch (error) {
      if (error instanceof MutationError) return mutationFailed(error, position)
      throw error
    }
  }
  if (query['dryRun'] !== 'true') {
    for (const [id, document] of changes) {
      if (document) dataset.put(document)
      else dataset.remove(id)
    }
  }
  const transactionId = text(body, 'transactionId') ?? revision
  if (query['returnDocuments'] === 'true' || query['returnIds'] === 'true') return { status: 200, body: { transactionId, results } }
  return { status: 200, body: { transactionId } }
}

/** `POST /data/actions`: the one action that @sanity/import sends (src/importBatches.ts). */
export function act(dataset: Dataset, body: unknown, query: Readonly<Record<string, string>>, apiVersion: string): Answer {
  const actions = list(body, 'actions')
  const revision = newRevision()
  const documents: SanityDocument[] = []
  for (const [position, action] of actions.entries()) {
    if (apiVersion < '2025-02-19') return actionFailed(400, position, 'not supported for this API version')
    if (text(action, 'actionType') !== 'sanity.action.release.import') return actionFailed(400, position, 'unknown action type')
    const id = `_.releases.${text(action, 'releaseId')}`
    const exists = dataset.find(id) !== undefined
    const ifExists = text(action, 'ifExists') ?? 'fail'
    if (exists && ifExists === 'fail') return actionFailed(409, position, `Document by ID "${id}" already exists`)
    if (exists && ifExists === 'ignore') continue
    documents.push(stamped({ ...record(action, 'attributes'), _id: id, _type: 'system.release' }, new Date().toISOString(), revision))
  }
  if (query['dryRun'] !== 'true') for (const document of documents) dataset.put(document)
  return { status: 200, body: { transactionId: text(body, 'transactionId') ?? revision } }
}

/** 22 characters, as `_rev` has it in real exports. */
export const newRevision = (): string => randomBytes(17).toString('base64url').slice(0, 22)

function applyMutation(
  mutation: unknown,
  find: (id: string) => SanityDocument | undefined,
  { now, revision }: { now: string; revision: string },
): Change & { operation: Result['operation'] } {
  if (!isRecord(mutation)) throw new MutationError(400, { type: 'validationError', description: 'Mutation must be an object' })
  const [[kind, value] = ['', undefined]] = Object.entries(mutation)
  if (!isRecord(value)) throw new MutationError(400, { type: 'validationError', description: 'Mutation must have one key' })
  if (kind === 'delete') {
    const id = String(value['id'])
    return { id, document: undefined, operation: find(id) ? 'delete' : 'none' }
  }
  if (kind === 'patch') return patch(value, find, { now, revision })
  const id = typeof value['_id'] === 'string' ? value['_id'] : crypto.randomUUID()
  if (typeof value['_type'] !== 'string') {
    throw new MutationError(400, { type: 'validationError', description: 'Document must have a _type' })
  }
  const existing = find(id)
  const document = stamped({ ...value, _id: id, _type: value['_type'] }, now, revision)
  if (kind === 'createIfNotExists') return existing ? { id, document: existing, operation: 'none' } : { id, document, operation: 'create' }
  if (kind === 'createOrReplace') return { id, document, operation: existing ? 'update' : 'create' }
  if (kind !== 'create') throw new MutationError(400, { type: 'validationError', description: `Unknown mutation "${kind}"` })
  if (existing) {
    throw new MutationError(409, { type: 'documentAlreadyExistsError', id, description: `Document by ID "${id}" already exists` })
  }
  return { id, document, operation: 'create' }
}

function patch(
  value: Record<string, unknown>,
  find: (id: string) => SanityDocument | undefined,
  { now, revision }: { now: string; revision: string },
): Change & { operation: Result['operation'] } {
  const id = String(value['id'])
  const existing = find(id)
  if (!existing)
    throw new MutationError(409, { type: 'documentNotFoundError', id, description: `The document with the ID "${id}" was not found` })
  if (value['ifRevisionID'] !== undefined && value['ifRevisionID'] !== existing['_rev']) {
    const description = `The document has unexpected revision ID "${existing['_rev']}", expected "${value['ifRevisionID']}"`
    throw new MutationError(409, { type: 'documentRevisionIDDoesNotMatchError', id, description })
  }
  const document = structuredClone(existing) as Record<string, unknown>
  for (const [path, item] of Object.entries(record(value, 'setIfMissing'))) {
    const steps = parsePath(path)
    if (valueAt(document, steps) === undefined) setAt(document, steps, item)
  }
  for (const [path, item] of Object.entries(record(value, 'set'))) setAt(document, parsePath(path), item)
  for (const path of Array.isArray(value['unset']) ? value['unset'] : []) unsetAt(document, parsePath(String(path)))
  return { id, document: { ...document, _id: id, _type: existing._type, _rev: revision, _updatedAt: now }, operation: 'update' }
}

/** The server keeps times that it is given and always makes the revision. */
function stamped(document: SanityDocument, now: string, revision: string): SanityDocument {
  return { ...document, _createdAt: document['_createdAt'] ?? now, _updatedAt: document['_updatedAt'] ?? now, _rev: revision }
}

type Step = string | number

/** The forms `a.b[0].c` and `a["0"].b` of JSONMatch, which is what @sanity/import serializePath.ts writes; also `list[_key=="x"]`. */
function parsePath(path: string): (Step | { key: string })[] {
  const steps: (Step | { key: string })[] = []
  const pattern = /\.?([A-Za-z_$-][\w$-]*)|\[(\d+)\]|\[["']((?:[^"'\\]|\\.)*)["']\]|\[_key\s*==\s*["']([^"']*)["']\]/y
  while (pattern.lastIndex < path.length) {
    const at = pattern.lastIndex
    const match = pattern.exec(path)
    if (!match) throw new MutationError(400, { type: 'validationError', description: `Unable to parse path "${path}" at ${at}` })
    const [, name, index, quoted, key] = match
    if (key !== undefined) steps.push({ key })
    else steps.push(name ?? quoted ?? Number(index))
  }
  return steps
}

function child(parent: unknown, step: Step | { key: string }): unknown {
  if (Array.isArray(parent)) {
    if (typeof step === 'number') return parent[step]
    if (typeof step === 'object') return parent.find((item) => isRecord(item) && item['_key'] === step.key)
    return undefined
  }
  return isRecord(parent) && typeof step !== 'object' ? parent[step] : undefined
}

function valueAt(root: unknown, steps: readonly (Step | { key: string })[]): unknown {
  return steps.reduce(child, root)
}

function setAt(root: Record<string, unknown>, steps: readonly (Step | { key: string })[], value: unknown): void {
  const last = steps.at(-1)
  const parent = valueAt(root, steps.slice(0, -1))
  if (last === undefined || parent === undefined) return
  if (Array.isArray(parent)) {
    const index = typeof last === 'object' ? parent.findIndex((item) => isRecord(item) && item['_key'] === last.key) : Number(last)
    if (index >= 0 && index < parent.length) parent[index] = value
  } else if (isRecord(parent) && typeof last !== 'object') parent[last] = value
}

function unsetAt(root: Record<string, unknown>, steps: readonly (Step | { key: string })[]): void {
  const last = steps.at(-1)
  const parent = valueAt(root, steps.slice(0, -1))
  if (last === undefined) return
  if (Array.isArray(parent)) {
    const index = typeof last === 'object' ? parent.findIndex((item) => isRecord(item) && item['_key'] === last.key) : Number(last)
    if (index >= 0) parent.splice(index, 1)
  } else if (isRecord(parent) && typeof last !== 'object') delete parent[last]
}

function mutationFailed({ status, message, item }: MutationError, index: number): Answer {
  const description = `The mutation(s) failed: ${message}`
  return { status, body: { error: { type: 'mutationError', description, items: [{ index, error: item }] } } }
}

/** Text found by Sanity's own client tests: sanity-io/client CONTRIBUTING.md. */
function actionFailed(status: number, index: number, reason: string): Answer {
  const description = `action index ${index}: ${reason}`
  return { status, body: { error: { type: 'actionError', description, items: [{ index, error: { type: 'actionError', description } }] } } }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

function list(body: unknown, key: string): unknown[] {
  const value = isRecord(body) ? body[key] : undefined
  return Array.isArray(value) ? value : []
}

function record(body: unknown, key: string): Record<string, unknown> {
  const value = isRecord(body) ? body[key] : undefined
  return isRecord(value) ? value : {}
}

function text(body: unknown, key: string): string | undefined {
  const value = isRecord(body) ? body[key] : undefined
  return typeof value === 'string' ? value : undefined
}
