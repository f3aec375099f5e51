import type { Answer } from '../../http.ts'

/** A line of `transactions`: sanity-io/sanity core/store/translog/getTransactionsLogs.ts. Mutations and effects are not kept. */
export type TransactionEntry = {
  readonly id: string
  readonly timestamp: string
  readonly author: string
  readonly documentIDs: readonly string[]
}

/** The state of a document from `at` on; no line: deleted. */
type Revision = { readonly rev: string; readonly at: string; readonly line: Buffer | undefined }

export type Change = { readonly id: string; readonly before: Buffer | undefined; readonly after: Buffer | undefined }

/** What a dataset remembers of its writes: transactions by id, and the states of each document that was written since the double started. */
export class History {
  readonly #ids = new Set<string>()
  readonly #transactions: TransactionEntry[] = []
  readonly #revisions = new Map<string, Revision[]>()

  /** The id of a transaction "must be unique in the dataset": sanity.io docs, HTTP mutations. */
  has(transactionId: string): boolean {
    return this.#ids.has(transactionId)
  }

  get transactions(): readonly TransactionEntry[] {
    return this.#transactions
  }

  /** How often a document was written: what a webhook on documents would have been called (sanity.io docs, webhooks: one call a document). */
  writes(documentId: string): number {
    return this.#revisions.get(documentId)?.filter(({ rev }) => this.#ids.has(rev)).length ?? 0
  }

  record(transaction: Omit<TransactionEntry, 'documentIDs'>, changes: readonly Change[]): void {
    this.#ids.add(transaction.id)
    this.#transactions.push({ ...transaction, documentIDs: changes.map(({ id }) => id) })
    for (const { id, before, after } of changes) {
      const known = this.#revisions.get(id) ?? []
      if (known.length === 0 && before) known.push(seedOf(before))
      known.push({ rev: transaction.id, at: transaction.timestamp, line: after })
      this.#revisions.set(id, known)
    }
  }

  /**
   * `GET …/transactions`: parameters as @sanity/cli generated/apiRoutes.js and the Studio name them. Newest last, as NDJSON.
   */
  transactionsAnswer(ids: readonly string[], query: Readonly<Record<string, string>>): Answer {
    const authors = query['authors']?.split(',')
    const found = this.#transactions.filter(
      ({ id, timestamp, author }) =>
        (ids.length === 0 || ids.includes(id)) &&
        (query['fromTime'] === undefined || Date.parse(timestamp) >= Date.parse(query['fromTime'])) &&
        (query['toTime'] === undefined || Date.parse(timestamp) <= Date.parse(query['toTime'])) &&
        (authors === undefined || authors.includes(author)),
    )
    const ordered = query['reverse'] === 'true' ? found.toReversed() : found
    const lines = ordered.slice(0, Number(query['limit'] ?? 100)).map((transaction) => `${JSON.stringify(transaction)}\n`)
    return { status: 200, headers: { 'content-type': 'application/x-ndjson' }, body: lines.join('') }
  }

  /**
   * `GET …/documents/{ids}?time=|revision=|lastRevision=true`: `{documents}` as they were; a document that did not exist then is left out
   * (sanity-io/sanity core/store/history). `current` has the documents that were never written here.
   */
  documentsAnswer(ids: readonly string[], query: Readonly<Record<string, string>>, current: (id: string) => Buffer | undefined): Answer {
    const lines = ids.flatMap((id) => {
      const revisions = this.#revisions.get(id) ?? [current(id)].flatMap((line) => (line ? [seedOf(line)] : []))
      return stateAt(revisions, query)?.line ?? []
    })
    const headers = { 'content-type': 'application/json; charset=utf-8' }
    return { status: 200, headers, body: `{"documents":[${lines.join(',')}]}` }
  }
}

function stateAt(revisions: readonly Revision[], query: Readonly<Record<string, string>>): Revision | undefined {
  if (query['revision'] !== undefined) return revisions.findLast(({ rev }) => rev === query['revision'])
  if (query['lastRevision'] === 'true') return revisions.findLast(({ line }) => line !== undefined)
  const time = query['time'] === undefined ? Number.POSITIVE_INFINITY : Date.parse(query['time'])
  return revisions.findLast(({ at }) => Date.parse(at) <= time)
}

/** What was there before the double started counts from its own time on. */
function seedOf(line: Buffer): Revision {
  const { _rev, _updatedAt, _createdAt } = JSON.parse(line.toString()) as Record<string, unknown>
  return { rev: String(_rev ?? ''), at: String(_updatedAt ?? _createdAt ?? new Date(0).toISOString()), line }
}
