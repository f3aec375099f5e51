import type { Batch, Write } from '../../../src/restore/order/order.ts'

/** What a document holds, as far as the order of writes matters. */
export type Content = {
  readonly text: 'snapshot' | 'target' | 'bare'
  readonly type: string
  readonly strong: readonly number[]
  readonly weak: readonly number[]
}

export type Side = (document: number) => Content | undefined

/**
 * A server that holds numbered documents and enforces strong references: after `each` mutation or at the `end` of a transaction. Where the two
 * test doubles and the documentation leave room, it refuses: a create that refers to itself, a delete of what refers to itself.
 */
export class Server {
  readonly documents: Map<number, Content>
  readonly #check: 'end' | 'each'
  readonly #snapshot: Side
  readonly #target: Side

  constructor(check: 'end' | 'each', { target, snapshot, count }: { target: Side; snapshot: Side; count: number }) {
    this.#check = check
    this.#snapshot = snapshot
    this.#target = target
    this.documents = new Map()
    for (let document = 0; document < count; document++) {
      const content = target(document)
      if (content) this.documents.set(document, content)
    }
  }

  /** Throws if the transaction is refused. */
  commit({ writes }: Batch): void {
    const state = new Map(this.documents)
    const written = new Map<number, Write['kind']>()
    for (const write of writes) {
      this.#apply(state, write, written.get(write.document))
      written.set(write.document, write.kind)
    }
    for (const document of written.keys()) checkResult(state, document)
    this.documents.clear()
    for (const [document, content] of state) this.documents.set(document, content)
  }

  #apply(state: Map<number, Content>, write: Write, before: Write['kind'] | undefined): void {
    const { kind, document } = write
    const content = contentOf(write, this.#snapshot, this.#target)
    const say = (what: string): Error => new Error(`${kind} of ${document}: ${what}`)
    const unlocked = kind === 'fill' || (kind === 'delete' && before === 'clear')
    const makes = kind === 'create' || kind === 'stub' || (kind === 'weak' && !write.replaces)
    if (kind === 'fill' && before !== 'stub' && before !== 'clear') throw say('neither stub nor clear before')
    if (!unlocked && !makes && before !== undefined) throw say('the lock no longer holds')
    if (makes === state.has(document)) throw say(makes ? 'exists' : 'does not exist')
    if (makes && before !== undefined && before !== 'delete') throw say('written before')
    // The lock is a patch, and so a mutation that writes the document as it is.
    if (!unlocked && !makes && this.#check === 'each') refuseMissing(state, state.get(document) as Content, say)
    const anew = makes || content?.type !== state.get(document)?.type
    const each = this.#check === 'each'
    // A change of type is a delete and a create, and is looked at on the spot by either server.
    if (!makes && anew && (content || each)) refuseReferrers(state, document, say)
    if (anew) state.delete(document)
    if (content && each) refuseMissing(state, content, say)
    if (content) state.set(document, content)
  }
}

function contentOf(write: Write, snapshot: Side, target: Side): Content | undefined {
  const { kind, document } = write
  if (kind === 'delete') return undefined
  const content = (kind === 'clear' ? target : snapshot)(document)
  if (!content) throw new Error(`${kind} of ${document}: nothing to write`)
  if (kind === 'clear' || kind === 'stub') return { text: 'bare', type: content.type, strong: [], weak: [] }
  if (kind !== 'weak') return content
  if (!write.targets.every((each) => content.strong.includes(each))) throw new Error(`weak of ${document}: no such references`)
  const isWeak = new Set(write.targets)
  return { ...content, strong: content.strong.filter((each) => !isWeak.has(each)), weak: write.targets }
}

type Say = (what: string) => Error

function refuseReferrers(state: Map<number, Content>, document: number, say: Say): void {
  for (const [referrer, { strong }] of state) if (strong.includes(document)) throw say(`${referrer} refers to it`)
}

function refuseMissing(state: Map<number, Content>, { strong }: Content, say: Say): void {
  for (const target of strong) if (!state.has(target)) throw say(`refers to ${target}, which does not exist`)
}

function checkResult(state: Map<number, Content>, document: number): void {
  const content = state.get(document)
  const say = (what: string): Error => new Error(`result of ${document}: ${what}`)
  if (content) refuseMissing(state, content, say)
  else refuseReferrers(state, document, say)
}
