import { allowFreeing, freeing } from '../../src/streams/memory.ts'

/** Run as a process of its own: lets 500 MB go by in pieces that nobody keeps, and prints how many bytes of them lay in memory at most, as JSON. */
const pieceBytes = 64 * 1024
const pieces = 8_000
const perTurn = 16

let mostBytes = 0
let sum = 0
allowFreeing()
for await (const piece of freeing(made())) {
  sum += piece[0] ?? 0
  mostBytes = Math.max(mostBytes, process.memoryUsage().arrayBuffers)
}
process.stdout.write(JSON.stringify({ mostBytes, sum }))

/** As from a socket: a few at a time. */
async function* made(): AsyncGenerator<Buffer> {
  for (let piece = 0; piece < pieces; piece++) {
    yield Buffer.alloc(pieceBytes, 1)
    if (piece % perTurn === 0) await new Promise<void>((resolve) => setImmediate(resolve))
  }
}
