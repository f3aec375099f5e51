/** Deeper ones are left to the parser. */
const maxDepth = 512

const space = 0x20
const quote = 0x22
const comma = 0x2c
const colon = 0x3a
const openBracket = 0x5b
const backslash = 0x5c
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d

/** What a line is called that is a document. */
export type Scanned = { readonly id: string; readonly type: string }

/**
 * Reads a line of valid UTF-8 from end to end by the grammar of JSON (RFC 8259) and gives what the document is called, without making anything of
 * the rest: three times as fast as parsing it, and no garbage.
 *
 * Gives a result only where `JSON.parse` makes an object with a string `_id` and a string `_type`, neither empty, and then these two. Undefined
 * for everything else, and for what is nested deeper than `maxDepth`: that is so rare that it is left to the parser.
 */
export function scanDocument(line: Buffer): Scanned | undefined {
  let at = skipSpace(line, 0)
  if (line[at] !== openBrace) return undefined
  let id: string | undefined
  let type: string | undefined
  do {
    const keyAt = skipSpace(line, at + 1)
    const valueAt = valueOfMember(line, keyAt)
    const valueEnd = valueAt < 0 ? -1 : endOfValue(line, valueAt, 1)
    if (valueEnd < 0) return undefined
    // Of a key that comes twice the last counts.
    const key = hasEscape(line, keyAt) ? parsed(line, keyAt, valueAt) : undefined
    if (key === '_id' || isAt(line, keyAt, idKey)) id = findText(line, valueAt, valueEnd)
    else if (key === '_type' || isAt(line, keyAt, typeKey)) type = findText(line, valueAt, valueEnd)
    at = skipSpace(line, valueEnd)
  } while (line[at] === comma)
  if (line[at] !== closeBrace || skipSpace(line, at + 1) !== line.length) return undefined
  return id === undefined || type === undefined ? undefined : { id, type }
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
function skipSpace(line: Buffer, start: number): number {
  return (line[start] as number) > space ? start : endOfSpace(line, start)
}

function endOfSpace(line: Buffer, start: number): number {
  let at = start
  while (isSpace(line[at] as number)) at++
  return at
}

function isSpace(byte: number): boolean {
  return byte === space || byte === 0x09 || byte === 0x0a || byte === 0x0d
}

/** Where the value begins of the member of an object that begins at `start`. */
function valueOfMember(line: Buffer, start: number): number {
  const keyEnd = line[start] === quote ? endOfString(line, start) : -1
  if (keyEnd < 0) return -1
  const at = skipSpace(line, keyEnd)
  return line[at] === colon ? skipSpace(line, at + 1) : -1
}

/** `depth` is that of the container around the value. */
function endOfValue(line: Buffer, start: number, depth: number): number {
  const byte = line[start]
  if (byte === quote) return endOfString(line, start)
  if (byte !== openBrace && byte !== openBracket) return endOfScalar(line, start)
  if (depth === maxDepth) return -1
  return byte === openBrace ? endOfObject(line, start, depth + 1) : endOfArray(line, start, depth + 1)
}

function endOfObject(line: Buffer, start: number, depth: number): number {
  let at = skipSpace(line, start + 1)
  if (line[at] === closeBrace) return at + 1
  for (;;) {
    const valueAt = valueOfMember(line, at)
    const valueEnd = valueAt < 0 ? -1 : endOfValue(line, valueAt, depth)
    if (valueEnd < 0) return -1
    at = skipSpace(line, valueEnd)
    if (line[at] === closeBrace) return at + 1
    if (line[at] !== comma) return -1
    at = skipSpace(line, at + 1)
  }
}

function endOfArray(line: Buffer, start: number, depth: number): number {
  let at = skipSpace(line, start + 1)
  if (line[at] === closeBracket) return at + 1
  for (;;) {
    const valueEnd = endOfValue(line, at, depth)
    if (valueEnd < 0) return -1
    at = skipSpace(line, valueEnd)
    if (line[at] === closeBracket) return at + 1
    if (line[at] !== comma) return -1
    at = skipSpace(line, at + 1)
  }
}

/** Where the string ends whose quote is at `start`. Its bytes beyond ASCII are known to be valid UTF-8. */
function endOfString(line: Buffer, start: number): number {
  for (let at = start + 1; ; ) {
    const byte = line[at++]
    if (byte === quote) return at
    if (byte === backslash) {
      const letter = line[at++] as number
      if (letter === 0x75) {
        if (!areHexDigits(line, at)) return -1
        at += 4
      } else if (isShortEscape[letter] !== 1) return -1
    } else if (byte === undefined || byte < space) return -1
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
function endOfScalar(line: Buffer, start: number): number {
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
