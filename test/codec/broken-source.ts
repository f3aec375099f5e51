import { codecs } from '../../src/codec/codec.ts'

/** Run as a process of its own, which ends with an error if any rejection stays unhandled: prints what came of sources that break. */
class SourceError extends Error {}

const packing = { level: 1, checksum: () => 0, release: () => undefined }
const outcomes: string[] = []
for (const codec of Object.values(codecs)) {
  for (const direction of ['compress', 'decompress'] as const) {
    for (const chunksBefore of [0, 1, 5]) {
      const error = new SourceError('the source broke')
      const outcome = await read(codec[direction](breaking(error, chunksBefore), packing)).then(
        () => 'nothing was thrown',
        (thrown: unknown) => (thrown === error ? 'the very error' : `another error: ${thrown}`),
      )
      outcomes.push(outcome)
    }
  }
}
// Rejections that nobody handles are told of in a later turn of the loop.
await new Promise((resolve) => setTimeout(resolve, 50))
process.stdout.write(JSON.stringify(outcomes))

/** The start of a gzip member that never ends, so that a decompressor has no complaint of its own; zstd wants more before it says a word. */
async function* breaking(error: Error, chunksBefore: number): AsyncGenerator<Buffer> {
  for (let chunk = 0; chunk < chunksBefore; chunk++) yield Buffer.alloc(0)
  throw error
}

async function read(chunks: AsyncIterable<Buffer>): Promise<void> {
  for await (const _ of chunks);
}
