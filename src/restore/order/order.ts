import { orderCreates } from './creates.ts'
import { orderDeletes } from './deletes.ts'
import { orderReplaces } from './replaces.ts'
import { scopeOf } from './scope.ts'
import type { Limits, OrderNeeds, Step } from './writes.ts'

export type { Batch, OrderNeeds, Step, Write } from './writes.ts'

const defaultLimits: Limits = { bytes: 256 * 1024, documents: 500, levels: 32 }

/**
 * Puts the writes of a restore into an order in which no strong reference ever points at nothing. Nobody outside Sanity knows whether the server
 * looks after each mutation or at the end of a transaction: this order is right under both. Creates come first, as what is replaced may refer to
 * them; deletes come last, when what is replaced refers to them no more. A step writes each document once; all in all a document is written twice
 * only if it begins with weak or without references, see {@link Step}.
 */
export function orderWrites(needs: OrderNeeds, limits: Limits = defaultLimits): Step[] {
  const scope = scopeOf(needs, limits)
  const created = orderCreates(scope)
  const replaced = orderReplaces(scope, created.weak)
  const left = needs.deletes.filter((document) => !replaced.deleted.has(document))
  return [...created.steps, ...replaced.steps, ...orderDeletes(scope, left, replaced.cleared)]
}
