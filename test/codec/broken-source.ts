import { codecs } from '../../src/codec/codecs.ts'

/** Run as a process of its own, which ends with an error if any rejection stays unhandled: prints what came of sources that break. */
class SourceError extends Error {}

const packing = { level: 1, checksum: () => 0, release: () => undefined }
const outcomes: string[] = []
for (const { compress, decompress } of Object.values(codecs)) {
  for (const pass of [(chunks: AsyncIterable<Buffer>) => compress(chunks, packing), decompress]) {
    for (const chunksBefore of [0, 1, 5]) {
      const error = new SourceError('the source broke')
      const outcome = await read(pass(breaking(error, chunksBefore))).then(
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
