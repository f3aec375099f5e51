import { withWeakened } from '../../../restore/canonical/rewrite.ts'
import { clearOf, createOf, deleteOf, fillOf, replaceOf, stubOf } from '../../../restore/mutations/mutations.ts'
import { asUnfinished } from '../../../restore/mutations/unfinished.ts'
import type { Batch, Write } from '../../../restore/order/order.ts'
import type { Catalog } from '../../../restore/plan/catalog.ts'

/** What the mutations of a batch are made of. */
export type BatchNeeds = {
  readonly catalog: Catalog
  /** The line that a document is to have. */
  readonly lineOf: (document: number) => Promise<Buffer>
  /** The revision that a document has, as far as this run knows. */
  readonly revisionOf: (document: number) => string
}

/** The mutations of a batch, and for each of them the document that it is about. */
export type Mutations = { readonly mutations: readonly Buffer[]; readonly documents: readonly number[] }

/** Makes the mutations of a batch; one may take several, with the lock before it. */
export async function mutationsOf({ writes }: Batch, needs: BatchNeeds): Promise<Mutations> {
  const mutations: Buffer[] = []
  const documents: number[] = []
  const cleared = new Set<number>()
  for (const write of writes) {
    for (const mutation of await mutationsFor(write, cleared, needs)) {
      mutations.push(mutation)
      documents.push(write.document)
    }
  }
  return { mutations, documents }
}

/** `cleared`: what stands in the batch under a lock already. */
async function mutationsFor(write: Write, cleared: Set<number>, { catalog, lineOf, revisionOf }: BatchNeeds): Promise<Buffer[]> {
  const { kind, document } = write
  const id = catalog.idOf(document)
  const locked = { id, revision: revisionOf(document) }
  switch (kind) {
    case 'create':
      return createOf(await lineOf(document))
    case 'replace':
      return cleared.has(document) ? fillOf(await lineOf(document)) : replaceOf(locked, await lineOf(document))
    case 'stub':
      return stubOf(id, catalog.typeOf('snapshot', document))
    case 'fill':
      return fillOf(await lineOf(document))
    case 'clear':
      cleared.add(document)
      return clearOf(locked, catalog.typeOf('target', document))
    case 'delete':
      return cleared.has(document) ? deleteOf(id) : deleteOf(id, locked.revision)
    case 'weak': {
      const line = asUnfinished(withWeakened(await lineOf(document), new Set(write.targets.map(catalog.idOf))))
      return write.replaces ? replaceOf(locked, line) : createOf(line)
    }
  }
}
