import { isUtf8 } from 'node:buffer'
import { isSpace, openBrace, space } from '../../streams/json/json-bytes.ts'
import { isJson, scanDocument, scanObject } from '../../streams/json/scan.ts'
import { findGluedError, findServerError } from './error-line.ts'

/** What a line of an export is. */
export type Line =
  | { readonly kind: 'document'; readonly id: string; readonly type: string }
  /** An error that the server reported inside its 200 answer; `description` is its words, made harmless. */
  | { readonly kind: 'error'; readonly description: string }
  /** The mark at the end of a page: `{"nextCursor": "…"}`. No document. */
  | { readonly kind: 'cursor'; readonly cursor: string }
  | { readonly kind: 'blank' }
  /** Not a document; `why` never holds a part of the line. `incomplete`: it could be the start of one. */
  | { readonly kind: 'invalid'; readonly why: string; readonly incomplete: boolean }

/**
 * Tells what a line of an export is. `@sanity/export` (src/util/rejectOnApiError.ts, tryParseJson.ts and filterDocuments.ts) takes every object
 * without `_id` that has `error` for the server's error, and every one that has `nextCursor` for a cursor. Here both must be nothing else: a
 * document that has lost its `_id` can have such fields too, and its words must not be repeated.
 */
export function classifyLine(line: Buffer): Line {
  if (isBlank(line)) return { kind: 'blank' }
  if (!isUtf8(line)) return { kind: 'invalid', why: 'it is not valid UTF-8', incomplete: mayBeCut(line) }
  const document = scanDocument(line)
  if (document) return { kind: 'document', id: document.id, type: document.type }
  const object = scanObject(line)
  if (object) return classifyObject(line, object.id)
  if (isJson(line)) return invalid('it is not a JSON object')
  const description = findGluedError(line)
  if (description !== undefined) return { kind: 'error', description }
  return { kind: 'invalid', why: 'it is not valid JSON', incomplete: mayBeCut(line) }
}

/** Longer ones are no errors and no cursors: those are short. Parsing them could take all the memory that there is. */
const mostParsedBytes = 1024 * 1024

function classifyObject(line: Buffer, id: string | undefined): Line {
  if (id !== undefined) return invalid('it has no _type')
  if (line.length > mostParsedBytes) return invalid('it has no _id')
  const value = JSON.parse(line.toString('utf8')) as Record<string, unknown>
  const description = findServerError(value)
  if (description !== undefined) return { kind: 'error', description }
  const { nextCursor } = value
  const isCursor = typeof nextCursor === 'string' && Object.keys(value).length === 1
  return isCursor ? { kind: 'cursor', cursor: nextCursor } : invalid('it has no _id')
}

function invalid(why: string): Line {
  return { kind: 'invalid', why, incomplete: false }
}

function isBlank(line: Buffer): boolean {
  // A document begins with a brace: all but odd lines are settled by their first byte.
  if (line.length > 0 && (line[0] as number) > space) return false
  return line.every(isSpace)
}

/** Whether a broken line could be the start of a document: an HTML page, for one, is none. */
function mayBeCut(line: Buffer): boolean {
  return line.find((byte) => byte > space) === openBrace
}
