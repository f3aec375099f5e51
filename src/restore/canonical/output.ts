/**
 * Bytes that are put together from places of a line, and little else. What follows in the line is copied in one piece: `from` is where the bytes
 * begin that are neither copied nor left out yet.
 */
export type Output = { readonly line: Buffer; from: number; bytes: Buffer; length: number }

/** One buffer for all lines: taking a new one for each would cost more than filling it. */
let spare = Buffer.allocUnsafe(65_536)

/** Begins with nothing. There is one output at a time: the next one takes the bytes of the last. */
export function beginOutput(line: Buffer): Output {
  return { line, from: 0, bytes: spare, length: 0 }
}

/** Leaves out the bytes of a place, and takes those between it and the last one. */
export function leaveOut(output: Output, start: number, end: number): void {
  append(output, output.line, { start: output.from, end: start })
  output.from = end
}

/** Takes other bytes in the place of some. */
export function replace(output: Output, { start, end }: Span, text: string): void {
  leaveOut(output, start, end)
  const bytes = Buffer.from(text)
  append(output, bytes, { start: 0, end: bytes.length })
}

export type Span = { readonly start: number; readonly end: number }

/** Takes the bytes up to `end`, and gives all: they are good until the next output begins. */
export function endOutput(output: Output, end: number): Buffer {
  leaveOut(output, end, end)
  return output.bytes.subarray(0, output.length)
}

function append(output: Output, bytes: Buffer, { start, end }: Span): void {
  const length = output.length + end - start
  if (length > output.bytes.length) grow(output, length)
  bytes.copy(output.bytes, output.length, start, end)
  output.length = length
}

function grow(output: Output, length: number): void {
  const longer = Buffer.allocUnsafe(length * 2)
  output.bytes.copy(longer, 0, 0, output.length)
  output.bytes = longer
  // A single huge document must not occupy its memory until the end.
  if (longer.length <= 4_000_000) spare = longer
}
