/** A consumer may still work on the block before the one that it asked for. */
const ringSize = 3

/**
 * Copies lines, each with a line feed behind it, into blocks of `blockBytes`, the last one shorter: what comes after works better on few large
 * pieces than on many small ones. A line that is longer than a block goes on in the next. A block may be used until the next but one is asked
 * for; then its memory is filled anew, so that a long stream does not leave a trail of garbage.
 */
export async function* packLines(batches: AsyncIterable<readonly Buffer[]>, blockBytes: number): AsyncGenerator<Buffer> {
  const ring = Array.from({ length: ringSize }, () => Buffer.allocUnsafeSlow(blockBytes))
  let turn = 0
  let block = ring[0] as Buffer
  let used = 0
  for await (const lines of batches) {
    for (const line of lines) {
      // The line feed stands at the place behind the line's last byte.
      for (let at = 0; at <= line.length; ) {
        if (used === blockBytes) {
          yield block
          turn = (turn + 1) % ringSize
          block = ring[turn] as Buffer
          used = 0
        }
        const copied = line.copy(block, used, at)
        used += copied
        at += copied
        if (at === line.length && used < blockBytes) {
          block[used++] = lineFeed
          at++
        }
      }
    }
  }
  if (used > 0) yield block.subarray(0, used)
}

const lineFeed = 0x0a
