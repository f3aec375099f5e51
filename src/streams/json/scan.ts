import { backslash, closeBrace, closing, colon, comma, isSpace, openBrace, openBracket, quote, space } from './json-bytes.ts'

/** The `_id` and the `_type` of a line that is a document. */
export type Scanned = { readonly id: string; readonly type: string }

/**
 * Reads a line of valid UTF-8 from end to end by the grammar of JSON (RFC 8259) and gives the document's `_id` and `_type`. Nothing is made of the
 * rest, so it is several times as fast as parsing and leaves no garbage; a document may be nested as deep as it likes.
 *
 * Gives a result exactly where `JSON.parse` makes an object with a string `_id` and a string `_type`, neither empty, and then these two.
 */
export function scanDocument(line: Buffer): Scanned | undefined {
  const { id, type } = scanObject(line) ?? {}
  return id === undefined || type === undefined ? undefined : { id, type }
}

/** What there is of the two names of an object. */
type Names = { id: string | undefined; type: string | undefined }

/** Reads a line like {@link scanDocument}, and gives the names that an object has. Undefined where `JSON.parse` makes no object. */
export function scanObject(line: Buffer): Readonly<Names> | undefined {
  const start = skipSpace(line, 0)
  if (line[start] !== openBrace) return undefined
  const names: Names = { id: undefined, type: undefined }
  let at = skipSpace(line, start + 1)
  if (line[at] !== closeBrace) {
    at = start
    do {
      const keyAt = skipSpace(line, at + 1)
      const valueAt = valueOfMember(line, keyAt)
      const valueEnd = valueAt < 0 ? -1 : endOfValue(line, valueAt)
      if (valueEnd < 0) return undefined
      noteName(names, line, { keyAt, valueAt, valueEnd })
      at = skipSpace(line, valueEnd)
    } while (line[at] === comma)
  }
  return line[at] === closeBrace && skipSpace(line, at + 1) === line.length ? names : undefined
}

/** Where a member of an object stands: its key's opening quote, the first byte of its value, and what is behind the last. */
export type Place = { readonly keyAt: number; readonly valueAt: number; readonly valueEnd: number }

/** Of a key that comes twice the last counts. */
function noteName(names: Names, line: Buffer, { keyAt, valueAt, valueEnd }: Place): void {
  const key = hasEscape(line, keyAt) ? parsed(line, keyAt, valueAt) : undefined
  if (key === '_id' || isAt(line, keyAt, idKey)) names.id = findText(line, valueAt, valueEnd)
  else if (key === '_type' || isAt(line, keyAt, typeKey)) names.type = findText(line, valueAt, valueEnd)
}

/** Whether a line of valid UTF-8 is JSON, of whatever kind. */
export function isJson(line: Buffer): boolean {
  const end = endOfValue(line, skipSpace(line, 0))
  return end >= 0 && skipSpace(line, end) === line.length
}

const idKey = Buffer.from('"_id"')
const typeKey = Buffer.from('"_type"')

function isAt(line: Buffer, at: number, word: Buffer): boolean {
  for (let place = 0; place < word.length; place++) {
    if (line[at + place] !== word[place]) return false
  }
  return true
}

/** Whether the string that begins at `start` has an escape in it. */
function hasEscape(line: Buffer, start: number): boolean {
  let at = start + 1
  while (line[at] !== quote && line[at] !== backslash) at++
  return line[at] === backslash
}

/** The text of the value in a place; undefined if it is no string, or empty. */
function findText(line: Buffer, start: number, end: number): string | undefined {
  if (line[start] !== quote || end - start === 2) return undefined
  return hasEscape(line, start) ? parsed(line, start, end) : line.toString('utf8', start + 1, end - 1)
}

/** What the parser makes of the string that begins at `start`; what stands between it and `end` does not matter. */
function parsed(line: Buffer, start: number, end: number): string {
  return JSON.parse(line.toString('utf8', start, Math.min(endOfString(line, start), end))) as string
}

// Below, places are given as offsets, and -1 stands for what is not JSON. Behind the end of a line there is `undefined`: no comparison holds for it.

/** The next place that is no white space. Sanity sends none: the common case must be cheap. */
export function skipSpace(line: Buffer, start: number): number {
  return (line[start] as number) > space ? start : endOfSpace(line, start)
}

function endOfSpace(line: Buffer, start: number): number {
  let at = start
  while (isSpace(line[at] as number)) at++
  return at
}

