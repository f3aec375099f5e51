import { pace } from '../../http/pace.ts'
import type { Wait } from '../../http/retry.ts'
import type { SanityApi, SentAnswer } from '../api.ts'
import { cutWrite, notAnAnswer } from '../errors/write.ts'
import { lastSeconds } from './last-seconds.ts'
import { persisting } from './persist.ts'
import { type Problem, parseRecord, problemsOf, readRefusal, textIn } from './problems.ts'
import { groupsOf, readGroup } from './read.ts'
import { isConflict, refusalOf } from './refused.ts'
import { outgoing, type Uploaded, type UploadFile, uploadedOf } from './upload.ts'

export type { Problem } from './problems.ts'
export type { Uploaded, UploadFile } from './upload.ts'

export type WriteApi = {
  /**
   * One transaction: all of its mutations or none (`POST /data/mutate`). Each Buffer is the JSON of one mutation, which goes into the body as it is;
   * a body may have 4 MB. Resolves once it is known how the transaction ended, also when an earlier answer was lost: the id and the bytes stay the same
   * over all tries, and Sanity takes an id once. Throws a {@link BackupError} for what is not about the documents: a token or a plan that does not
   * allow it (also in a dry run: `MayNotWrite` of errors/write.ts, if Sanity names a permission), and ten minutes without an answer that counts.
   * When the signal is aborted, no further try begins; one that is on its way has five more seconds to give its result, then the reason is thrown.
   */
  readonly mutate: (mutations: readonly Buffer[], options: WriteOptions) => Promise<Written>
  /** One action (`POST /data/actions`), such as `{actionType:'sanity.action.release.import',…}`. Everything else is as for `mutate`. */
  readonly act: (action: Readonly<Record<string, unknown>>, options: WriteOptions) => Promise<Written>
  /**
   * Uploads the file of an asset (`POST /assets/…`). The same bytes again give the same asset (sanity.io/docs, manage assets), so it is tried again
   * freely. Throws what `mutate` throws, what the file's own stream throws, and the signal's reason at once.
   */
  readonly upload: (file: UploadFile) => Promise<Uploaded>
  /** The documents with these ids as they are now, each as the JSON that came; those that are not there are left out. Throws as `upload` does. */
  readonly read: (ids: readonly string[]) => Promise<ReadonlyMap<string, Buffer>>
}

type WriteOptions = {
  /** A new UUID for each transaction. It becomes the `_rev` of all documents in it. */
  readonly transactionId: string
  /** Checks everything, and writes nothing. */
  readonly dryRun?: boolean
}

/** How a transaction ended. */
export type Written =
  | { readonly kind: 'committed' }
  | { readonly kind: 'refused'; readonly status: number; readonly problems: readonly Problem[] }

type WriteNeeds = {
  readonly wait: Wait
  readonly signal: AbortSignal
  readonly log: { readonly info: (line: string) => void }
  /** In milliseconds; it never goes back. Default: `performance.now()`. */
  readonly clock?: () => number
  /** Called when Sanity rolled a transaction back because of another one: fewer at a time may help. */
  readonly onConflict?: () => void
}

/** Of the 25 a second that Sanity allows one address, mutations and uploads each (sanity.io/docs/content-lake/technical-limits). */
const rate = { perSecond: 20, burst: 5 } as const
/** Sanity ends a mutation after three minutes, an upload after five: same page. */
const mutationDeadlines = { firstByteMs: 180_000, idleMs: 30_000, totalMs: 30_000 } as const
const uploadDeadlines = { firstByteMs: 300_000, idleMs: 30_000, totalMs: 30_000 } as const
/** Shows in Sanity's request logs: sanity.io/docs/content-lake/reference-api-tags. */
const tag = 'sanity-backup.restore'

