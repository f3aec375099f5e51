import { orderWrites, type Step, type Write } from '../../../src/restore/order/order.ts'
import type { Limits } from '../../../src/restore/order/writes.ts'
import type { Dataset } from './dataset.ts'
import { type Content, Server } from './server.ts'

/**
 * Orders the writes of a dataset, runs them, with the batches of each step in the order that `shuffle` makes, and throws if anything is not as
 * it has to be. Gives the steps.
 */
export function checkedOrder(dataset: Dataset, limits: Limits, shuffle: <T>(list: readonly T[]) => T[]): Step[] {
  const steps = orderWrites(dataset.needs, limits)
  checkLimits(steps, dataset, limits)
  checkTimes(steps, dataset)
  checkSeen(steps, dataset)
  for (const check of ['each', 'end'] as const) run(steps, new Server(check, dataset), dataset, shuffle)
  return steps
}

function run(steps: readonly Step[], server: Server, dataset: Dataset, shuffle: <T>(list: readonly T[]) => T[]): void {
  const clearedAlone = new Set(alone(steps).map(({ document }) => document))
  for (const { batches } of steps) {
    const before = new Map(server.documents)
    for (const batch of shuffle(batches)) {
      for (const write of batch.writes) checkWeak(write, before, dataset)
      server.commit(batch)
      for (const { document } of batch.writes) {
        if (server.documents.get(document)?.text === 'bare' && !clearedAlone.has(document)) throw new Error(`${document} is seen bare`)
      }
    }
  }
  for (let document = 0; document < dataset.count; document++) {
    const [is, should] = [server.documents.get(document), dataset.snapshot(document)].map((content) => JSON.stringify(content))
    if (is !== should) throw new Error(`${document} ends as ${is}, not as ${should}`)
  }
}

/**
 * What others see is only what cannot be helped: a document is cleared once, and only if it refers to something that could not be deleted, or
 * change its type, as long as it does. A replace begins weak only if it refers to a document that changes its type, and will again.
 */
function checkSeen(steps: readonly Step[], { needs }: Dataset): void {
  const retypes = new Set(needs.retypes)
  const deletes = new Set(needs.deletes)
  const replaces = new Set(needs.replaces)
  const hinders = (document: number, bound: ReadonlySet<number>): boolean =>
    [...needs.refersInTarget(document)].some((target) => bound.has(target))
  const seen = new Set<number>()
  for (const { kind, batches } of steps) {
    for (const { document } of alone([{ kind, batches }])) {
      if (seen.has(document)) throw new Error(`clear of ${document}: again`)
      seen.add(document)
      if (!deletes.has(document) && !retypes.has(document)) throw new Error(`clear of ${document}: it stays`)
      if (!hinders(document, kind === 'delete' ? deletes : retypes)) throw new Error(`clear of ${document}: it hinders nothing`)
    }
    for (const { kind, document } of batches.flatMap(({ writes }) => writes)) {
      if (kind === 'weak' && replaces.has(document) && !hinders(document, retypes))
        throw new Error(`weak of ${document}: it hinders nothing`)
    }
  }
}

/** A reference is made weak only if its target is not there when the step begins, or has not got its new type yet. */
function checkWeak(write: Write, before: ReadonlyMap<number, Content>, { snapshot }: Dataset): void {
  if (write.kind !== 'weak') return
  if (write.targets.length === 0) throw new Error(`weak of ${write.document}: nothing is weak`)
  for (const target of write.targets) {
    if (before.get(target)?.type === snapshot(target)?.type) throw new Error(`weak of ${write.document}: ${target} is there`)
  }
}

function checkLimits(steps: readonly Step[], { needs }: Dataset, limits: Limits): void {
  const isDelete = new Set(needs.deletes)
  const most = { create: limits.levels, replace: limits.levels + 2, delete: limits.levels + 1 }
  for (const [kind, count] of Object.entries(most)) {
    if (steps.filter((step) => step.kind === kind).length > count) throw new Error(`more than ${count} steps: ${kind}`)
  }
  for (const batch of steps.flatMap(({ batches }) => batches)) {
    const documents = new Set(batch.writes.map(({ document }) => document))
    const bytes = [...documents].reduce((sum, document) => sum + (isDelete.has(document) ? 0 : needs.size(document)), 0)
    if (documents.size > 1 && (documents.size > limits.documents || bytes > limits.bytes)) throw new Error('a batch is too large')
    if (documents.size === 0) throw new Error('a batch is empty')
  }
}

/** A document is written in one batch; in one more if it began weak, in one more if it was cleared alone. */
function checkTimes(steps: readonly Step[], { needs }: Dataset): void {
  const times = new Map<number, number>()
  const count = (document: number, by: number): unknown => times.set(document, (times.get(document) ?? 0) + by)
  for (const { writes } of steps.flatMap(({ batches }) => batches)) {
    for (const document of new Set(writes.map((write) => write.document))) count(document, 1)
    for (const write of writes) if (write.kind === 'weak') count(write.document, -1)
  }
  for (const { document } of alone(steps)) count(document, -1)
  const all = [...needs.creates, ...needs.replaces, ...needs.retypes, ...needs.deletes]
  if (times.size !== all.length) throw new Error(`${times.size} documents are written, not ${all.length}`)
  for (const document of all) if (times.get(document) !== 1) throw new Error(`${document} is written ${times.get(document)} times`)
}

/** Clears that nothing follows in their batch. */
export function alone(steps: readonly Step[]): Write[] {
  return steps.flatMap(({ batches }) =>
    batches.flatMap(({ writes }) => {
      const last = new Map(writes.map((write) => [write.document, write]))
      return [...last.values()].filter(({ kind }) => kind === 'clear')
    }),
  )
}
