import { codecs } from '../../src/codec/codec.ts'

/**
 * Run as a process of its own: compresses 200 MB and decompresses them again without keeping anything, and prints what was read and the peak
 * of the resident memory, as JSON.
 */
const { extension: wanted } = JSON.parse(process.argv[2] ?? '{}') as { extension?: string }
const [codec = codecs.gzip] = Object.values(codecs).filter(({ extension }) => extension === wanted)
const blockBytes = 1024 * 1024
const blocks = 200

let compressed = 0
let restored = 0
for await (const chunk of codec.decompress(counted(codec.compress(generated(), 1)))) restored += chunk.length
process.stdout.write(JSON.stringify({ compressed, restored, peakBytes: process.resourceUsage().maxRSS * 1024 }))

/** A buffer of its own for each block, as the real source makes them. */
async function* generated(): AsyncGenerator<Buffer> {
  for (let block = 0; block < blocks; block++) {
    const bytes = Buffer.allocUnsafeSlow(blockBytes)
    for (let at = 0; at < blockBytes; at += 4) bytes.writeUInt32LE((Math.imul(at + block, 2_654_435_761) >>> 9) & 0x0fff0fff, at)
    yield bytes
  }
}

async function* counted(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    compressed += chunk.length
    yield chunk
  }
}
