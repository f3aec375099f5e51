import { open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { type Compression, codecs } from '../codec/codec.ts'
import { packLines } from '../streams/blocks.ts'
import { digester, digesting, digestingLines, digestOf } from '../streams/digest.ts'
import { diskFull, isDiskFull } from './disk.ts'
import { syncFolder } from './folder.ts'
import { type FileEntry, type Manifest, manifestFile, printManifest } from './manifest.ts'

/** Lines are compressed in blocks of this many bytes: larger ones gain nothing, smaller ones cost time. */
const blockBytes = 1024 * 1024

/** How many bytes of a file may wait to be written. */
const waitingBytes = 256 * 1024

type Content = { readonly lines: AsyncIterable<readonly Buffer[]>; readonly compression: Compression; readonly level: number }

/**
 * Writes the documents' lines as the snapshot's data file, compressed, and gives its entry for the manifest.
 * The file gets its name when it is whole and on disk. A file of that name from an earlier try is replaced.
 * Throws `disk-full`, and whatever the lines throw.
 */
export async function writeData(folder: string, content: Content): Promise<FileEntry> {
  return await writeLines(folder, 'data.ndjson', content)
}

/** Writes lines as `<name>.gz` or `<name>.zst`, like {@link writeData}. */
export async function writeLines(folder: string, name: string, { lines, compression, level }: Content): Promise<FileEntry> {
  const codec = codecs[compression]
  const content = digester()
  const stored = digester()
  // Of the lines as they came, so that what is read back is compared with those and not with what was made of them.
  const blocks = packLines(digestingLines(lines, content), blockBytes)
  const path = `${name}.${codec.extension}`
  await writeWhole(folder, path, digesting(codec.compress(blocks, level), stored), () => stored.result().bytes)
  const { bytes: sizeBytes, digest } = stored.result()
  const { bytes: contentBytes, digest: contentDigest } = content.result()
  return { path, sizeBytes, digest, contentBytes, contentDigest }
}

/** Writes the manifest: the last file of a snapshot, and the one that makes it one. Gives its entry. Throws `disk-full`. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<FileEntry> {
  const bytes = printManifest(manifest)
  await writeWhole(folder, manifestFile, oneChunk(bytes), () => bytes.length)
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
  await writeNamed(folder, name, { chunks, prove, written: () => 0 })
}

/** Writes a file under `<name>.partial`, brings it to disk, and only then gives it its name. Half a file never has a final name. */
async function writeWhole(folder: string, name: string, chunks: AsyncIterable<Buffer>, written: () => number): Promise<void> {
  await writeNamed(folder, name, { chunks, written, prove: async () => undefined })
  await syncFolder(folder)
}

type ToWrite = {
  readonly chunks: AsyncIterable<Buffer>
  readonly prove: (file: string) => Promise<void>
  readonly written: () => number
}

async function writeNamed(folder: string, name: string, { chunks, prove, written }: ToWrite): Promise<void> {
  const final = join(folder, name)
  const partial = `${final}.partial`
  try {
    const file = await open(partial, 'w', 0o600)
    try {
      // What comes while a write is under way goes out together in the next. The stream ends when all is on disk.
      await pipeline(chunks, file.createWriteStream({ flush: true, highWaterMark: waitingBytes }))
    } finally {
      await file.close()
    }
    await prove(partial)
    await rename(partial, final)
  } catch (error) {
    await rm(partial, { force: true })
    if (!isDiskFull(error)) throw error
    const keptBytes = await bytesIn(folder)
    throw await diskFull(error, folder, { neededBytes: keptBytes + written(), keptBytes })
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
