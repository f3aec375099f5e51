/**
 * Gives blocks to be filled, as many as are asked for, from the memory of three: one may be used until the next but one is asked for. So a long
 * stream does not leave a trail of garbage.
 */
export function blockRing(blockBytes: number): () => Buffer {
  const ring = Array.from({ length: 3 }, () => Buffer.allocUnsafeSlow(blockBytes))
  let turn = 0
  return () => ring[turn++ % ring.length] as Buffer
}

/**
 * Copies lines, each with a line feed behind it, into blocks, each filled to its end but for the last: what comes after works better on few large
 * pieces than on many small ones. A line that is longer than a block goes on in the next. `nextBlock` gives the memory, one block at a time; how
 * long it may be used is between it and those who take the blocks.
 */
export async function* packLines(
  batches: AsyncIterable<readonly Buffer[]>,
  nextBlock: () => Buffer | Promise<Buffer>,
): AsyncGenerator<Buffer> {
  let block: Buffer | undefined
  let used = 0
  for await (const lines of batches) {
    for (const line of lines) {
      // The line feed stands at the place behind the line's last byte.
      for (let at = 0; at <= line.length; ) {
        if (block && used === block.length) {
          yield block
          block = undefined
          used = 0
        }
        block ??= await nextBlock()
        const copied = line.copy(block, used, at)
        used += copied
        at += copied
        if (at === line.length && used < block.length) {
          block[used++] = lineFeed
          at++
        }
      }
    }
  }
  if (block) yield block.subarray(0, used)
}

const lineFeed = 0x0a
