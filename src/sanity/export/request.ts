import type { Deadlines } from '../../http/body.ts'
import type { SanityApi } from '../api.ts'
import { cutExport, type ExportWay } from '../errors/export.ts'

/** Sanity's own exporter waits as long: `@sanity/export` src/constants.ts. A healthy server may be silent for minutes between chunks. */
export const exportDeadlines: Deadlines = { firstByteMs: 180_000, idleMs: 180_000, drip: { windowMs: 60_000, leastBytes: 6_000 } }

const asked: Record<ExportWay, string> = { stream: 'the export of the documents', cursor: 'a page of the documents' }

type ExportQuery = {
  /** Empty for all. */
  readonly types: readonly string[]
  /** Given for a page: the cursor that the page before ended with, empty for the first. Without it the whole export comes as one stream. */
  readonly cursor?: string
}

/** Asks for documents (sanity.io/docs/http-reference/export) and gives the body of the answer. Throws what {@link SanityApi.open} throws. */
export async function requestExport(api: SanityApi, { types, cursor }: ExportQuery): Promise<AsyncIterable<Buffer>> {
  const way = cursor === undefined ? 'stream' : 'cursor'
  return await api.open(`/data/export/${api.source.dataset}`, {
    query: { ...(types.length > 0 ? { types: types.join(',') } : {}), ...(cursor === undefined ? {} : { nextCursor: cursor }) },
    deadlines: exportDeadlines,
    what: asked[way],
    cut: cutExport[way],
  })
}
