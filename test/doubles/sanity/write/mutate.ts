import type { Answer } from '../../http.ts'
import { evaluateGroq } from '../data/groq.ts'
import { isRecord, listIn, recordIn, textIn } from '../data/json.ts'
import type { Dataset, SanityDocument } from '../data/store.ts'
import { alreadyExists, invalid, MutationError, mutationFailed, notFound, otherRevision, repeatedTransaction } from './errors.ts'
import { patched } from './patch.ts'
import { refuseLocked } from './releases.ts'
import { newRevision, Transaction, type Writer } from './transaction.ts'

type Result = { readonly id: string; readonly operation: 'create' | 'update' | 'delete' | 'none'; readonly document?: SanityDocument }

type Mutation = readonly [kind: string, value: Record<string, unknown>]

type Query = Readonly<Record<string, string>>

/** sanity.io docs, mutate: a mutation by query touches at most that many documents. INFERRED: the first ones. */
const QUERY_LIMIT = 10_000

/**
 * `POST /data/mutate`: all mutations of the body or none. Shapes: @sanity/client data/dataMethods.ts. `dryRun` counts in the query only, as the
 * client sends it; in the body it is ignored.
 */
export async function mutate(dataset: Dataset, body: unknown, { query, writer }: { query: Query; writer: Writer }): Promise<Answer> {
  let mutations: Mutation[][]
  try {
    mutations = await Promise.all(listIn(body, 'mutations').map((mutation) => resolve(dataset, mutation)))
  } catch (error) {
    if (error instanceof MutationError) return mutationFailed([error])
    throw error
  }
  const id = textIn(body, 'transactionId')
  // INFERRED: before anything else, else a repeated `create` would say that its document exists.
  if (id !== undefined && dataset.history.has(id)) return repeatedTransaction(id)
  const transaction = new Transaction(dataset, writer, { id, skipElsewhere: query['skipCrossDatasetReferenceValidation'] === 'true' })
  const results: Result[] = []
  const withDocuments = query['returnDocuments'] === 'true' && (query['dryRun'] !== 'true' || writer.rules.dryRunDocuments)
  try {
    for (const [index, each] of mutations.entries()) {
      transaction.index = index
      for (const mutation of each) {
        const { document, ...result } = apply(transaction, mutation, writer)
        results.push({ ...result, ...(withDocuments && document ? { document } : {}) })
      }
    }
  } catch (error) {
    if (!(error instanceof MutationError)) throw error
    error.index ??= transaction.index
    return mutationFailed([error])
  }
  const errors = transaction.errors()
  if (errors.length > 0) return mutationFailed(errors)
  if (query['dryRun'] !== 'true') transaction.commit()
  const told = query['returnDocuments'] === 'true' || query['returnIds'] === 'true'
  return { status: 200, body: { transactionId: transaction.id, ...(told ? { results } : {}) } }
}

/**
 * A mutation by query becomes one for each document that the query finds, on the search index and before the transaction begins: it is not
 * strongly consistent (sanity.io docs, transactions). Ids may come as a list: @sanity/client types.ts.
 */
async function resolve(dataset: Dataset, mutation: unknown): Promise<Mutation[]> {
  if (!isRecord(mutation)) throw invalid('Mutation must be an object')
  const [[kind, value] = ['', undefined]] = Object.entries(mutation)
  if (!isRecord(value)) throw invalid('Mutation must have one key')
  if (kind !== 'delete' && kind !== 'patch') return [[kind, value]]
  const query = textIn(value, 'query')
  const given = Array.isArray(value['id']) ? value['id'].map(String) : [textIn(value, 'id')].filter((id) => id !== undefined)
  const ids = query === undefined ? given : await idsOf(dataset, query, recordIn(value, 'params'))
  if (query === undefined && ids.length === 0) throw invalid(`A ${kind} needs an id or a query`)
  return ids.map((id) => [kind, { ...value, id }])
}

async function idsOf(dataset: Dataset, query: string, params: Record<string, unknown>): Promise<string[]> {
  const found = await evaluateGroq(query, dataset.indexed(), params)
  const list = Array.isArray(found) ? found : [found]
  return list.flatMap((each) => (isRecord(each) && typeof each['_id'] === 'string' ? each['_id'] : [])).slice(0, QUERY_LIMIT)
}

function apply(transaction: Transaction, [kind, value]: Mutation, { rules }: Writer): Result {
  const document = kind === 'delete' || kind === 'patch' ? undefined : documentOf(value)
  const id = document?._id ?? String(value['id'])
  // INFERRED, with this text: the importer and the Studio make releases by actions, and drop other system documents.
  if (id.startsWith('_.') && rules.systemDocuments === 'refuse') throw invalid(`Document ID "${id}" is reserved and can not be mutated`)
  refuseLocked(transaction, id)
  if (kind === 'delete') return { id, operation: transaction.remove(id) ? 'delete' : 'none' }
  if (kind === 'patch') return patch(transaction, id, value)
  if (!document) throw invalid('Mutation must have one key')
  const existing = transaction.has(id)
  if (kind === 'createIfNotExists' && existing) {
    const found = transaction.find(id)
    return { id, operation: 'none', ...(found ? { document: found } : {}) }
  }
  if (kind === 'create' && existing) throw alreadyExists(id)
  if (kind !== 'create' && kind !== 'createIfNotExists' && kind !== 'createOrReplace') throw invalid(`Unknown mutation "${kind}"`)
  transaction.needForReplacement(id, document)
  return { id, operation: existing ? 'update' : 'create', document: transaction.write(document) }
}

/** No id, or one that ends with a dot: the server makes it (sanity.io docs, mutate). */
function documentOf(value: Record<string, unknown>): SanityDocument {
  const given = typeof value['_id'] === 'string' ? value['_id'] : ''
  const id = given === '' || given.endsWith('.') ? `${given}${newRevision().replace(/^[-_]/, 'a')}` : given
  // Since 2017 a 400: sanity-io/gradient issue 516.
  if (typeof value['_type'] !== 'string') throw invalid('Document does not have a type')
  return { ...value, _id: id, _type: value['_type'] }
}

function patch(transaction: Transaction, id: string, value: Record<string, unknown>): Result {
  const existing = transaction.find(id)
  if (!existing) throw notFound(id)
  const expected = value['ifRevisionID']
  if (expected !== undefined && expected !== existing['_rev']) throw otherRevision(id, existing['_rev'], expected)
  const document = transaction.write({ ...patched(existing, value), _updatedAt: transaction.now })
  return { id, operation: 'update', document }
}
