import type { Sealer } from '../../codec/age.ts'
import type { Compression } from '../../codec/codec.ts'
import { codecs } from '../../codec/codecs.ts'
import type { FileEntry } from '../../format/manifest/manifest.ts'
import { sealedName } from '../../format/manifest/sealed.ts'
import { givingWay, packLines } from '../../streams/blocks.ts'
import { type Digester, digester, type SumDigest } from '../../streams/digest.ts'
import { freeing, freeingLongLines } from '../../streams/memory.ts'
import { tap } from '../../streams/tap.ts'
import { differs, type Proof, startProof } from './proof.ts'
import { writeWhole } from './whole-file.ts'

type Content = {
  readonly lines: AsyncIterable<readonly Buffer[]>
  readonly compression: Compression
  readonly level: number
  /** Encrypts the file; undefined for one that anybody may read. */
  readonly sealer?: Sealer | undefined
}

/** The snapshot's data file, and the order-free digest of the documents in it. */
export type WrittenData = { readonly file: FileEntry; readonly contentDigest: SumDigest }

/**
 * Writes the documents' lines as the snapshot's data file, compressed and, with a sealer, encrypted, and gives its entry for the manifest.
 *
 * While it is written it is unpacked again and compared with the lines. It gets its name when it is whole, proven and on disk, so that the digest
 * in its entry vouches for its content later. A file of that name from an earlier try is replaced.
 * Throws `disk-full`, `verification-failed`, and whatever the lines throw.
 */
export async function writeData(folder: string, { lines, compression, level, sealer }: Content): Promise<WrittenData> {
  const codec = codecs[compression]
  const seal = await sealer?.newFile()
  const name = `data.ndjson.${codec.extension}`
  const path = seal ? sealedName(name) : name
  const stored = digester()
  await using proof = startProof(compression, seal?.key)

  // The way of the data, step by step. Each takes from the one before.
  const came = tap(freeingLongLines(lines), proof.expectLines)
  const blocks = packLines(givingWay(came), proof.block)
  const packed = codec.compress(blocks, { level, checksum: proof.checksum, release: proof.compare })
  const proven = proof.unpackAlong(freeing(packed))
  // Whatever changes the bytes stands before they are digested.
  const sealed = seal ? proof.openAlong(seal.seal(proven)) : proven
  const digested = tap(sealed, stored.update)
  const { file, content } = await writeWhole(folder, path, { chunks: digested, prove: async () => await resultOf(proof, stored) })

  return {
    file: { path, sizeBytes: file.bytes, digest: file.digest, contentBytes: content.bytes, contentDigest: content.digest },
    contentDigest: content.sum,
  }
}

/** What went to the disk must also be what was unpacked. */
async function resultOf(proof: Proof, stored: Digester) {
  const { stored: proven, content } = await proof.result()
  const file = stored.result()
  if (file.digest !== proven.digest) throw differs('what was stored is not what was unpacked')
  return { file, content }
}
