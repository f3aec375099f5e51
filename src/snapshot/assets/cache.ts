import { constants, createReadStream, type Dirent } from 'node:fs'
import { copyFile, link, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { BackupError, findSystemCode } from '../../errors.ts'
import { assetFolders } from '../../format/asset-id.ts'
import { makeFolders } from '../workshop/files.ts'

/** The files of assets that earlier runs left: a help, never trusted. Several runs may use one folder at the same time. */
export type AssetCache = {
  /** The bytes of a file that the cache has; undefined if it has none. */
  readonly findBytes: (path: string) => Promise<AsyncIterable<Buffer> | undefined>
  /** Notes that a file is of use, so that it is among the last to go. */
  readonly touch: (path: string) => Promise<void>
  /** Takes in a file that was proven, in the place of one of that name. A cache that cannot take it goes without. */
  readonly add: (path: string, file: string) => Promise<void>
  /** Removes the files that were of use least recently, until the rest fits. Gives how many are gone. */
  readonly shrink: (usedBytes: number) => Promise<number>
}

/** How much a cache may hold: it fits into the 10 GB of caches that GitHub keeps for a repository (docs.github.com/actions, caching, limits). */
export const cacheLimitBytes = 8e9
/** What a killed run left half-written in the cache is removed after this time, in milliseconds: by then the run is over for sure. */
const leftoverMs = 24 * 60 * 60 * 1000

/**
 * Opens a cache: a folder with `images/` and `files/`, as in a snapshot. With `mayLink` a file that it takes in is not copied but has two names: for
 * snapshots that do not stay, since whoever changes the one file changes the other. Throws `input-invalid` if there can be no such folder.
 */
export async function openAssetCache(folder: string, { mayLink }: { readonly mayLink: boolean }): Promise<AssetCache> {
  const fileOf = (path: string) => join(folder, path.replace(/^assets\//, ''))
  const folders = Object.values(assetFolders).map(fileOf)
  try {
    for (const each of folders) await makeFolders(each)
  } catch (error) {
    throw unusable(folder, error)
  }
  return {
    findBytes: async (path) => await findContent(fileOf(path)),
    touch: async (path) => {
      const now = new Date()
      await utimes(fileOf(path), now, now).catch(() => undefined)
    },
    add: async (path, file) => {
      const target = fileOf(path)
      const partial = `${target}.${crypto.randomUUID()}.partial`
      try {
        await (mayLink ? linkOrCopy(file, partial) : copy(file, partial))
        await rename(partial, target)
      } catch {
        // Without it the next run has more to fetch, and that is all.
      } finally {
        // Where the name was a link to the same file already, renaming leaves both.
        await rm(partial, { force: true }).catch(() => undefined)
      }
    },
    shrink: async (usedBytes) => {
      const files = (await Promise.all(folders.map(filesIn))).flat()
      return await removeOldest(files, Math.max(cacheLimitBytes, usedBytes))
    },
  }
}

async function findContent(file: string): Promise<AsyncIterable<Buffer> | undefined> {
  try {
    // Opened at once: another run may remove it, and it can be read all the same.
    // Who opens a pipe would wait for somebody to write into it.
    const handle = await open(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
    if ((await handle.stat()).isFile()) return createReadStream(file, { fd: handle, highWaterMark: 256 * 1024 })
    await handle.close()
    return undefined
  } catch {
    return undefined
  }
}

/** A link costs neither time nor room. */
async function linkOrCopy(file: string, to: string): Promise<void> {
  await link(file, to).catch(async () => await copy(file, to))
}

async function copy(file: string, to: string): Promise<void> {
  await copyFile(file, to, constants.COPYFILE_FICLONE)
}

type CachedFile = { readonly file: string; readonly sizeBytes: number; readonly usedMs: number }

/** The files that a cache put there; those of others are left alone. */
async function filesIn(folder: string): Promise<CachedFile[]> {
  const entries: Dirent[] = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const found: CachedFile[] = []
  for (const entry of entries.filter((each) => each.isFile() && cachedName.test(each.name))) {
    const file = join(folder, entry.name)
    const stats = await stat(file).catch(() => undefined)
    if (!stats) continue
    if (!entry.name.endsWith('.partial')) found.push({ file, sizeBytes: stats.size, usedMs: stats.mtimeMs })
    else if (Date.now() - stats.mtimeMs > leftoverMs) await rm(file, { force: true }).catch(() => undefined)
  }
  return found
}

const cachedName = /^[A-Za-z0-9]{24,40}[.-]/

async function removeOldest(files: readonly CachedFile[], limitBytes: number): Promise<number> {
  let left = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  let removed = 0
  for (const { file, sizeBytes } of files.toSorted((a, b) => a.usedMs - b.usedMs)) {
    if (left <= limitBytes) break
    await rm(file, { force: true }).catch(() => undefined)
    left -= sizeBytes
    removed++
  }
  return removed
}

function unusable(folder: string, error: unknown): BackupError {
  return new BackupError({
    code: 'input-invalid',
    title: 'The asset cache cannot be used',
    message: `asset-cache: no folder can be made in "${dirname(folder)}" (${findSystemCode(error) ?? 'unknown reason'}).`,
    hint: 'Let `asset-cache` name a folder that this job may write to, or leave it empty.',
    cause: error,
  })
}