/** Where the value begins of the member of an object that begins at `start`. */
export function valueOfMember(line: Buffer, start: number): number {
  const keyEnd = line[start] === quote ? endOfString(line, start) : -1
  if (keyEnd < 0) return -1
  const at = skipSpace(line, keyEnd)
  return line[at] === colon ? skipSpace(line, at + 1) : -1
}

/** The opening brackets around the place that is being read, the outermost first, and how many: a byte a level, one list for all lines. */
let openBrackets = new Uint8Array(512)
let depth = 0

/** Where the value ends that begins at `start`. A loop and no recursion, so that a document may be nested as deep as it likes. */
export function endOfValue(line: Buffer, start: number): number {
  depth = 0
  let at = start
  while (at >= 0) {
    const byte = line[at] as number
    if (byte === openBrace || byte === openBracket) {
      const inner = skipSpace(line, at + 1)
      if (line[inner] !== closing(byte)) {
        enter(byte)
        at = valueIn(line, inner)
        continue
      }
      at = inner + 1
    } else at = byte === quote ? endOfString(line, at) : endOfScalar(line, at)
    if (at >= 0) at = leave(line, at)
    if (depth === 0) return at
    at = line[at] === comma ? valueIn(line, skipSpace(line, at + 1)) : -1
  }
  return -1
}

function enter(bracket: number): void {
  if (depth === openBrackets.length) {
    const longer = new Uint8Array(depth * 2)
    longer.set(openBrackets)
    openBrackets = longer
  }
  openBrackets[depth++] = bracket
}

/** Leaves the containers that are closed behind a value. Gives the place behind them, or, if one is left open, where its next token begins. */
function leave(line: Buffer, valueEnd: number): number {
  let end = valueEnd
  while (depth > 0) {
    const at = skipSpace(line, end)
    if (line[at] !== closing(openBrackets[depth - 1] as number)) return at
    depth--
    end = at + 1
  }
  return end
}

/** Where the value begins of what begins at `start` in the innermost container: behind the key in an object. */
function valueIn(line: Buffer, start: number): number {
  return openBrackets[depth - 1] === openBrace ? valueOfMember(line, start) : start
}

/** Where the string ends whose quote is at `start`. Its bytes beyond ASCII are known to be valid UTF-8. */
export function endOfString(line: Buffer, start: number): number {
  for (let at = start + 1; ; ) {
    let byte = line[at++] as number
    // Every bit counts here. Turning the second bit over makes space and quote change places, so that one comparison stops at a quote and below a space.
    while ((byte ^ 2) > space && byte !== backslash) byte = line[at++] as number
    if (byte === quote) return at
    if (byte !== backslash) return -1
    const letter = line[at++] as number
    if (letter === 0x75) {
      if (!areHexDigits(line, at)) return -1
      at += 4
    } else if (isShortEscape[letter] !== 1) return -1
  }
}

const isShortEscape = new Uint8Array(256)
for (const letter of Buffer.from('"\\/bfnrt')) isShortEscape[letter] = 1

/** Whether the next four bytes are. */
function areHexDigits(line: Buffer, start: number): boolean {
  for (let at = start; at < start + 4; at++) {
    if (!isHexDigit(line[at] as number)) return false
  }
  return true
}

function isHexDigit(byte: number): boolean {
  return isDigit(byte) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66)
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}

const yes = Buffer.from('true')
const no = Buffer.from('false')
const nothing = Buffer.from('null')

/** Where a number ends, or one of the three words. */
export function endOfScalar(line: Buffer, start: number): number {
  const byte = line[start] as number
  if (!(byte >= 0x61)) return endOfNumber(line, start)
  if (isAt(line, start, yes)) return start + 4
  if (isAt(line, start, no)) return start + 5
  return isAt(line, start, nothing) ? start + 4 : -1
}

function endOfNumber(line: Buffer, start: number): number {
  let at = line[start] === 0x2d ? start + 1 : start
  // No digit follows a zero at the start.
  at = line[at] === 0x30 ? at + 1 : endOfDigits(line, at)
  if (at >= 0 && line[at] === 0x2e) at = endOfDigits(line, at + 1)
  if (at < 0 || (line[at] !== 0x65 && line[at] !== 0x45)) return at
  const sign = line[at + 1]
  return endOfDigits(line, sign === 0x2b || sign === 0x2d ? at + 2 : at + 1)
}

/** Where one or more digits end. */
function endOfDigits(line: Buffer, start: number): number {
  let at = start
  while (isDigit(line[at] as number)) at++
  return at === start ? -1 : at
}
