import type { Answer } from '../../http.ts'
import { isRecord, listIn, textIn } from '../data/json.ts'
import type { Dataset } from '../data/store.ts'
import { documentActions } from './document-actions.ts'
import { actionFailed, invalid, MutationError, repeatedTransaction } from './errors.ts'
import { releaseActions, type Scene } from './releases.ts'
import { Transaction, type Writer } from './transaction.ts'

/**
 * `POST /data/actions`: all actions of the body or none. `dryRun` and `skipCrossDatasetReferenceValidation` are members of the body here, not
 * of the query: @sanity/client data/dataMethods.ts.
 */
export function act(dataset: Dataset, body: unknown, { apiVersion, writer }: { apiVersion: string; writer: Writer }): Answer {
  const actions = listIn(body, 'actions')
  const id = textIn(body, 'transactionId')
  // INFERRED: a repeated id is refused as by a mutation.
  if (id !== undefined && dataset.history.has(id)) return repeatedTransaction(id)
  const options = isRecord(body) ? body : {}
  const skipElsewhere = options['skipCrossDatasetReferenceValidation'] === true
  const transaction = new Transaction(dataset, writer, { id, skipElsewhere })
  try {
    refuseMixed(actions)
    for (const [index, action] of actions.entries()) {
      transaction.index = index
      // Older versions say so: sanity-io/client CONTRIBUTING.md.
      if (apiVersion < '2025-02-19') throw invalid('not supported for this API version')
      apply({ dataset, writer, transaction }, action)
    }
  } catch (error) {
    if (error instanceof MutationError) return actionFailed(error, transaction.index)
    throw error
  }
  const [error] = transaction.errors()
  if (error) return actionFailed(error, error.index ?? 0)
  if (options['dryRun'] !== true) transaction.commit()
  return { status: 200, body: { transactionId: transaction.id } }
}

function apply(scene: Scene, action: unknown): void {
  const type = textIn(action, 'actionType') ?? ''
  const [, kind, name = ''] = /^sanity\.action\.(release|document)\.(.+)$/.exec(type) ?? []
  const actions = kind === 'release' ? releaseActions : documentActions
  const run = kind !== undefined && Object.hasOwn(actions, name) ? actions[name] : undefined
  if (!run || !isRecord(action)) throw invalid('unknown action type')
  run(scene, action)
}

/** Release actions and document actions may not be mixed in one request: sanity.io docs, HTTP reference, actions. Text INFERRED. */
function refuseMixed(actions: readonly unknown[]): void {
  const kinds = new Set(actions.map((action) => textIn(action, 'actionType')?.startsWith('sanity.action.release.')))
  if (kinds.size > 1) throw invalid('release actions and document actions can not be mixed')
}
