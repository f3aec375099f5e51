import { randomBytes } from 'node:crypto'
import { type References, referencesOf } from '../data/references.ts'
import type { Dataset, SanityDocument } from '../data/store.ts'
import type { Rules } from '../rules.ts'
import { invalid, type MutationError, missingReference, notPermitted, stillReferred } from './errors.ts'

export type Operation = 'create' | 'update' | 'delete'

/** Who writes, and what of the server it takes to judge that. */
export type Writer = {
  readonly author: string
  readonly rules: Rules
  may(operation: Operation, id: string, document: SanityDocument | undefined): boolean
  /** Whether a document exists in another dataset; a project left out is the writer's own. */
  existsElsewhere(reference: { readonly project: string | undefined; readonly dataset: string; readonly id: string }): boolean
}

type Pending = { readonly document: SanityDocument | undefined; readonly references: References | undefined; readonly index: number }

/** 22 characters, as `_rev` has it in real exports. */
export const newRevision = (): string => randomBytes(17).toString('base64url').slice(0, 22)

/** sanity.io docs, ids; @sanity/client validators.ts; a custom dataset's ids may begin with `_` as those of releases do. */
const ID = /^[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}$/

/**
 * All writes of a request, seen by the later ones of the same request, applied by {@link commit} or not at all. Only what the API makes visible
 * is emulated: one request is handled at once, so nothing ever waits for a lock.
 */
export class Transaction {
  readonly id: string
  readonly now = new Date().toISOString()
  /** Position of the mutation or action that is being looked at. */
  index = 0
  readonly #dataset: Dataset
  readonly #writer: Writer
  readonly #skipElsewhere: boolean
  readonly #pending = new Map<string, Pending>()
  /** Referrers among the pending documents. */
  readonly #referrers = new Map<string, Set<string>>()
  readonly #afterwards: (() => void)[] = []

  constructor(dataset: Dataset, writer: Writer, { id, skipElsewhere = false }: { id?: string | undefined; skipElsewhere?: boolean } = {}) {
    this.id = id ?? newRevision()
    this.#dataset = dataset
    this.#writer = writer
    this.#skipElsewhere = skipElsewhere
  }

  find(id: string): SanityDocument | undefined {
    const pending = this.#pending.get(id)
    return pending ? pending.document : this.#dataset.find(id)
  }

  has(id: string): boolean {
    const pending = this.#pending.get(id)
    return pending ? pending.document !== undefined : this.#dataset.has(id)
  }

  typeOf(id: string): string | undefined {
    const pending = this.#pending.get(id)
    return pending ? pending.document?._type : this.#dataset.typeOf(id)
  }

  /** Writes a whole document; the times in it are kept (sanity-io/sanity divergence/fixtures/transactions.ts), `_rev` never is. */
  write(document: SanityDocument): SanityDocument {
    const { rules } = this.#writer
    const id = document._id
    if (!ID.test(id) || id.includes('..')) throw invalid(`Document ID "${id}" is not valid`)
    const type = this.typeOf(id)
    this.#need(type === undefined ? 'create' : 'update', id, document)
    if (type !== undefined && type !== document._type) this.#refuseWhileReferred(id)
    const keptTime = rules.updatedAt === 'keep' ? document['_updatedAt'] : undefined
    const written = {
      ...document,
      _createdAt: document['_createdAt'] ?? this.now,
      _updatedAt: keptTime ?? this.now,
      _rev: this.id,
      ...(rules.systemMember === 'on-write' ? { _system: systemMember(document) } : {}),
    }
    const references = referencesOf(written)
    if (references.foreignKey !== undefined) throw invalid(`Key "${references.foreignKey}" not allowed in ref`)
    this.#set(id, written, references)
    return written
  }

