import { BackupError } from '../errors.ts'
import { type LineBatch, LineTooLongError, splitLines, stripFraming } from '../streams/lines.ts'
import { fingerprintSet } from '../streams/seen.ts'
import { exportDeadlines, type SanityApi } from './api.ts'
import { classifyLine, type Line } from './line.ts'

/** One document as it came: `bytes` is its line without the line feed. */
export type ExportedDocument = { readonly id: string; readonly type: string; readonly bytes: Buffer }

/** Sanity's cap for one document is 32 MB (sanity.io/docs/content-lake/technical-limits); above this a line is no document. */
const maxLineBytes = 128 * 1024 * 1024

/** A broken stream is often a hiccup of the server's: the whole export is tried once more. */
const brokenStreamTries = 2

/**
 * Streams every document that the token may read, in one request: a snapshot at the time of the request
 * (sanity.io/docs/content-lake/importing-data and /docs/http-reference/export).
 *
 * Gives the documents in batches, in the order received, system documents (`_.…`) too. `types` is sent along, but the server may ignore it
 * (sanity-io/sanity issue 9491). Throws `export-rejected` for an error inside the stream, `export-truncated` for an end in the middle of a line
 * or one that promises more, `export-invalid` for a line that is not a document and for an id that comes twice.
 */
export async function* exportDocuments(api: SanityApi, { types }: { types: readonly string[] }): AsyncGenerator<ExportedDocument[]> {
  const body = await api.open(`/data/export/${api.source.dataset}`, {
    query: types.length > 0 ? { types: types.join(',') } : {},
    deadlines: exportDeadlines,
    what: 'the export of the documents',
    cut: 'export-truncated',
  })
  yield* readExport(body)
}

/** Reads the body of one export answer; see {@link exportDocuments}. */
export async function* readExport(body: AsyncIterable<Buffer>): AsyncGenerator<ExportedDocument[]> {
  const ids = fingerprintSet()
  let number = 0
  let openCursor = false
  for await (const { lines, terminated } of linesOf(body)) {
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
          throw rejected(number, line)
        case 'invalid':
          throw !terminated && line.incomplete ? cutLine(number) : invalidLine(number, line.why)
      }
    }
    if (documents.length > 0) yield documents
  }
  if (openCursor) throw moreToCome(number)
}

async function* linesOf(body: AsyncIterable<Buffer>): AsyncGenerator<LineBatch> {
  try {
    yield* stripFraming(splitLines(body, maxLineBytes))
  } catch (error) {
    if (error instanceof LineTooLongError) throw invalidLine(error.lineNumber, `it is longer than ${maxLineBytes} bytes`, error)
    throw error
  }
}

function rejected(number: number, { description }: Extract<Line, { kind: 'error' }>): BackupError {
  return new BackupError({
    code: 'export-rejected',
    title: 'Sanity broke off the export with an error',
    message: `In line ${number} of the export Sanity says: "${description}".`,
    hint: 'Run the backup again. If it comes back, limit the export with `types`, see status.sanity.io, and show this message to Sanity support.',
    retry: { tries: brokenStreamTries },
  })
}

function cutLine(number: number): BackupError {
  return new BackupError({
    code: 'export-truncated',
    title: 'The export is cut off',
    message: `The stream ended politely, but in the middle of line ${number}.`,
    hint: 'Run the backup again. If it is cut each time after about five minutes, the dataset is too large for one export request: limit it with `types`.',
    retry: { tries: brokenStreamTries },
  })
}

function moreToCome(number: number): BackupError {
  return new BackupError({
    code: 'export-truncated',
    title: 'The export is only a part',
    message: `The stream ended after ${number} lines with a cursor: the server has more documents than it sent.`,
    hint: 'Run the backup again. If it comes back, check `api-version` and whether `api-host` is Sanity itself.',
    retry: { tries: brokenStreamTries },
  })
}

function invalidLine(number: number, why: string, cause?: unknown): BackupError {
  return new BackupError({
    code: 'export-invalid',
    title: 'The export holds a line that is not a document',
    message: `Line ${number} of the export cannot be backed up: ${why}.`,
    hint: 'Run the backup again. If the same line fails, check that `api-host` is Sanity itself and that no proxy changes the data, then show this message to Sanity support.',
    cause,
  })
}
