import type { Codec } from '../../src/codec/codec.ts'
import { checksummer } from '../../src/streams/digest.ts'

type PackOptions = { readonly level: number; readonly release?: (block: Buffer) => void }

/** Compresses blocks, and gives the compressor the checksum of what has gone in. */
export function pack(
  compress: Codec['compress'],
  blocks: AsyncIterable<Buffer>,
  { level, release = () => undefined }: PackOptions,
): AsyncGenerator<Buffer> {
  const { update, result } = checksummer()
  const watched = async function* () {
    for await (const block of blocks) {
      update(block)
      yield block
    }
  }
  return compress(watched(), { level, checksum: result, release })
}
