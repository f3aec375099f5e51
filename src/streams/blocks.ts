/**
 * Copies lines, each with a line feed behind it, into blocks of about `blockBytes`: what comes after works better on few large pieces than
 * on many small ones. A block is a buffer of its own, never used again here.
 */
export async function* packLines(batches: AsyncIterable<readonly Buffer[]>, blockBytes: number): AsyncGenerator<Buffer> {
  let block = Buffer.allocUnsafeSlow(blockBytes)
  let used = 0
  for await (const lines of batches) {
    for (const line of lines) {
      if (used + line.length + 1 > blockBytes) {
        if (used > 0) yield block.subarray(0, used)
        block = Buffer.allocUnsafeSlow(Math.max(blockBytes, line.length + 1))
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
