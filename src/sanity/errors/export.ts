import { BackupError } from '../../errors.ts'
import type { Cut } from './network.ts'

const again = 'Run the backup again.'
const support = 'see status.sanity.io, and show this message to Sanity support.'

/** What it means when an export ends early, by the way in which it was asked for. */
export const cutExport = {
  stream: {
    code: 'export-truncated',
    hint: `${again} If it is cut each time after about five minutes, the dataset is too large for one export request: set \`export-mode: cursor\`.`,
  },
  cursor: { code: 'export-truncated', hint: `${again} If it is cut each time, ${support}` },
} as const satisfies Record<ExportWay, Cut>

/** In one request, or page by page. */
export type ExportWay = 'stream' | 'cursor'

/** A broken stream is often a hiccup of the server's: the request is tried once more. */
const brokenStreamTries = 2

/** The error for an error line inside the stream; `description` is the server's words, made harmless. */
export function rejected(number: number, description: string, way: ExportWay): BackupError {
  return new BackupError({
    code: 'export-rejected',
    title: 'Sanity broke off the export with an error',
    message: `In line ${number} of the export Sanity says: "${description}".`,
    hint: `${again} If it comes back, ${way === 'stream' ? 'set `export-mode: cursor`, ' : ''}${support}`,
    retry: { tries: brokenStreamTries, cut: true },
  })
}

/** The error for an end in the middle of a line. */
export function cutLine(number: number, way: ExportWay): BackupError {
  return new BackupError({
    ...cutExport[way],
    title: 'The export is cut off',
    message: `The stream ended politely, but in the middle of line ${number}.`,
    retry: { tries: brokenStreamTries, cut: true },
  })
}

/** The error for an end that promises more. */
export function moreToCome(number: number): BackupError {
  return new BackupError({
    code: 'export-truncated',
    title: 'The export is only a part',
    message: `The stream ended after ${number} lines with a cursor: the server has more documents than it sent.`,
    hint: 'Run the backup again. If it comes back, check `api-version` and whether `api-host` is Sanity itself.',
    retry: { tries: brokenStreamTries, cut: true },
  })
}

/** The error for a line that cannot be backed up. `why` holds nothing of the line. */
export function invalidLine(number: number, why: string, cause?: unknown): BackupError {
  return new BackupError({
    code: 'export-invalid',
    title: 'The export holds a line that is not a document',
    message: `Line ${number} of the export cannot be backed up: ${why}.`,
    hint: 'Run the backup again. If the same line fails, check that `api-host` is Sanity itself and that no proxy changes the data, then show this message to Sanity support.',
    cause,
  })
}
