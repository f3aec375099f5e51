import { type LineBatch, LineTooLongError, longestLineBytes, splitLines, stripFraming } from '../../streams/lines.ts'
import { invalidLine } from '../errors/export.ts'

/** Cuts the body of an export into lines, without what only frames them. Throws `export-invalid` for a line that is too long to be a document. */
export async function* exportLines(body: AsyncIterable<Buffer>): AsyncGenerator<LineBatch> {
  try {
    yield* stripFraming(splitLines(body, longestLineBytes))
  } catch (error) {
    if (error instanceof LineTooLongError) throw invalidLine(error.lineNumber, `it is longer than ${longestLineBytes} bytes`, error)
    throw error
  }
}
