import { BackupError } from '../errors.ts'
import { cutAnswer, queryDeadlines, type SanityApi } from './api.ts'

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

/** The JSON value of a short answer; undefined if it is longer than `maxBytes` or no JSON. */
export async function readJson(body: AsyncIterable<Buffer>, maxBytes: number): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes > maxBytes) return undefined
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    return undefined
  }
}
