import type { SanityApi } from '../api.ts'
import { cutLine, invalidLine, rejected } from '../errors/export.ts'
import { classifyLine } from './line.ts'
import { exportLines } from './lines.ts'
import { requestExport } from './request.ts'
import type { ExportedDocument } from './stream.ts'

/** What a page asks for: the cursor that the page before ended with, empty for the first. */
export type PageRequest = { readonly types: readonly string[]; readonly cursor: string }

/**
 * Streams the documents of one page of the export, in batches, and returns the cursor of the next page; undefined after the last.
 *
 * A page is what the server sends in about thirty seconds. It ends with a line `{"nextCursor": "…"}`, the last page without one
 * (sanity.io/docs/content-lake/importing-data; `@sanity/export` src/getDocumentCursorStream.ts). The cursor is found by line, so it does not
 * matter how the network cuts it up. Throws what {@link SanityApi.open} throws, `export-rejected` for an error inside the page,
 * `export-truncated` for an end in the middle of a line, `export-invalid` for a line that is not a document, for an empty cursor, with which the
 * export would start again, and for lines behind a cursor.
 */
export async function* exportPage(api: SanityApi, { types, cursor }: PageRequest): AsyncGenerator<ExportedDocument[], string | undefined> {
  return yield* readPage(await requestExport(api, { types, cursor }))
}

/** Reads the body of one page; see {@link exportPage}. */
export async function* readPage(body: AsyncIterable<Buffer>): AsyncGenerator<ExportedDocument[], string | undefined> {
  const page: PageState = { lines: 0, next: undefined }
  for await (const batch of exportLines(body)) {
    const documents = batch.lines.flatMap((bytes) => readLine(bytes, page, batch.terminated))
    if (documents.length > 0) yield documents
  }
  return page.next
}

/** Real ones have a few characters, and each has to fit into the address of a request. */
const mostCursorLength = 4096

/** What was seen of a page: how many lines, and the cursor once it came. */
type PageState = { lines: number; next: string | undefined }

/** The document in a line: none or one. Notes the cursor. */
function readLine(bytes: Buffer, page: PageState, terminated: boolean): ExportedDocument[] {
  const number = ++page.lines
  const line = classifyLine(bytes)
  if (line.kind === 'blank') return []
  if (line.kind === 'error') throw rejected(number, line.description, 'cursor')
  if (line.kind === 'invalid') throw !terminated && line.incomplete ? cutLine(number, 'cursor') : invalidLine(number, line.why)
  if (page.next !== undefined) throw invalidLine(number, 'it stands behind the cursor that ends its page')
  if (line.kind === 'document') return [{ id: line.id, type: line.type, bytes }]
  if (line.cursor === '') throw invalidLine(number, 'its cursor is empty, and would begin the export again')
  if (line.cursor.length > mostCursorLength) throw invalidLine(number, `its cursor is longer than ${mostCursorLength} characters`)
  page.next = line.cursor
  return []
}