  /** True if there was one: the delete of a document that does not exist succeeds (sanity.io docs, mutate). */
  remove(id: string): boolean {
    if (!this.has(id)) return false
    this.#need('delete', id, undefined)
    // A document that refers to itself goes alone only where the result is looked at. INFERRED.
    if (this.#writer.rules.referenceCheck === 'each') this.#refuseWhileReferred(id)
    this.#set(id, undefined, undefined)
    return true
  }

  /** A replacement is judged as delete and create where the rules say so. */
  needForReplacement(id: string, document: SanityDocument): void {
    if (!this.#writer.rules.replaceNeedsDelete || !this.has(id)) return
    this.#need('delete', id, document)
    this.#need('create', id, document)
  }

  afterwards(run: () => void): void {
    this.#afterwards.push(run)
  }

  /** What the result of the whole transaction must not be: references that point nowhere. All of them, in the order of the mutations. */
  errors(): MutationError[] {
    if (this.#writer.rules.referenceCheck === 'each') return []
    const found: MutationError[] = []
    for (const [id, { references, index }] of this.#pending) {
      if (references) {
        found.push(...this.#missing(id, references, index))
        continue
      }
      const referrers = this.#referrersOf(id)
      if (referrers.length > 0) found.push(stillReferred(id, referrers, index))
    }
    return found.toSorted((a, b) => (a.index ?? 0) - (b.index ?? 0))
  }

  commit(): void {
    const { author } = this.#writer
    const changes = [...this.#pending].map(([id, { document }]) => [id, document] as const)
    this.#dataset.commit({ id: this.id, timestamp: this.now, author }, changes)
    for (const run of this.#afterwards) run()
  }

  /** Ids of the documents that this transaction deletes. */
  get deleted(): string[] {
    return [...this.#pending].flatMap(([id, { document }]) => (document ? [] : [id]))
  }

  #need(operation: Operation, id: string, document: SanityDocument | undefined): void {
    if (!this.#writer.may(operation, id, document)) throw notPermitted(operation)
  }

  #set(id: string, document: SanityDocument | undefined, references: References | undefined): void {
    for (const target of this.#pending.get(id)?.references?.strong ?? []) this.#referrers.get(target)?.delete(id)
    for (const target of references?.strong ?? []) {
      const known = this.#referrers.get(target)
      if (known) known.add(id)
      else this.#referrers.set(target, new Set([id]))
    }
    // Moved to the end: the last mutation of a document is the one that an error is about.
    this.#pending.delete(id)
    this.#pending.set(id, { document, references, index: this.index })
    if (!references || this.#writer.rules.referenceCheck !== 'each') return
    const [missing] = this.#missing(id, references, this.index)
    if (missing) throw missing
  }

  #missing(id: string, { strong, elsewhere }: References, index: number): MutationError[] {
    const here = strong.filter((target) => !this.has(target))
    // Checked too unless the caller says `skipCrossDatasetReferenceValidation`: @sanity/client data/dataMethods.ts. Error INFERRED.
    const there = this.#skipElsewhere ? [] : elsewhere.filter((reference) => !this.#writer.existsElsewhere(reference))
    return [...here, ...there.map((reference) => reference.id)].map((target) => missingReference(id, target, index))
  }

  #referrersOf(id: string): string[] {
    const stored = [...this.#dataset.referrers(id)].filter((source) => !this.#pending.has(source))
    return [...stored, ...(this.#referrers.get(id) ?? [])]
  }

  /** Another type means delete and create; refused while strong references point at the document: sanity.io docs, mutate. Body INFERRED. */
  #refuseWhileReferred(id: string): void {
    const referrers = this.#referrersOf(id)
    if (referrers.length > 0) throw stillReferred(id, referrers, this.index)
  }
}

/** sanity-io/sanity @sanity/types documents/types.ts. */
export function systemMember(document: SanityDocument): object {
  const [prefix, release] = document._id.split('.')
  const bundleId = prefix === 'versions' ? release : prefix === 'drafts' ? 'drafts' : undefined
  const given = document['_system']
  const group = { id: document._id.replace(/^(?:drafts\.|versions\.[^.]*\.)/, '') }
  return { ...(typeof given === 'object' ? given : {}), group, ...(bundleId === undefined ? {} : { bundleId }) }
}
