import { backslash, closeBrace, closeBracket, closing, colon, comma, openBrace, openBracket, quote } from '../../streams/json/json-bytes.ts'
import { endOfString, endOfValue, skipSpace, valueOfMember } from '../../streams/json/scan.ts'
import { beginOutput, endOutput, leaveOut, type Output, type Span } from './output.ts'
import { isRefKey, textOf } from './spelling.ts'
import { pastSpace, type Walk, writeScalar, writeString } from './tokens.ts'

export type CanonicalOptions = { readonly without: ReadonlySet<string>; readonly references?: ReadonlyMap<string, string> }

/** `inOrder`: each object has its keys in the order of their bytes, and none twice. `bytes` are good until the next line is read. */
export type Normal = { readonly bytes: Buffer; readonly inOrder: boolean }

/**
 * The line in the one spelling of its strings and numbers, without white space and without what the options leave out; the order of keys stays.
 * Sanity sends lines in just this spelling, so nearly all of it is copied in long pieces, and no strings are made of it. Undefined if it is not JSON.
 */
export function normalize(line: Buffer, options: CanonicalOptions): Normal | undefined {
  const output = beginOutput(line)
  const walk: Walk = {
    line,
    output,
    references: options.references?.size ? options.references : undefined,
    referenceAt: none,
    inOrder: true,
  }
  const start = skipSpace(line, 0)
  leaveOut(output, 0, start)
  const end = line[start] === openBrace ? writeTop(walk, start, options.without) : writeValue(walk, start)
  if (end < 0 || skipSpace(line, end) !== line.length) return undefined
  return { bytes: endOutput(output, end), inOrder: walk.inOrder }
}

// As in the scanner, places are offsets, and -1 stands for what is not JSON.

const none = -1

/** Writes the outermost object, whose members alone can be left out. Gives the place behind it. */
function writeTop(walk: Walk, start: number, without: ReadonlySet<string>): number {
  const { line, output } = walk
  let lastKeyAt = none
  let at = pastSpace(walk, start + 1)
  if (line[at] === closeBrace) return at + 1
  for (;;) {
    const isLeftOut = without.size > 0 && isNamed(line, at, without)
    const end = isLeftOut ? endOfMember(line, at) : writeMember(walk, at, lastKeyAt)
    if (end < 0) return -1
    const behind = skipSpace(line, end)
    const isLast = line[behind] !== comma
    const next = isLast ? behind : skipSpace(line, behind + 1)
    if (isLeftOut) leaveOutMember(output, { start: at, end: next }, isLast)
    else {
      lastKeyAt = at
      pastSpace(walk, end)
      if (!isLast) pastSpace(walk, behind + 1)
    }
    if (isLast) return line[next] === closeBrace ? next + 1 : -1
    at = next
  }
}

function endOfMember(line: Buffer, start: number): number {
  const valueAt = valueOfMember(line, start)
  return valueAt < 0 ? -1 : endOfValue(line, valueAt)
}

function writeMember(walk: Walk, start: number, lastKeyAt: number): number {
  const valueAt = writeKey(walk, start, lastKeyAt)
  return valueAt < 0 ? -1 : writeValue(walk, valueAt)
}

/** The comma behind a member goes with it. Behind the last there is none: that in front goes, if there is one. */
function leaveOutMember(output: Output, { start, end }: Span, isLast: boolean): void {
  leaveOut(output, start, end)
  if (isLast && output.bytes[output.length - 1] === comma) output.length--
}

function isNamed(line: Buffer, keyAt: number, names: ReadonlySet<string>): boolean {
  const end = line[keyAt] === quote ? endOfString(line, keyAt) : -1
  return end >= 0 && names.has(textOf(line, keyAt, end))
}

/** For each open container the place of the last key, or what it is instead, and how many are open; one list for all lines. */
let lastKeys = new Int32Array(512)
let depth = 0
const inArray = -2

/** Writes the value that begins at `start`, and gives the place behind it. A loop and no recursion: a document may be nested as deep as it likes. */
function writeValue(walk: Walk, start: number): number {
  const { line } = walk
  depth = 0
  let at = start
  while (at >= 0) {
    const byte = line[at] as number
    if (byte === openBrace || byte === openBracket) {
      at = pastSpace(walk, at + 1)
      if (line[at] !== closing(byte)) {
        enter(byte)
        at = writeItemStart(walk, at)
        continue
      }
      at++
    } else at = byte === quote ? writeString(walk, at) : writeScalar(walk, at)
    if (at >= 0) at = leave(walk, at)
    if (depth === 0) return at
    at = line[at] === comma ? writeItemStart(walk, pastSpace(walk, at + 1)) : -1
  }
  return -1
}

function enter(bracket: number): void {
  if (depth === lastKeys.length) {
    const longer = new Int32Array(depth * 2)
    longer.set(lastKeys)
    lastKeys = longer
  }
  lastKeys[depth++] = bracket === openBrace ? none : inArray
}

/** Leaves the containers that are closed behind a value. Gives the place behind them, or, if one is left open, where its next token begins. */
function leave(walk: Walk, valueEnd: number): number {
  let end = valueEnd
  while (depth > 0) {
    const at = pastSpace(walk, end)
    if (walk.line[at] !== (lastKeys[depth - 1] === inArray ? closeBracket : closeBrace)) return at
    depth--
    end = at + 1
  }
  return end
}

/** Gives the place where the value begins of what begins at `at` in the innermost container. */
function writeItemStart(walk: Walk, at: number): number {
  const lastKeyAt = lastKeys[depth - 1] as number
  if (lastKeyAt === inArray) return at
  lastKeys[depth - 1] = at
  return writeKey(walk, at, lastKeyAt)
}

/** Writes a key and its colon, and gives the place of the value. */
function writeKey(walk: Walk, keyAt: number, lastKeyAt: number): number {
  const { line } = walk
  const end = line[keyAt] === quote ? writeString(walk, keyAt) : -1
  if (end < 0) return -1
  const colonAt = pastSpace(walk, end)
  if (line[colonAt] !== colon) return -1
  const valueAt = pastSpace(walk, colonAt + 1)
  if (lastKeyAt !== none && !isBelow(line, lastKeyAt, keyAt)) walk.inOrder = false
  if (walk.references && isRefKey(line, keyAt, end)) walk.referenceAt = valueAt
  return valueAt
}

/** Whether a key is known to come before another one. Of keys with escapes it is not known: they are rare, and put in order by who can. */
function isBelow(line: Buffer, firstAt: number, secondAt: number): boolean {
  for (let place = 1; ; place++) {
    const first = line[firstAt + place] as number
    const second = line[secondAt + place] as number
    if (first === backslash || second === backslash) return false
    if (first !== second) return first < second
    if (first === quote) return false
  }
}
