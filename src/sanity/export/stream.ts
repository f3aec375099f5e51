import { idSet } from '../../streams/id-set.ts'
import type { SanityApi } from '../api.ts'
import { cutLine, invalidLine, moreToCome, rejected } from '../errors/export.ts'
import { classifyLine } from './line.ts'
import { exportLines } from './lines.ts'
import { requestExport } from './request.ts'

/** One document as it came: `bytes` is its line without the line feed. */
export type ExportedDocument = { readonly id: string; readonly type: string; readonly bytes: Buffer }

/**
 * Streams every document that the token may read, in one request: a snapshot at the time of the request
 * (sanity.io/docs/content-lake/importing-data and /docs/http-reference/export).
 *
 * Gives the documents in batches, in the order received, system documents (`_.…`) too. `types` is sent along, but the server may ignore it
 * (sanity-io/sanity issue 9491). Throws `export-rejected` for an error inside the stream, `export-truncated` for an end in the middle of a line
 * or one that promises more, `export-invalid` for a line that is not a document and for an id that comes twice.
 */
export async function* exportDocuments(api: SanityApi, { types, expected }: ExportWanted): AsyncGenerator<ExportedDocument[]> {
  yield* readExport(await requestExport(api, { types }), expected)
}

/** `types` is empty for all; `expected`: about how many documents there are. */
type ExportWanted = { readonly types: readonly string[]; readonly expected: number }

/** Reads the body of one export answer; see {@link exportDocuments}. */
export async function* readExport(body: AsyncIterable<Buffer>, expected = 0): AsyncGenerator<ExportedDocument[]> {
  const ids = idSet(expected)
  let number = 0
  let openCursor = false
  for await (const { lines, terminated } of exportLines(body)) {
    const documents: ExportedDocument[] = []
    for (const bytes of lines) {
      number++
      const line = classifyLine(bytes)
      switch (line.kind) {
        case 'document':
          if (!ids.add(line.id)) throw invalidLine(number, 'its _id has been there before')
          documents.push({ id: line.id, type: line.type, bytes })
          openCursor = false
          break
        case 'cursor':
          openCursor = line.cursor !== ''
          break
        case 'blank':
          break
        case 'error':
          throw rejected(number, line.description, 'stream')
        case 'invalid':
          throw !terminated && line.incomplete ? cutLine(number, 'stream') : invalidLine(number, line.why)
      }
    }
    if (documents.length > 0) yield documents
  }
  if (openCursor) throw moreToCome(number)
}
