import { open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { type Compression, codecs } from '../../codec/codec.ts'
import { type FileEntry, type Manifest, manifestFile, printManifest } from '../../format/manifest.ts'
import { blockPool, givingWay, packLines } from '../../streams/blocks.ts'
import { checksummer, digester, digesting, digestingLines, digestOf, type SumDigest } from '../../streams/digest.ts'
import { diskFull, isDiskFull } from '../workshop/room.ts'
import { syncFolder } from '../workshop/workshop.ts'
import { startVerifier } from './proof.ts'

/** Lines are compressed in blocks of this many bytes. */
const blockBytes = 1024 * 1024

/** How many bytes of a file may wait to be written. */
const waitingBytes = 256 * 1024

type Content = { readonly lines: AsyncIterable<readonly Buffer[]>; readonly compression: Compression; readonly level: number }

/** The snapshot's data file, and the order-free digest of the documents in it. */
export type WrittenData = { readonly file: FileEntry; readonly contentDigest: SumDigest }

/**
 * Writes the documents' lines as the snapshot's data file, compressed, and gives its entry for the manifest.
 *
 * While it is written it is unpacked again and compared with the lines. It gets its name when it is whole, verified and on disk; whoever reads it
 * later and finds the digest in its entry knows what is in it. A file of that name from an earlier try is replaced.
 * Throws `disk-full`, `verification-failed`, and whatever the lines throw.
 */
export async function writeData(folder: string, { lines, compression, level }: Content): Promise<WrittenData> {
  const codec = codecs[compression]
  const path = `data.ndjson.${codec.extension}`
  await using verifier = startVerifier(codec.decompressor)
  const blocks = packLines(givingWay(shown(lines, verifier.showLines)), verifier.block)
  const packed = codec.compress(blocks, { level, checksum: verifier.checksum, release: verifier.verify })
  const { packed: file, content } = await writeWhole(folder, path, { chunks: verifier.watchPacked(packed), prove: verifier.result })
  return {
    file: { path, sizeBytes: file.bytes, digest: file.digest, contentBytes: content.bytes, contentDigest: content.digest },
    contentDigest: content.sum,
  }
}

/** Lets lines through and shows them on the way. */
async function* shown(
  batches: AsyncIterable<readonly Buffer[]>,
  show: (lines: readonly Buffer[]) => void,
): AsyncGenerator<readonly Buffer[]> {
  for await (const lines of batches) {
    show(lines)
    yield lines
  }
}

/** Writes lines as `<name>.gz` or `<name>.zst`, like {@link writeData}, but leaves it to the reader to see whether they come out again. */
export async function writeLines(folder: string, name: string, { lines, compression, level }: Content): Promise<FileEntry> {
  const codec = codecs[compression]
  const path = `${name}.${codec.extension}`
  const content = digester()
  const checksum = checksummer()
  const stored = digester()
  const { take, giveBack } = blockPool(blockBytes)
  // Of the lines as they came, so that what is read back is compared with those and not with what was made of them.
  const blocks = packLines(digestingLines(digestingLines(lines, content), checksum), take)
  const chunks = digesting(codec.compress(blocks, { level, checksum: checksum.result, release: giveBack }), stored)
  await writeWhole(folder, path, { chunks, prove: unproven })
  const { bytes: sizeBytes, digest } = stored.result()
  const { bytes: contentBytes, digest: contentDigest } = content.result()
  return { path, sizeBytes, digest, contentBytes, contentDigest }
}

/** Writes the manifest: the last file of a snapshot, and the one that makes it one. Gives its entry. Throws `disk-full`. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<FileEntry> {
  const bytes = printManifest(manifest)
  await writeWhole(folder, manifestFile, { chunks: oneChunk(bytes), prove: unproven })
  return { path: manifestFile, sizeBytes: bytes.length, digest: digestOf(bytes) }
}

async function* oneChunk(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

/**
 * Writes one of the snapshot's many files, like {@link writeWhole}, but leaves it to the caller to bring its name to disk with those of the others.
 * It gets its name when `prove` has looked at it as it lies there and has thrown nothing.
 */
export async function writeOneOfMany(
  folder: string,
  name: string,
  { chunks, prove }: { chunks: AsyncIterable<Buffer>; prove: (file: string) => Promise<void> },
): Promise<void> {
  await writeNamed(folder, name, { chunks, prove })
}

/** Writes a file under `<name>.partial`, brings it to disk, and only then gives it its name. Half a file never has a final name. */
async function writeWhole<Proof>(folder: string, name: string, content: ToWrite<Proof>): Promise<Proof> {
  const proof = await writeNamed(folder, name, content)
  await syncFolder(folder)
  return proof
}

const unproven = async () => undefined

type ToWrite<Proof> = {
  readonly chunks: AsyncIterable<Buffer>
  /** Throws if the file, as it lies there, must not get its name. What it gives is given on. */
  readonly prove: (file: string) => Promise<Proof>
}

async function writeNamed<Proof>(folder: string, name: string, { chunks, prove }: ToWrite<Proof>): Promise<Proof> {
  const final = join(folder, name)
  const partial = `${final}.partial`
  let bytes = 0
  try {
    const file = await open(partial, 'w', 0o600)
    const stream = file.createWriteStream({ flush: true, highWaterMark: waitingBytes })
    try {
      // What comes while a write is under way goes out together in the next. The stream ends when all is on disk.
      await pipeline(chunks, stream)
    } finally {
      bytes = stream.bytesWritten + stream.writableLength
      await file.close()
    }
    const proof = await prove(partial)
    await rename(partial, final)
    return proof
  } catch (error) {
    await rm(partial, { force: true })
    if (!isDiskFull(error)) throw error
    const keptBytes = await bytesIn(folder)
    throw await diskFull(error, folder, { neededBytes: keptBytes + bytes, keptBytes })
  }
}

async function bytesIn(folder: string): Promise<number> {
  const sizes = (await readdir(folder, { recursive: true })).map(async (name) => {
    // Others may be writing and removing meanwhile.
    const stats = await stat(join(folder, name)).catch(() => undefined)
    return stats?.isFile() ? stats.size : 0
  })
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}
