/** Some lines of a stream. Only the last batch of a stream may have `terminated: false`: its one line was not ended by a line feed. */
export type LineBatch = { readonly lines: readonly Buffer[]; readonly terminated: boolean }

/** Sanity's cap for one document is 32 MB (sanity.io/docs/content-lake/technical-limits); above this a line is no document. */
export const longestLineBytes = 128 * 1024 * 1024

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
  const begun = gather()
  let lineNumber = 1
  for await (const chunk of chunks) {
    const lines: Buffer[] = []
    let start = 0
    for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, start)) {
      if (begun.bytes() + end - start > maxLineBytes) throw new LineTooLongError(lineNumber, maxLineBytes)
      // Of an empty line nothing is made: a stream may be full of them.
      const rest = start === end ? nothing : chunk.subarray(start, end)
      lines.push(begun.bytes() === 0 ? rest : begun.take(rest))
      lineNumber++
      start = end + 1
    }
    if (start < chunk.length) begun.add(chunk.subarray(start))
    if (begun.bytes() > maxLineBytes) throw new LineTooLongError(lineNumber, maxLineBytes)
    if (lines.length > 0) yield { lines, terminated: true }
  }
  if (begun.bytes() > 0) yield { lines: [begun.take(nothing)], terminated: false }
}

const nothing = Buffer.alloc(0)

/** Pieces that are smaller cost more to keep than to copy, and are joined so many at a time. */
const smallBytes = 4096
const smallPieces = 512

/** Gathers the pieces of one line after the other. */
function gather(): { readonly add: (piece: Buffer) => void; readonly bytes: () => number; readonly take: (last: Buffer) => Buffer } {
  let pieces: Buffer[] = []
  let small: Buffer[] = []
  let bytes = 0
  const joinSmall = (): void => {
    if (small.length > 0) pieces.push(Buffer.concat(small))
    small = []
  }
  return {
    add: (piece) => {
      bytes += piece.length
      if (piece.length < smallBytes) small.push(piece)
      else {
        joinSmall()
        pieces.push(piece)
      }
      if (small.length === smallPieces) joinSmall()
    },
    bytes: () => bytes,
    take: (last) => {
      const line = Buffer.concat([...pieces, ...small, last])
      pieces = []
      small = []
      bytes = 0
      return line
    },
  }
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
