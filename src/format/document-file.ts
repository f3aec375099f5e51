import {
  closeBrace,
  closeBracket,
  closingQuote,
  colon,
  comma,
  isSpace,
  openBrace,
  openBracket,
  quote,
  space,
} from '../streams/json/json-bytes.ts'

/**
 * Documents as files that git and people can compare: docs/format.md, "The layout text". White space is added outside of strings only, so
 * taking it out again gives back the line, byte for byte.
 */

/** The size of the file that {@link indentDocument} makes of a document's line, in bytes. */
export function indentedBytes(line: Buffer): number {
  return line.length + addedBytes(line)
}

/**
 * Makes a document's file of its line: two-space JSON, a line feed at the end. A line that already held white space outside of strings stays on one
 * line, as it is. The line is valid JSON, an object.
 */
export function indentDocument(line: Buffer): Buffer {
  const file = Buffer.allocUnsafe(indentedBytes(line))
  let used = 0
  const copy = (from: number, to: number): void => {
    used += line.copy(file, used, from, to)
  }
  const breakLine = (depth: number): void => {
    file[used++] = lineFeed
    file.fill(space, used, used + depth * indent)
    used += depth * indent
  }

  if (file.length === line.length + 1) copy(0, line.length)
  else {
    let copied = 0
    walk(line, (at, depth) => {
      const byte = line[at] as number
      // A closing bracket stands on a line of its own, everything else stays before the break.
      const end = isClosing(byte) ? at : at + 1
      copy(copied, end)
      copied = end
      if (byte === colon) file[used++] = space
      else breakLine(depth)
    })
    copy(copied, line.length)
  }
  file[used] = lineFeed
  return file
}

/** Gives a document's line back from its file: the inverse of {@link indentDocument}. The second byte tells which form the file has. */
export function joinDocument(file: Buffer): Buffer {
  const whole = file.at(-1) === lineFeed ? file.subarray(0, -1) : file
  if (whole[1] !== lineFeed) return whole
  const line = Buffer.allocUnsafe(whole.length)
  let used = 0
  for (let at = 0; at < whole.length; at++) {
    const byte = whole[at] as number
    if (byte === quote) {
      const end = closingQuote(whole, at)
      used += whole.copy(line, used, at, end + 1)
      at = end
    } else if (!isSpace(byte)) line[used++] = byte
  }
  return line.subarray(0, used)
}

const lineFeed = 0x0a
const indent = 2

/** The bytes that indenting adds, the last line feed included; 1 for a line with white space of its own. */
function addedBytes(line: Buffer): number {
  let added = 1
  const unspaced = walk(line, (at, depth) => {
    added += line[at] === colon ? 1 : 1 + depth * indent
  })
  return unspaced ? added : 1
}

/**
 * Shows each place at which white space is added: behind a colon, behind a comma or an opening bracket, and before a closing one, with the depth of
 * the line that begins there. Gives false, in the middle of it, for a line that holds white space itself.
 */
function walk(line: Buffer, visit: (at: number, depth: number) => void): boolean {
  let depth = 0
  for (let at = 0; at < line.length; at++) {
    const byte = line[at] as number
    if (byte === quote) at = closingQuote(line, at)
    else if (byte === colon || byte === comma) visit(at, depth)
    else if (isOpening(byte)) {
      // Empty ones stay together. In ASCII the closing bracket is the second one behind the opening one.
      if (line[at + 1] === byte + 2) at++
      else visit(at, ++depth)
    } else if (isClosing(byte)) visit(at, --depth)
    else if (isSpace(byte)) return false
  }
  return true
}

function isOpening(byte: number): boolean {
  return byte === openBrace || byte === openBracket
}

function isClosing(byte: number): boolean {
  return byte === closeBrace || byte === closeBracket
}
