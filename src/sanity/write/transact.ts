import type { Wait } from '../../http/retry.ts'
import type { SanityApi, SentAnswer } from '../api.ts'
import { cutWrite, notAnAnswer } from '../errors/write.ts'
import { lastSeconds } from './last-seconds.ts'
import { type Problem, parseRecord, problemsOf, readRefusal, textIn } from './problems.ts'
import { isConflict, refusalOf } from './refused.ts'
import { tag } from './tag.ts'

export type WriteOptions = {
  /** A new UUID for each transaction. It becomes the `_rev` of all documents in it. */
  readonly transactionId: string
  /** Checks everything, and writes nothing. */
  readonly dryRun?: boolean
}

/** How a transaction ended. */
export type Written =
  | { readonly kind: 'committed' }
  | { readonly kind: 'refused'; readonly status: number; readonly problems: readonly Problem[] }

/** Sanity ends a mutation after three minutes: sanity.io/docs/content-lake/technical-limits. */
const mutationDeadlines = { firstByteMs: 180_000, idleMs: 30_000, totalMs: 30_000 } as const

/** A request that changes documents, or tries to. */
export type Transaction = {
  readonly path: '/data/mutate' | '/data/actions'
  readonly query: Record<string, string>
  readonly body: Buffer
  readonly dryRun: boolean
  readonly what: string
}

/** `transactionId` is a member of the body, everything else a parameter of the query: @sanity/client src/data/dataMethods.ts. */
export function mutationsOf(mutations: readonly Buffer[], { transactionId, dryRun = false }: WriteOptions): Transaction {
  const query = { returnIds: 'true', visibility: 'async', skipCrossDatasetReferenceValidation: 'true', tag }
  const parts = mutations.flatMap((mutation, index) => (index === 0 ? [mutation] : [Buffer.from(','), mutation]))
  const end = Buffer.from(`],"transactionId":${JSON.stringify(transactionId)}}`)
  return {
    path: '/data/mutate',
    query: dryRun ? { ...query, dryRun: 'true' } : query,
    body: Buffer.concat([Buffer.from('{"mutations":['), ...parts, end]),
    dryRun,
    what: dryRun ? 'a dry run' : 'a transaction',
  }
}

/** Everything but the tag is a member of the body, `dryRun` too: same source. */
export function actionOf(action: Readonly<Record<string, unknown>>, { transactionId, dryRun = false }: WriteOptions): Transaction {
  const options = { skipCrossDatasetReferenceValidation: true, ...(dryRun ? { dryRun } : {}) }
  return {
    path: '/data/actions',
    query: { tag },
    body: Buffer.from(JSON.stringify({ actions: [action], transactionId, ...options })),
    dryRun,
    what: dryRun ? 'the dry run of an action' : 'an action',
  }
}

type SendNeeds = { readonly wait: Wait; readonly signal: AbortSignal; readonly onConflict: (() => void) | undefined }

/** Sends a transaction once, and says how it ended. Throws what {@link refusalOf} throws, and failures of the network. */
export async function sendOnce(api: SanityApi, transaction: Transaction, { wait, signal, onConflict }: SendNeeds): Promise<Written> {
  using last = lastSeconds({ signal, wait })
  const { path, query, body, what } = transaction
  const answer = await api.send(`${path}/${api.source.dataset}`, {
    query,
    body,
    sizeBytes: body.length,
    contentType: 'application/json',
    deadlines: mutationDeadlines,
    signal: last.signal,
    what,
    cut: cutWrite,
  })
  if (answer.status !== 200 && isConflict(readRefusal(answer.body))) onConflict?.()
  return writtenOf(answer, { api, transaction })
}

/** What the answer to a transaction means. Throws what {@link refusalOf} throws. */
function writtenOf(answer: SentAnswer, { api, transaction }: { readonly api: SanityApi; readonly transaction: Transaction }): Written {
  const { status, body, url } = answer
  const { what, dryRun } = transaction
  const isAction = transaction.path === '/data/actions'
  if (status === 200) {
    const result = parseRecord(body)
    // A proxy's page must not pass for a commit. What a dry run answers is not documented.
    if (!result || (!dryRun && textIn(result, 'transactionId') === '')) throw notAnAnswer({ what, url })
    return { kind: 'committed' }
  }
  // An earlier try was carried out, and its answer got lost: sanity-io/sdk packages/core/src/document/submissionErrors.ts.
  if (status === 409 && readRefusal(body).type === 'transactionAlreadyExistsError') return { kind: 'committed' }
  const problems = problemsOf(refusalOf({ ...answer, what, source: api.source }), status)
  // A request holds one action, so that what is against the request is against it.
  return { kind: 'refused', status, problems: isAction ? problems.map((problem) => ({ ...problem, index: 0 })) : problems }
}