/** Makes a {@link WriteApi}: everything that changes a dataset goes through it, at a rate that Sanity allows. */
export function writeApi(api: SanityApi, { wait, signal, log, clock = () => performance.now(), onConflict }: WriteNeeds): WriteApi {
  const paces = { write: pace({ ...rate, wait, clock }), upload: pace({ ...rate, wait, clock }), read: pace({ ...rate, wait, clock }) }
  const pauseAll = (ms: number) => {
    for (const each of Object.values(paces)) each.pause(ms)
  }
  const persist = async <Result>(kind: keyof typeof paces, what: string, attempt: () => Promise<Result>): Promise<Result> =>
    await persisting(attempt, { what, pace: paces[kind], pauseAll, wait, signal, clock, log })

  const transact = async (path: string, { query, body, dryRun }: Transaction): Promise<Written> => {
    const what = dryRun ? 'a dry run' : 'a transaction'
    return await persist('write', what, async () => {
      using last = lastSeconds({ signal, wait })
      const sent = { body, sizeBytes: body.length, contentType: 'application/json', deadlines: mutationDeadlines, cut: cutWrite }
      const answer = await api.send(`${path}/${api.source.dataset}`, { ...sent, query, what, signal: last.signal })
      if (isConflict(readRefusal(answer.body))) onConflict?.()
      return writtenOf({ answer, api, what, dryRun })
    })
  }

  return {
    mutate: async (mutations, { transactionId, dryRun = false }) => {
      const query = { returnIds: 'true', visibility: 'async', skipCrossDatasetReferenceValidation: 'true', tag }
      const body = mutationBody(mutations, transactionId)
      return await transact('/data/mutate', { query: dryRun ? { ...query, dryRun: 'true' } : query, body, dryRun })
    },
    act: async (action, { transactionId, dryRun = false }) => {
      // Not in the query as for a mutation: @sanity/client src/data/dataMethods.ts.
      const options = { skipCrossDatasetReferenceValidation: true, ...(dryRun ? { dryRun } : {}) }
      const body = Buffer.from(JSON.stringify({ actions: [action], transactionId, ...options }))
      return oneProblem(await transact('/data/actions', { query: { tag }, body, dryRun }))
    },
    upload: async (file) => {
      const what = `the ${file.kind === 'image' ? 'image' : 'file'} of an asset`
      const path = `/assets/${file.kind === 'image' ? 'images' : 'files'}/${api.source.dataset}`
      const query = { filename: shortName(file.filename), tag }
      return await persist('upload', what, async () => {
        const { bytes, failure } = outgoing(file)
        const sent = { body: bytes, sizeBytes: file.sizeBytes, deadlines: uploadDeadlines, cut: cutWrite }
        const answer = await api.send(path, { ...sent, query, what }).catch((error: unknown) => {
          throw failure()?.error ?? error
        })
        return uploadedOf({ answer, what, source: api.source })
      })
    },
    read: async (ids) => {
      const found: [string, Buffer][] = []
      for (const group of groupsOf(new Set(ids))) {
        found.push(...(await persist('read', 'a question for documents', async () => await readGroup(api, group))))
      }
      return new Map(found)
    },
  }
}

type Transaction = { readonly query: Record<string, string>; readonly body: Buffer; readonly dryRun: boolean }

/** `transactionId` is a member of the body, `dryRun` a parameter of the query: @sanity/client src/data/dataMethods.ts. */
function mutationBody(mutations: readonly Buffer[], transactionId: string): Buffer {
  const parts = mutations.flatMap((mutation, index) => (index === 0 ? [mutation] : [Buffer.from(','), mutation]))
  return Buffer.concat([Buffer.from('{"mutations":['), ...parts, Buffer.from(`],"transactionId":${JSON.stringify(transactionId)}}`)])
}

type Judged = { readonly answer: SentAnswer; readonly api: SanityApi; readonly what: string; readonly dryRun: boolean }

/** What the answer to a transaction means. Throws what {@link refusalOf} throws. */
function writtenOf({ answer, api, what, dryRun }: Judged): Written {
  const { status, body, url } = answer
  if (status === 200) {
    const result = parseRecord(body)
    // A proxy's page must not pass for a commit. What a dry run answers is not documented.
    if (!result || (!dryRun && textIn(result, 'transactionId') === '')) throw notAnAnswer({ what, url })
    return { kind: 'committed' }
  }
  // An earlier try was carried out, and its answer got lost: sanity-io/sdk packages/core/src/document/submissionErrors.ts.
  if (status === 409 && readRefusal(body).type === 'transactionAlreadyExistsError') return { kind: 'committed' }
  return { kind: 'refused', status, problems: problemsOf(refusalOf({ ...answer, what, source: api.source }), status) }
}

/** A request holds one action, so that what is against the request is against it. */
function oneProblem(written: Written): Written {
  return written.kind === 'committed' ? written : { ...written, problems: written.problems.map((problem) => ({ ...problem, index: 0 })) }
}

/** The end of a file's name, with its extension: the head of a request may have 15 KB. The name comes from outside. */
function shortName(filename: string): string {
  return filename.slice(-200)
}
