/** Blocks of memory that are used again and again, so that a long stream does not leave a trail of garbage. */
export type BlockPool = {
  readonly take: () => Buffer
  /** Takes back a block, or the beginning of one. */
  readonly giveBack: (block: Buffer) => void
}

/** Makes a {@link BlockPool}. It makes a new block when all are out: how many there are, their users decide. */
export function blockPool(blockBytes: number): BlockPool {
  const free: Buffer[] = []
  return {
    take: () => free.pop() ?? Buffer.allocUnsafeSlow(blockBytes),
    giveBack: ({ buffer }) => free.push(Buffer.from(buffer)),
  }
}

/** So many bytes may go by without a look at what else has happened meanwhile. */
const turnBytes = 128 * 1024

/**
 * Lets lines through, and now and then gives way to what else has happened meanwhile: while a sender is fast there is always more to read, and those
 * who compress would wait to be given their next block.
 */
export async function* givingWay(batches: AsyncIterable<readonly Buffer[]>): AsyncGenerator<readonly Buffer[]> {
  let bytes = 0
  for await (const lines of batches) {
    for (const { length } of lines) bytes += length
    yield lines
    if (bytes < turnBytes) continue
    bytes = 0
    await new Promise((resolve) => setImmediate(resolve))
  }
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
