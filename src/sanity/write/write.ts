import { pace } from '../../http/pace.ts'
import type { Wait } from '../../http/retry.ts'
import type { SanityApi } from '../api.ts'
import { persisting } from './persist.ts'
import { groupsOf, readGroup } from './read.ts'
import { actionOf, mutationsOf, sendOnce, type Transaction, type WriteOptions, type Written } from './transact.ts'
import { nameOfUpload, type Uploaded, type UploadFile, uploadOnce } from './upload.ts'

export type { Problem } from './problems.ts'
export type { Written } from './transact.ts'
export type { UploadFile } from './upload.ts'

export type WriteApi = {
  /**
   * One transaction: all of its mutations or none (`POST /data/mutate`). Each Buffer is the JSON of one mutation, which goes into the body as it is;
   * a body may have 4 MB. Resolves once it is known how the transaction ended, also when an earlier answer was lost: the id and the bytes stay the same
   * over all tries, and Sanity takes an id once. Throws a {@link BackupError} for what is not about the documents: a token or a plan that does not
   * allow it (also in a dry run: `MayNotWrite` of errors/write.ts, if Sanity names a permission), and ten minutes without an answer that counts.
   * When the signal is aborted, no further try begins; one that is on its way has three more seconds to give its result, then the reason is thrown.
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

/** Makes a {@link WriteApi}: everything that changes a dataset goes through it, at a rate that Sanity allows. */
export function writeApi(api: SanityApi, { wait, signal, log, clock = () => performance.now(), onConflict }: WriteNeeds): WriteApi {
  const paces = { write: pace({ ...rate, wait, clock }), upload: pace({ ...rate, wait, clock }), read: pace({ ...rate, wait, clock }) }
  const pauseAll = (ms: number) => {
    for (const each of Object.values(paces)) each.pause(ms)
  }
  const persist = async <Result>(kind: keyof typeof paces, what: string, attempt: () => Promise<Result>): Promise<Result> =>
    await persisting(attempt, { what, pace: paces[kind], pauseAll, wait, signal, clock, log })

  const transact = async (transaction: Transaction): Promise<Written> =>
    await persist('write', transaction.what, async () => await sendOnce(api, transaction, { wait, signal, onConflict }))

  return {
    mutate: async (mutations, options) => await transact(mutationsOf(mutations, options)),
    act: async (action, options) => await transact(actionOf(action, options)),
    upload: async (file) => await persist('upload', nameOfUpload(file), async () => await uploadOnce(api, file)),
    read: async (ids) => {
      const found: [string, Buffer][] = []
      for (const group of groupsOf(new Set(ids))) {
        found.push(...(await persist('read', 'a question for documents', async () => await readGroup(api, group))))
      }
      return new Map(found)
    },
  }
}
