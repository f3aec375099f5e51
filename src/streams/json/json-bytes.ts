export const space = 0x20
export const quote = 0x22
export const comma = 0x2c
export const colon = 0x3a
export const openBracket = 0x5b
export const backslash = 0x5c
export const closeBracket = 0x5d
export const openBrace = 0x7b
export const closeBrace = 0x7d

/** In ASCII the closing bracket is the second one behind the opening one. */
export function closing(bracket: number): number {
  return bracket + 2
}

/** Whether a byte is white space between the tokens of JSON (RFC 8259, 2). */
export function isSpace(byte: number): boolean {
  return byte === space || byte === 0x09 || byte === 0x0a || byte === 0x0d
}

/** The offset of the quote that closes the string which opens at `start`; that of the last byte if it is not closed. Checks nothing of the string. */
export function closingQuote(bytes: Buffer, start: number): number {
  for (let end = bytes.indexOf(quote, start + 1); end !== -1; end = bytes.indexOf(quote, end + 1)) {
    let first = end
    while (bytes[first - 1] === backslash) first--
    if ((end - first) % 2 === 0) return end
  }
  return bytes.length - 1
}
