/** Some lines of a stream. Only the last batch of a stream may have `terminated: false`: its one line was not ended by a line feed. */
export type LineBatch = { readonly lines: readonly Buffer[]; readonly terminated: boolean }

/** A line longer than the limit given to {@link splitLines}. */
export class LineTooLongError extends Error {
  readonly lineNumber: number

  constructor(lineNumber: number, maxLineBytes: number) {
    super(`line ${lineNumber} is longer than ${maxLineBytes} bytes`)
    this.name = 'LineTooLongError'
    this.lineNumber = lineNumber
  }
}

const lineFeed = 0x0a
const carriageReturn = 0x0d
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf])

/**
 * Cuts a byte stream into lines at its line feeds, found in bytes and never in decoded text, so that a character split over two chunks stays
 * whole.
 *
 * Empty lines are given out too. Takes linear time however a line is spread over chunks. Lines within one chunk are views of it, not copies.
 * Throws {@link LineTooLongError} before a line of more than `maxLineBytes` is put together.
 */
export async function* splitLines(chunks: AsyncIterable<Buffer>, maxLineBytes: number): AsyncGenerator<LineBatch> {
  let pending: Buffer[] = []
  let pendingBytes = 0
  let lineNumber = 1
  for await (const chunk of chunks) {
    const lines: Buffer[] = []
    let start = 0
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, start)) {
      if (pendingBytes + end - start > maxLineBytes) throw new LineTooLongError(lineNumber, maxLineBytes)
      const rest = chunk.subarray(start, end)
      lines.push(pending.length === 0 ? rest : Buffer.concat([...pending, rest]))
      pending = []
      pendingBytes = 0
      lineNumber++
      start = end + 1
    }
    if (start < chunk.length) {
      pending.push(chunk.subarray(start))
      pendingBytes += chunk.length - start
      if (pendingBytes > maxLineBytes) throw new LineTooLongError(lineNumber, maxLineBytes)
    }
    if (lines.length > 0) yield { lines, terminated: true }
  }
  if (pending.length > 0) yield { lines: [Buffer.concat(pending)], terminated: false }
}

/** Leaves out what only frames the lines of a stream: a byte order mark at its start, and one carriage return before a line feed. */
export async function* stripFraming(batches: AsyncIterable<LineBatch>): AsyncGenerator<LineBatch> {
  let first = true
  for await (const { lines, terminated } of batches) {
    const bare = terminated ? lines.map(withoutCarriageReturn) : [...lines]
    if (first && bare[0]) bare[0] = withoutByteOrderMark(bare[0])
    first = false
    yield { lines: bare, terminated }
  }
}

function withoutByteOrderMark(line: Buffer): Buffer {
  return line.subarray(0, 3).equals(byteOrderMark) ? line.subarray(3) : line
}

function withoutCarriageReturn(line: Buffer): Buffer {
  return line[line.length - 1] === carriageReturn ? line.subarray(0, -1) : line
}
