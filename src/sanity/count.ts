import { BackupError } from '../errors.ts'
import type { Deadlines } from '../http/body.ts'
import { readJson } from '../http/short-answer.ts'
import { cutAnswer, type SanityApi } from './api.ts'

/** Sanity ends a query after one minute: sanity.io/docs/content-lake/technical-limits. */
const queryDeadlines: Deadlines = { firstByteMs: 75_000, idleMs: 30_000, totalMs: 120_000 }

/**
 * How many documents the dataset holds for this token, drafts and versions included, system documents (`_.…`) not: an answer that is
 * independent of the export. With `types`, how many of these types. The index behind it lags a little behind the documents.
 * Throws what {@link SanityApi.open} throws, and `sanity-unavailable` for an answer that holds no count.
 */
export async function countDocuments(api: SanityApi, { types }: { types: readonly string[] }): Promise<number> {
  const ofTypes = types.length > 0 ? ' && _type in $types' : ''
  const body = await api.open(`/data/query/${api.source.dataset}`, {
    query: {
      query: `count(*[!(_id in path("_.**"))${ofTypes}])`,
      // Without it drafts and versions would not be counted (default since API version 2025-02-19).
      perspective: 'raw',
      ...(types.length > 0 ? { $types: JSON.stringify(types) } : {}),
    },
    deadlines: queryDeadlines,
    what: 'the count of the documents',
    cut: cutAnswer,
  })
  const result = await readResult(body)
  if (typeof result === 'number' && Number.isSafeInteger(result) && result >= 0) return result
  throw new BackupError({
    code: 'sanity-unavailable',
    title: 'Sanity did not count the documents',
    message: `The answer to the count of the documents in dataset "${api.source.dataset}" holds no number, so the backup could not be proven complete.`,
    hint: 'Check `api-host` and `api-version`, and run the backup again later.',
    retry: { tries: 2 },
  })
}

/** An answer to a count is some hundred bytes. */
const maxAnswerBytes = 64 * 1024

async function readResult(body: AsyncIterable<Buffer>): Promise<unknown> {
  const json = await readJson(body, maxAnswerBytes)
  return typeof json === 'object' && json !== null && 'result' in json ? json.result : undefined
}
