import type { Seal } from '../../codec/age.ts'
import type { Compression } from '../../codec/codec.ts'
import { codecs } from '../../codec/codecs.ts'
import type { FileEntry } from '../../format/manifest/manifest.ts'
import { blockPool, packLines } from '../../streams/blocks.ts'
import { checksummer, digester } from '../../streams/digest.ts'
import { freeing, freeingLongLines } from '../../streams/memory.ts'
import { tap } from '../../streams/tap.ts'
import { writeSealed } from './sealed-file.ts'
import { unproven, writeWhole } from './whole-file.ts'

/** Lines are compressed in blocks of this many bytes. */
const blockBytes = 1024 * 1024

type Content = {
  readonly lines: AsyncIterable<readonly Buffer[]>
  readonly compression: Compression
  readonly level: number
  /** Encrypts the file; undefined for one that anybody may read. */
  readonly seal?: Seal | undefined
}

/**
 * Writes lines as `<name>.gz` or `<name>.zst`, whole or not at all, and gives the file's entry for the manifest. Nothing is unpacked here: reading
 * the file back compares its content. One that is encrypted (`….age`) is opened and unpacked at once: nobody can do so later. Throws `disk-full`, and whatever the lines throw.
 */
export async function writeLines(folder: string, name: string, { lines, compression, level, seal }: Content): Promise<FileEntry> {
  const codec = codecs[compression]
  const path = `${name}.${codec.extension}`
  const content = digester()
  const checksum = checksummer()
  const stored = digester()
  const { take, giveBack } = blockPool(blockBytes)

  // Of the lines as they came, so that what is read back is compared with those and not with what was made of them.
  const came = tap(freeingLongLines(lines), (batch) => {
    for (const line of batch) {
      for (const { update } of [content, checksum]) {
        update(line)
        update(lineFeed)
      }
    }
  })
  const blocks = packLines(came, take)
  const packed = codec.compress(blocks, { level, checksum: checksum.result, release: giveBack })
  if (seal) return await writeSealed(folder, path, { chunks: freeing(packed), seal, content, unpack: codec.decompress })
  await writeWhole(folder, path, { chunks: tap(freeing(packed), stored.update), prove: unproven })

  const { bytes: sizeBytes, digest } = stored.result()
  const { bytes: contentBytes, digest: contentDigest } = content.result()
  return { path, sizeBytes, digest, contentBytes, contentDigest }
}

const lineFeed = Buffer.from('\n')
