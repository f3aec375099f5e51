import { mkdir, open, realpath, stat } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path'
import { findSystemCode } from '../../errors.ts'

/** What `mkdir -p` does. Node's own never comes back from places such as /proc. */
export async function makeFolders(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    if (findSystemCode(error) === 'EEXIST' && (await isFolder(path))) return
    if (findSystemCode(error) !== 'ENOENT' || dirname(path) === path) throw error
    await makeFolders(dirname(path))
    await mkdir(path, { mode: 0o700 })
  }
}

/** What file systems answer that cannot flush a folder: it is as safe there as it can be. */
const unflushable = ['EINVAL', 'ENOTSUP', 'EBADF']

/** A new name is safe only when its folder is on disk too. Windows knows no such thing. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } catch (error) {
    if (!unflushable.includes(findSystemCode(error) ?? '')) throw error
  } finally {
    await handle.close()
  }
}

/** Whether a folder is, or would be made, within another one, whatever links lead there. */
export async function liesWithin(path: string, folder: string): Promise<boolean> {
  const way = relative(await realpath(folder), await realPlace(path))
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}

/** The real path of what is there, and below it the names that are not. */
async function realPlace(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch {
    return dirname(path) === path ? path : join(await realPlace(dirname(path)), basename(path))
  }
}

/** Whether anything has this name. */
export async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  )
}

/** Whether there is a folder of this name. */
export async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  )
}
