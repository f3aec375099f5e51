import { rmSync } from 'node:fs'
import { mkdir, open, rename, rm, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Compression, codecs } from '../codec/codec.ts'
import { BackupError, findSystemCode } from '../errors.ts'
import { packLines } from '../streams/blocks.ts'
import { digester, digesting, digestOf } from '../streams/digest.ts'
import { formatBytes } from '../text.ts'
import { type FileEntry, type Manifest, manifestFile, printManifest } from './manifest.ts'

/** The folder in which a snapshot comes about: `<path>/<name>.partial` until it is published as `<path>/<name>`. */
export type SnapshotFolder = {
  /** Where the folder is now. */
  readonly path: string
  /** Gives the folder its final name, for good. */
  readonly publish: () => Promise<void>
  /**
   * Removes the folder, whatever it is called by now. Without a pause: an upload that cannot be stopped must not get to see half of it and
   * go on.
   */
  readonly discard: () => void
  /** Discards the folder unless it was published. */
  readonly [Symbol.dispose]: () => void
}

/**
 * Makes the folder for a snapshot below `path`; undefined if that name is taken. Only the runner's own user may read it.
 * Throws `input-invalid` if it cannot be made there, `disk-full` if there is no room.
 */
export async function findFreeFolder({ path, name }: { path: string; name: string }): Promise<SnapshotFolder | undefined> {
  const final = join(path, name)
  const partial = `${final}.partial`
  try {
    await makeFolders(path)
    if (await exists(final)) return undefined
    await mkdir(partial, { mode: 0o700 })
  } catch (error) {
    if (findSystemCode(error) === 'EEXIST' && (await isFolder(path))) return undefined
    throw await folderError(error, path)
  }

  let current = partial
  const discard = () => rmSync(current, { recursive: true, force: true })
  return {
    get path() {
      return current
    },
    publish: async () => {
      await rename(partial, final)
      current = final
      await syncFolder(path)
    },
    discard,
    [Symbol.dispose]: () => {
      if (current !== partial) return
      try {
        discard()
      } catch {
        // What cannot be removed must not hide why the run failed.
      }
    },
  }
}

/** What `mkdir -p` does. Node's own never comes back from places such as /proc. */
async function makeFolders(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    if (findSystemCode(error) === 'EEXIST' && (await isFolder(path))) return
    if (findSystemCode(error) !== 'ENOENT' || dirname(path) === path) throw error
    await makeFolders(dirname(path))
    await mkdir(path, { mode: 0o700 })
  }
}

/** Lines are compressed in blocks of this many bytes: larger ones gain nothing, smaller ones cost time. */
const blockBytes = 1024 * 1024

/**
 * Writes the documents' lines as the snapshot's data file, compressed, and gives its entry for the manifest.
 * The file gets its name when it is whole and on disk. A file of that name from an earlier try is replaced.
 * Throws `disk-full`, and whatever the lines throw.
 */
export async function writeData(
  folder: string,
  { lines, compression, level }: { lines: AsyncIterable<readonly Buffer[]>; compression: Compression; level: number },
): Promise<FileEntry> {
  const codec = codecs[compression]
  const content = digester()
  const stored = digester()
  const blocks = digesting(packLines(lines, blockBytes), content)
  const path = `data.ndjson.${codec.extension}`
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

/** Writes a file under `<name>.partial`, brings it to disk, and only then gives it its name. Half a file never has a final name. */
async function writeWhole(folder: string, name: string, chunks: AsyncIterable<Buffer>, written: () => number): Promise<void> {
  const final = join(folder, name)
  const partial = `${final}.partial`
  try {
    const file = await open(partial, 'w', 0o600)
    try {
      await file.writeFile(chunks)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(partial, final)
    await syncFolder(folder)
  } catch (error) {
    await rm(partial, { force: true })
    throw isDiskFull(error) ? await diskFull(error, folder, written()) : error
  }
}

/** A new name is safe only when its folder is on disk too. Windows knows no such thing. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function isDiskFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(findSystemCode(error) ?? '')
}

async function diskFull(cause: unknown, folder: string, neededBytes: number): Promise<BackupError> {
  const free = await statfs(folder).then(
    ({ bavail, bsize }) => ` ${formatBytes(bavail * bsize)} are free there now.`,
    () => '',
  )
  return new BackupError({
    code: 'disk-full',
    title: 'The disk is full',
    message: `The snapshot needs more than ${formatBytes(neededBytes)} in "${folder}", and there is no more room.${free}`,
    hint: 'Free disk space before this step, let `path` point to a larger disk, use `compression: zstd`, or a runner with more room.',
    cause,
  })
}

async function folderError(error: unknown, path: string): Promise<BackupError> {
  if (isDiskFull(error)) return await diskFull(error, path, 0)
  return new BackupError({
    code: 'input-invalid',
    title: 'The snapshot folder cannot be made',
    message: `path: no folder can be made in "${path}" (${findSystemCode(error) ?? 'unknown reason'}).`,
    hint: 'Let `path` name a folder that this job may write to, or leave it at its default.',
    cause: error,
  })
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  )
}

async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  )
}
