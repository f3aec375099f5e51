import {
  closeBrace,
  closeBracket,
  closingQuote,
  colon,
  comma,
  openBrace,
  openBracket,
  quote,
  space,
} from '../../streams/json/json-bytes.ts'
import { quoteOutside } from '../../text.ts'

/** The fields of Sanity's errors: `{statusCode, error, message}` of the API, `{error: {type, description}}` of Content Lake (@sanity/client, http/errors.ts). */
const errorFields: ReadonlySet<string> = new Set(['statusCode', 'error', 'message', 'errorCode', 'attributes'])
const innerFields: ReadonlySet<string> = new Set(['type', 'description', 'message', 'errorCode', 'items', 'query', 'start', 'end'])

/**
 * The words of an object that can be nothing but Sanity's own error, made harmless; undefined for any other. All of its fields must be those of
 * Sanity's errors: every document has others (`_type`, `_rev`), whichever it has lost.
 */
export function findServerError(value: Readonly<Record<string, unknown>>): string | undefined {
  const { statusCode, error, message } = value
  const inner = typeof error === 'string' ? {} : asObject(error)
  if (inner === undefined || !hasOnly(value, errorFields) || !hasOnly(inner, innerFields)) return undefined
  if (statusCode !== undefined && typeof statusCode !== 'number') return undefined
  const words = [error, inner['description'], inner['message'], message].filter((word) => typeof word === 'string' && word !== '')
  const status = statusCode === undefined ? '' : `HTTP ${statusCode}: `
  return quoteOutside(status + ([...new Set(words)].join(': ') || 'no reason was given'))
}

function hasOnly(object: object, fields: ReadonlySet<string>): boolean {
  return Object.keys(object).every((key) => fields.has(key))
}

function asObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
}

/** How far from the end of a broken line an error is looked for, and how often. */
const gluedErrorBytes = 64 * 1024
const gluedErrorTries = 200

/** The words of the error that a server wrote behind the first half of a document, on the same line; undefined if there is none. */
export function findGluedError(line: Buffer): string | undefined {
  const end = line.subarray(-gluedErrorBytes).toString('utf8')
  let start = end.lastIndexOf('{"')
  for (let tries = 0; start !== -1 && tries < gluedErrorTries; tries++) {
    const object = parseObject(end.slice(start))
    if (object) return isValuePlace(line, line.length - Buffer.byteLength(end.slice(start))) ? undefined : findServerError(object)
    start = start === 0 ? -1 : end.lastIndexOf('{"', start - 1)
  }
  return undefined
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return asObject(JSON.parse(text))
  } catch {
    return undefined
  }
}

/** So deep no document is nested; to find out would take too much memory. */
const mostContainers = 100_000

/**
 * Whether an object at this place can be a value of the document before it. Then it may be the document's own, cut off right behind it, and its
 * words must not be repeated.
 */
function isValuePlace(line: Buffer, place: number): boolean {
  const containers: number[] = []
  let last = 0
  for (let at = 0; at < place; at++) {
    const byte = line[at] as number
    if (byte === quote) {
      at = closingQuote(line, at)
      // The place is inside a string: nothing of the document's begins there.
      if (at >= place) return false
    } else if (byte === openBrace || byte === openBracket) containers.push(byte)
    else if (byte === closeBrace || byte === closeBracket) containers.pop()
    if (containers.length > mostContainers) return true
    if (byte > space) last = byte
  }
  if (last === colon) return true
  return containers.at(-1) === openBracket && (last === openBracket || last === comma)
}
