import { type LineBatch, LineTooLongError, splitLines, stripFraming } from '../../streams/lines.ts'
import { invalidLine } from '../errors/export.ts'

/** Sanity's cap for one document is 32 MB (sanity.io/docs/content-lake/technical-limits); above this a line is no document. */
const maxLineBytes = 128 * 1024 * 1024

/** Cuts the body of an export into lines, without what only frames them. Throws `export-invalid` for a line that is too long to be a document. */
export async function* exportLines(body: AsyncIterable<Buffer>): AsyncGenerator<LineBatch> {
  try {
    yield* stripFraming(splitLines(body, maxLineBytes))
  } catch (error) {
    if (error instanceof LineTooLongError) throw invalidLine(error.lineNumber, `it is longer than ${maxLineBytes} bytes`, error)
    throw error
  }
}
