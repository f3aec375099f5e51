import { open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { type FileEntry, type Manifest, manifestFile, printManifest } from '../../format/manifest/manifest.ts'
import { digestOf } from '../../streams/digest.ts'
import { syncFolder } from '../workshop/files.ts'
import { diskFull, isDiskFull } from '../workshop/room.ts'

/** How many bytes of a file may wait to be written. */
const waitingBytes = 256 * 1024

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
 */
export async function writeOneOfMany(
  folder: string,
  name: string,
  { chunks, prove }: { chunks: AsyncIterable<Buffer>; prove: (file: string) => Promise<undefined> | Promise<void> },
): Promise<void> {
  await writeNamed(folder, name, { chunks, prove })
}

/**
 * Writes a file under `<name>.partial`, brings it to disk, and gives it its name only when `prove` has thrown nothing: half a file never has a final
 * name. Gives what `prove` gives. Throws `disk-full`, and whatever the chunks and `prove` throw; then nothing of the file is left.
 */
export async function writeWhole<Proof>(folder: string, name: string, content: ToWrite<Proof>): Promise<Proof> {
  const proof = await writeNamed(folder, name, content)
  await syncFolder(folder)
  return proof
}

/** For {@link writeWhole}: nothing is to be proven. */
export const unproven = async () => undefined

type ToWrite<Proof> = {
  readonly chunks: AsyncIterable<Buffer>
  /** Looks at the file as it lies there, and throws if it must not get its name. */
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
