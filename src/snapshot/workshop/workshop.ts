import { renameSync, rmdirSync, rmSync } from 'node:fs'
import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { BackupError, findSystemCode } from '../../errors.ts'
import { quoteOutside } from '../../text.ts'
import { exists, isFolder, makeFolders, syncFolder } from './files.ts'
import { emptyAndRemove, hasOwner, showAtWork, writeOwner } from './leftovers.ts'
import { diskFull, isDiskFull } from './room.ts'

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

/** The workshops of this process that are not removed yet, each with what shows others that it is at work. */
const openWorkshops = new Map<string, Disposable>()
/** Those that are removed. Work that cannot be stopped, such as unpacking an artifact, may make folders in them again. */
const removedWorkshops = new Set<string>()

/**
 * Removes what this process has not got round to removing, and what has come again where it did: for its very last moment, so without a pause.
 */
export function removeOpenWorkshops(): void {
  for (const workshop of openWorkshops.keys()) removeWorkshop(workshop)
  for (const workshop of removedWorkshops) removeAgain(workshop)
}

function removeWorkshop(workshop: string): void {
  openWorkshops.get(workshop)?.[Symbol.dispose]()
  try {
    emptyAndRemove(workshop)
    openWorkshops.delete(workshop)
    removedWorkshops.add(workshop)
  } catch {
    // What cannot be removed must not hide why the run failed; the next run tries again.
  }
}

/** Another run may have taken the name since: its workshop says whose it is before anything else is in it. */
function removeAgain(workshop: string): void {
  try {
    if (hasOwner(workshop)) return
    for (const folder of Object.values(foldersIn(workshop))) rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
    rmdirSync(workshop)
  } catch {
    // As a rule there is nothing.
  }
}

function foldersIn(workshop: string) {
  return {
    snapshot: join(workshop, 'snapshot'),
    pages: join(workshop, 'pages'),
    readBack: join(workshop, 'readback'),
    scratch: join(workshop, 'scratch'),
  }
}

/** `of`: the input or the variable that names the folder. `sync` brings the names in a folder to the disk. */
type Wanted = { readonly path: string; readonly name: string; readonly of?: FolderName; readonly sync?: typeof syncFolder }

/** What can name the folder of a workshop. */
export type FolderName = 'path' | 'fetch-to' | 'RUNNER_TEMP'

/**
 * Makes the folder for a snapshot below `path`; undefined if that name is taken. Only the runner's own user may read it.
 * Throws `input-invalid` if it cannot be made there, `disk-full` if there is no room.
 */
export async function makeWorkshop({ path, name, of = 'path', sync = syncFolder }: Wanted): Promise<SnapshotFolder | undefined> {
  const final = join(path, name)
  const workshop = `${final}.partial`
  const inside = foldersIn(workshop)
  try {
    await makeFolders(path)
    if (await exists(final)) return undefined
    await mkdir(workshop, { mode: 0o700 })
    openWorkshops.set(workshop, showAtWork(workshop))
    await fillWorkshop(workshop, Object.values(inside))
  } catch (error) {
    if (findSystemCode(error) === 'EEXIST' && (await isFolder(path))) return undefined
    // Another run took it for a leftover in the moment in which it was still empty.
    if (findSystemCode(error) === 'ENOENT' && (await isFolder(path)) && !(await exists(workshop))) return undefined
    throw await folderError(error, path, of)
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
    await writeOwner(workshop)
    for (const folder of folders) await mkdir(folder, { mode: 0o700 })
  } catch (error) {
    removeWorkshop(workshop)
    throw error
  }
}

/** What helps where no folder can be made. */
export const folderCures: Record<FolderName, string> = {
  path: 'Let `path` name a folder that this job may write to, or leave it at its default.',
  'fetch-to': 'Let `fetch-to` name a folder that this job may write to, such as one below ${{ runner.temp }}.',
  RUNNER_TEMP: 'The runner gives each job this folder to write to. Look at the runner: at the rights of its user there, and at its disk.',
}

async function folderError(error: unknown, path: string, of: FolderName): Promise<BackupError> {
  if (isDiskFull(error)) return await diskFull(error, path)
  return new BackupError({
    code: 'input-invalid',
    title: 'The snapshot folder cannot be made',
    message: `${of}: no folder can be made in "${quoteOutside(path, 500)}" (${findSystemCode(error) ?? 'unknown reason'}).`,
    hint: folderCures[of],
    cause: error,
  })
}
