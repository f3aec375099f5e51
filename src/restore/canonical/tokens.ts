import { backslash, quote, space } from '../../streams/json/json-bytes.ts'
import { endOfScalar, endOfString, skipSpace } from '../../streams/json/scan.ts'
import { leaveOut, type Output, replace } from './output.ts'
import { isPlainNumber, spellNumber, textOf } from './spelling.ts'

/** What is known of a line while it is written in its one spelling. */
export type Walk = {
  readonly line: Buffer
  readonly output: Output
  readonly references: ReadonlyMap<string, string> | undefined
  /** Where a value begins that stands behind the key `_ref`. */
  referenceAt: number
  inOrder: boolean
}

// Each gives the place behind what it writes, or -1 for what is not JSON. What is spelled well already is left to be copied with what follows.

/** Writes a string as `JSON.stringify` spells it, as Sanity does. */
export function writeString(walk: Walk, start: number): number {
  const { line } = walk
  if (start === walk.referenceAt) return writeReference(walk, start)
  for (let at = start + 1; ; ) {
    let byte = line[at++] as number
    // As in the scanner: one comparison stops at a quote and below a space.
    while ((byte ^ 2) > space && byte !== backslash) byte = line[at++] as number
    if (byte === quote) return at
    if (byte !== backslash) return -1
    if (isKeptEscape[line[at++] as number] !== 1) return respell(walk, start)
  }
}

/** The escapes that are the only spelling of what they stand for. */
const isKeptEscape = new Uint8Array(256)
for (const letter of Buffer.from('"\\bfnrt')) isKeptEscape[letter] = 1

function respell(walk: Walk, start: number): number {
  const end = endOfString(walk.line, start)
  if (end >= 0) replace(walk.output, { start, end }, JSON.stringify(textOf(walk.line, start, end)))
  return end
}

function writeReference(walk: Walk, start: number): number {
  const end = endOfString(walk.line, start)
  if (end < 0) return -1
  const id = textOf(walk.line, start, end)
  replace(walk.output, { start, end }, JSON.stringify(walk.references?.get(id) ?? id))
  return end
}

/** Writes a number in the one spelling of its value, or one of the three words. */
export function writeScalar({ line, output }: Walk, start: number): number {
  const end = endOfScalar(line, start)
  const isWord = (line[start] as number) >= 0x61
  if (end < 0 || isWord || isPlainNumber(line, start, end)) return end
  replace(output, { start, end }, spellNumber(line.toString('latin1', start, end)))
  return end
}

/** Leaves out the white space that begins at a place, and gives the place behind it. */
export function pastSpace({ line, output }: Walk, start: number): number {
  const end = skipSpace(line, start)
  if (end !== start) leaveOut(output, start, end)
  return end
}
