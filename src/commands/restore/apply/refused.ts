import { stampsIn } from '../../../restore/mutations/stamps.ts'
import type { Batch, Write } from '../../../restore/order/order.ts'
import type { Catalog } from '../../../restore/plan/catalog.ts'
import type { Problem, WriteApi, Written } from '../../../sanity/write/write.ts'

/** What is against a document, and its JSON as it is on the server by now; undefined if it is not there. */
export type RefusedDocument = { readonly problem: Pick<Problem, 'type' | 'others' | 'words'>; readonly now: Buffer | undefined }

type RefusedNeeds = {
  readonly api: Pick<WriteApi, 'read'>
  readonly catalog: Pick<Catalog, 'idOf' | 'numberOf' | 'referencesOf'>
  /** The revision that a document has, as far as this run knows. */
  readonly revisionOf: (document: number) => string
}

type Refusal = { readonly written: Extract<Written, { readonly kind: 'refused' }>; readonly documents: readonly number[] }

/**
 * Because of which documents a batch was refused. Empty where that cannot be told and the batch has several: then it is to be sent in halves.
 * `documents` has the document of each mutation. After a conflict all documents of the batch are looked at, since a server may speak of the first
 * alone: what somebody changes is seldom a single one, and a try for each would take hours.
 */
export async function findRefused(
  batch: Batch,
  { written, documents }: Refusal,
  needs: RefusedNeeds,
): Promise<Map<number, RefusedDocument>> {
  const { api, catalog } = needs
  const named = namedIn(written.problems, documents, catalog)
  for (const [document, problem] of alsoRefused(batch, named, catalog)) named.set(document, problem)
  const all = [...new Set(documents)]
  const [only] = all
  // What is refused without a word must not be sent for ever.
  const [problem = silentRefusal(written.status)] = written.problems
  if (named.size === 0 && all.length === 1 && only !== undefined) named.set(only, problem)
  const looked = written.status === 409 ? all : [...named.keys()]
  const now = looked.length === 0 ? new Map<string, Buffer>() : await api.read(looked.map(catalog.idOf))
  const nowOf = (document: number) => now.get(catalog.idOf(document))
  const changed = written.status === 409 ? changedMeanwhile(batch, nowOf, needs) : new Map<number, RefusedDocument>()
  return changed.size > 0 ? changed : new Map([...named].map(([document, each]) => [document, { problem: each, now: nowOf(document) }]))
}

function silentRefusal(status: number): Problem {
  return { type: 'other', index: -1, id: undefined, others: [], words: `status ${status}` }
}

function namedIn(problems: readonly Problem[], documents: readonly number[], { numberOf }: Pick<Catalog, 'numberOf'>) {
  const inBatch = new Set(documents)
  const named = new Map<number, Problem>()
  for (const problem of problems) {
    const byId = problem.id === undefined ? undefined : numberOf(problem.id)
    const document = byId !== undefined && inBatch.has(byId) ? byId : documents[problem.index]
    if (document !== undefined && !named.has(document)) named.set(document, problem)
  }
  return named
}

/** What refers to a document that is not there is refused for that, whether the server names it or not. */
function alsoRefused(
  { writes }: Batch,
  named: ReadonlyMap<number, Problem>,
  { numberOf, referencesOf }: RefusedNeeds['catalog'],
): [number, Problem][] {
  const missing = new Map<number, Problem>()
  for (const problem of named.values()) {
    const targets = problem.type === 'reference-missing' ? problem.others.map(numberOf) : []
    for (const target of targets) if (target !== undefined) missing.set(target, problem)
  }
  if (missing.size === 0) return []
  return writes.flatMap((write): [number, Problem][] => {
    if (named.has(write.document) || write.kind === 'delete' || write.kind === 'clear' || write.kind === 'stub') return []
    const weak: readonly number[] = write.kind === 'weak' ? write.targets : []
    for (const target of referencesOf('snapshot', write.document)) {
      const problem = weak.includes(target) ? undefined : missing.get(target)
      if (problem) return [[write.document, problem]]
    }
    return []
  })
}

function changedMeanwhile(
  { writes }: Batch,
  nowOf: (document: number) => Buffer | undefined,
  { revisionOf }: Pick<RefusedNeeds, 'revisionOf'>,
): Map<number, RefusedDocument> {
  const changed = new Map<number, RefusedDocument>()
  const seen = new Set<number>()
  for (const write of writes) {
    if (seen.has(write.document)) continue
    seen.add(write.document)
    const now = nowOf(write.document)
    const type = conflictOf(write, now, revisionOf(write.document))
    if (type !== undefined) changed.set(write.document, { problem: { type, others: [], words: '' }, now })
  }
  return changed
}

/** `write`: the first one of its document in the batch. */
function conflictOf(write: Write, now: Buffer | undefined, revision: string): Problem['type'] | undefined {
  const makes = write.kind === 'create' || write.kind === 'stub' || (write.kind === 'weak' && !write.replaces)
  if (now === undefined) return makes ? undefined : 'missing'
  if (makes) return 'exists'
  return stampsIn(now).revision === revision ? undefined : 'revision'
}
