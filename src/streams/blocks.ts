/** A consumer may still work on the block before the one that it asked for. */
const ringSize = 3

/**
 * Copies lines, each with a line feed behind it, into blocks of about `blockBytes`: what comes after works better on few large pieces than
 * on many small ones. A block may be used until the next but one is asked for; then its memory is filled anew, so that a long stream does not
 * leave a trail of garbage.
 */
export async function* packLines(batches: AsyncIterable<readonly Buffer[]>, blockBytes: number): AsyncGenerator<Buffer> {
  const ring = Array.from({ length: ringSize }, () => Buffer.allocUnsafeSlow(0))
  let turn = 0
  const nextBlock = (leastBytes: number): Buffer => {
    turn = (turn + 1) % ringSize
    const used = ring[turn] as Buffer
    const wanted = Math.max(blockBytes, leastBytes)
    // One that was made for a very long line is let go of.
    if (used.length !== wanted) ring[turn] = Buffer.allocUnsafeSlow(wanted)
    return ring[turn] as Buffer
  }

  let block = nextBlock(0)
  let used = 0
  for await (const lines of batches) {
    for (const line of lines) {
      if (used + line.length + 1 > block.length) {
        if (used > 0) yield block.subarray(0, used)
        block = nextBlock(line.length + 1)
        used = 0
      }
      line.copy(block, used)
      used += line.length
      block[used++] = lineFeed
    }
  }
  if (used > 0) yield block.subarray(0, used)
}

const lineFeed = 0x0a
