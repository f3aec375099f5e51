import { isUtf8 } from 'node:buffer'
import { quoteOutside } from '../text.ts'
import { quickScan } from './quick-scan.ts'
import { scanDocument } from './scan.ts'

/** What a line of an export is. */
export type Line =
  | { readonly kind: 'document'; readonly id: string; readonly type: string }
  /**
   * An error that the server reported inside its 200 answer; `description` is its words, made harmless. Undefined where they could be a
   * document's own.
   */
  | { readonly kind: 'error'; readonly description: string | undefined }
  /** The mark at the end of a page: `{"nextCursor": "…"}`. No document. */
  | { readonly kind: 'cursor'; readonly cursor: string }
  | { readonly kind: 'blank' }
  /** Not a document; `why` never holds a part of the line. `incomplete`: it could be the start of one. */
  | { readonly kind: 'invalid'; readonly why: string; readonly incomplete: boolean }

/**
 * Tells what a line of an export is. The shapes are those that `@sanity/export` knows (src/util/rejectOnApiError.ts, tryParseJson.ts and
 * filterDocuments.ts): an error is an object without `_id` that has `error`; a cursor line one that has `nextCursor`; an error can also be
 * glued into a half-written document. A document that has a field called `error` is a document.
 */
export function classifyLine(line: Buffer): Line {
  if (isBlank(line)) return { kind: 'blank' }
  if (!isUtf8(line)) return { kind: 'invalid', why: 'it is not valid UTF-8', incomplete: mayBeCut(line) }
  const document = quickScan(line) ?? scanDocument(line)
  if (document) return { kind: 'document', id: document.id, type: document.type }
  const notJson = { kind: 'invalid', why: 'it is not valid JSON', incomplete: mayBeCut(line) } as const
  // An error or a cursor is short. Parsing what is long and is no document could take all the memory that there is.
  if (line.length > mostParsedBytes) return findGluedError(line) ?? notJson
  const text = line.toString('utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's own message quotes the line.
    return findGluedError(line) ?? notJson
  }
  return classifyValue(value)
}

function classifyValue(value: unknown): Line {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { kind: 'invalid', why: 'it is not a JSON object', incomplete: false }
  }
  const { _id: id, _type: type, error, nextCursor } = value as Record<string, unknown>
  if (typeof id === 'string' && id !== '') {
    if (typeof type === 'string' && type !== '') return { kind: 'document', id, type }
    return { kind: 'invalid', why: 'it has no _type', incomplete: false }
  }
  if (error !== undefined) return { kind: 'error', description: describeError(value as Record<string, unknown>) }
  if (typeof nextCursor === 'string') return { kind: 'cursor', cursor: nextCursor }
  return { kind: 'invalid', why: 'it has no _id', incomplete: false }
}

function isBlank(line: Buffer): boolean {
  // A document begins with a brace: all but odd lines are settled by their first byte.
  if (line.length > 0 && (line[0] as number) > 0x20) return false
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)
}

/** Whether a broken line could be the start of a document: an HTML page, for one, is none. */
function mayBeCut(line: Buffer): boolean {
  return line.find((byte) => byte > 0x20) === openBrace
}

const openBrace = 0x7b

/** Longer lines are read by the scanner alone. */
const mostParsedBytes = 1024 * 1024

/** How far from the end of a broken line an error is looked for, and how often. */
const gluedErrorBytes = 64 * 1024
const gluedErrorTries = 200

/** The error that a server wrote behind the first half of a document, on the same line; undefined if there is none. */
function findGluedError(line: Buffer): Line | undefined {
  const end = line.subarray(-gluedErrorBytes).toString('utf8')
  let start = end.lastIndexOf('{"')
  for (let tries = 0; start !== -1 && tries < gluedErrorTries; tries++) {
    const object = parseObject(end.slice(start))
    const isError = object?.['_id'] === undefined && object?.['error'] !== undefined
    if (isError) {
      const place = line.length - Buffer.byteLength(end.slice(start))
      const mayBeContent = line.length > mostParsedBytes || isValuePlace(line.toString('latin1'), place)
      return { kind: 'error', description: mayBeContent ? undefined : describeError(object) }
    }
    start = start === 0 ? -1 : end.lastIndexOf('{"', start - 1)
  }
  return undefined
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function describeError({ statusCode, error, message }: Record<string, unknown>): string {
  const inner = typeof error === 'object' && error !== null ? (error as Record<string, unknown>) : {}
  const words = [error, inner['description'], inner['message'], message].filter((word) => typeof word === 'string' && word !== '')
  const status = typeof statusCode === 'number' ? `HTTP ${statusCode}: ` : ''
  return quoteOutside(status + ([...new Set(words)].join(': ') || 'no reason was given'))
}

/**
 * Whether an object at this place can be a value of the document before it. Then it may be the document's own, cut off right behind it, and its
 * words must not be repeated.
 */
function isValuePlace(text: string, place: number): boolean {
  const containers: string[] = []
  let last = ''
  for (let i = 0; i < place; i++) {
    const letter = text.charAt(i)
    if (letter === '"') {
      i = endOfString(text, i, place)
      // The place is inside a string: nothing of the document's begins there.
      if (i >= place) return false
    } else if (letter === '{' || letter === '[') containers.push(letter)
    else if (letter === '}' || letter === ']') containers.pop()
    if (letter.trim() !== '') last = letter
  }
  if (last === ':') return true
  return containers.at(-1) === '[' && (last === '[' || last === ',')
}

/** Where the string that begins at `start` ends; `limit` if it does not end before. */
function endOfString(text: string, start: number, limit: number): number {
  for (let i = start + 1; i < limit; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === '"') return i
  }
  return limit
}
