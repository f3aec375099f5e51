import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { codecs } from '../../src/codec/codecs.ts'
import { pack } from '../support/pack.ts'

/**
 * Run as a process of its own: compresses 200 MB and decompresses them again without keeping anything, and prints what was read and how much
 * memory was in use at most once all garbage was gone, as JSON.
 */
const { extension: wanted } = JSON.parse(process.argv[2] ?? '{}') as { extension?: string }
const [codec = codecs.gzip] = Object.values(codecs).filter(({ extension }) => extension === wanted)
const blockBytes = 1024 * 1024
const blocks = 200
/** Collecting garbage takes time: not at every block. */
const blocksBetweenLooks = 20
setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

let compressed = 0
let restored = 0
let peakBytes = 0
for await (const chunk of codec.decompress(counted(pack(codec.compress, generated(), { level: 1 })))) restored += chunk.length
process.stdout.write(JSON.stringify({ compressed, restored, peakBytes }))

/** A buffer of its own for each block. */
async function* generated(): AsyncGenerator<Buffer> {
  for (let block = 0; block < blocks; block++) {
    if (block % blocksBetweenLooks === 0) peakBytes = Math.max(peakBytes, usedBytes())
    const bytes = Buffer.allocUnsafeSlow(blockBytes)
    for (let at = 0; at < blockBytes; at += 4)
      bytes.writeUInt32LE((Math.imul(block * blockBytes + at, 2_654_435_761) >>> 9) & 0x0fff0fff, at)
    yield bytes
  }
}

async function* counted(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    compressed += chunk.length
    yield chunk
  }
}

function usedBytes(): number {
  collectGarbage()
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
