import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { BackupError, findSystemCode } from '../errors.ts'
import { diskFull, isDiskFull } from './disk.ts'

/**
 * Where a snapshot comes about: everything that a run writes lies in the workshop `<path>/<name>.partial`, which is gone when the run is, until
 * the snapshot itself moves to `<path>/<name>`.
 */
export type SnapshotFolder = {
  /** Where the snapshot is now. */
  readonly path: string
  /** For pages that wait to be put together. */
  readonly pages: string
  /** For what is read back from a destination. */
  readonly readBack: string
  /** For what a destination works with. */
  readonly scratch: string
  /** Gives the snapshot its final name, for good. */
  readonly publish: () => Promise<void>
  /** Takes the final name away again: the snapshot is back in the workshop. */
  readonly withdraw: () => void
  /**
   * Removes the snapshot, wherever it is by now. Without a pause: an upload that cannot be stopped must not get to see half of it and go on.
   */
  readonly discard: () => void
  /** Removes the workshop, and the snapshot unless it was published. */
  readonly [Symbol.dispose]: () => void
}

const ownerFile = 'owner.json'
/** Its name until it is written: killed in between, a run must not seem to be one that nobody can tell of. */
const newOwnerFile = `${ownerFile}.new`

/** The workshops of this process that are not removed yet. */
const openWorkshops = new Set<string>()

/** Removes what this process has not got round to removing: for its very last moment, so without a pause. */
export function removeOpenWorkshops(): void {
  for (const workshop of openWorkshops) removeWorkshop(workshop)
}

function removeWorkshop(workshop: string): void {
  try {
    emptyAndRemove(workshop)
    openWorkshops.delete(workshop)
  } catch {
    // What cannot be removed must not hide why the run failed; the next run tries again.
  }
}

/** Who is killed in the middle of this leaves a workshop that still says whose it was, or an empty one. */
function emptyAndRemove(workshop: string): void {
  const options = { recursive: true, force: true, maxRetries: 3 } as const
  const names = existsSync(workshop) ? readdirSync(workshop) : []
  for (const name of names.filter((each) => each !== ownerFile)) rmSync(join(workshop, name), options)
  rmSync(workshop, options)
}

/** `sync` brings the names in a folder to the disk. */
type Wanted = { readonly path: string; readonly name: string; readonly sync?: typeof syncFolder }

/**
 * Makes the folder for a snapshot below `path`; undefined if that name is taken. Only the runner's own user may read it.
 * Throws `input-invalid` if it cannot be made there, `disk-full` if there is no room.
 */
export async function findFreeFolder({ path, name, sync = syncFolder }: Wanted): Promise<SnapshotFolder | undefined> {
  const final = join(path, name)
  const workshop = `${final}.partial`
  const inside = {
    snapshot: join(workshop, 'snapshot'),
    pages: join(workshop, 'pages'),
    readBack: join(workshop, 'readback'),
    scratch: join(workshop, 'scratch'),
  }
  try {
    await makeFolders(path)
    if (await exists(final)) return undefined
    await mkdir(workshop, { mode: 0o700 })
    openWorkshops.add(workshop)
    await fillWorkshop(workshop, Object.values(inside))
  } catch (error) {
    if (findSystemCode(error) === 'EEXIST' && (await isFolder(path))) return undefined
    // Another run took it for a leftover in the moment in which it was still empty.
    if (findSystemCode(error) === 'ENOENT' && (await isFolder(path)) && !(await exists(workshop))) return undefined
    throw await folderError(error, path)
  }

  let current = inside.snapshot
  const discard = () => rmSync(current, { recursive: true, force: true })
  return {
    get path() {
      return current
    },
    pages: inside.pages,
    readBack: inside.readBack,
    scratch: inside.scratch,
    publish: async () => {
      await rename(inside.snapshot, final)
      current = final
      await sync(path)
    },
    withdraw: () => {
      if (current !== final) return
      try {
        renameSync(final, inside.snapshot)
        current = inside.snapshot
      } catch {
        discard()
      }
    },
    discard,
    [Symbol.dispose]: () => removeWorkshop(workshop),
  }
}

async function fillWorkshop(workshop: string, folders: readonly string[]): Promise<void> {
  try {
    await writeFile(join(workshop, newOwnerFile), JSON.stringify({ host: hostname(), pid: process.pid }), { mode: 0o600 })
    await rename(join(workshop, newOwnerFile), join(workshop, ownerFile))
    for (const folder of folders) await mkdir(folder, { mode: 0o700 })
  } catch (error) {
    removeWorkshop(workshop)
    throw error
  }
}

/** No run lasts longer than this, in milliseconds: src/main.ts ends it before. */
const longestRunMs = 6 * 60 * 60 * 1000

/**
 * Removes the workshops that killed runs left below `path`, and gives their names. One whose run may still go on is left alone, as is every
 * folder that is not a workshop of ours.
 */
export async function sweepLeftovers(path: string, now: Date): Promise<string[]> {
  const names = await readdir(path).catch(() => [])
  const swept: string[] = []
  for (const name of names.filter((each) => workshopRule.test(each))) {
    if (await isLeftover(join(path, name), now)) swept.push(name)
  }
  return swept
}

const workshopRule = /-\d{8}T\d{6}Z(-[A-Za-z0-9._-]+)?\.partial$/

async function isLeftover(workshop: string, now: Date): Promise<boolean> {
  try {
    const owner = await findOwner(workshop)
    // Killed before it could say whose it is: then nothing else is in it. A run that comes to say it in this moment takes another name.
    if (owner === undefined) {
      await rm(join(workshop, newOwnerFile), { force: true })
      await rmdir(workshop)
    } else if (await isAlive(owner, workshop, now)) return false
    else emptyAndRemove(workshop)
    return true
  } catch {
    return false
  }
}

type Owner = { readonly host: string; readonly pid: number }

/** Undefined if there is none; one without a host if what is there cannot be read. */
async function findOwner(workshop: string): Promise<Owner | undefined> {
  const text = await readFile(join(workshop, ownerFile), 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    const { host, pid } = JSON.parse(text) as Partial<Owner>
    return { host: String(host), pid: Number(pid) }
  } catch {
    return { host: '', pid: Number.NaN }
  }
}

async function isAlive({ host, pid }: Owner, workshop: string, now: Date): Promise<boolean> {
  const { mtimeMs } = await stat(join(workshop, ownerFile))
  const ageMs = now.getTime() - mtimeMs
  if (ageMs > longestRunMs) return false
  // Of a process on another machine nothing can be known, and this one has only just begun.
  if (host !== hostname()) return host !== ''
  return pid !== process.pid && isRunning(pid)
}

function isRunning(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // It belongs to somebody else, but it is there.
    return findSystemCode(error) === 'EPERM'
  }
}

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

async function folderError(error: unknown, path: string): Promise<BackupError> {
  if (isDiskFull(error)) return await diskFull(error, path)
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
