import { renameSync, rmSync } from 'node:fs'
import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { BackupError, findSystemCode } from '../../errors.ts'
import { exists, isFolder, makeFolders, syncFolder } from './files.ts'
import { emptyAndRemove, showAtWork, writeOwner } from './leftovers.ts'
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

/** Removes what this process has not got round to removing: for its very last moment, so without a pause. */
export function removeOpenWorkshops(): void {
  for (const workshop of openWorkshops.keys()) removeWorkshop(workshop)
}

function removeWorkshop(workshop: string): void {
  openWorkshops.get(workshop)?.[Symbol.dispose]()
  try {
    emptyAndRemove(workshop)
    openWorkshops.delete(workshop)
  } catch {
    // What cannot be removed must not hide why the run failed; the next run tries again.
  }
}

/** `sync` brings the names in a folder to the disk. */
type Wanted = { readonly path: string; readonly name: string; readonly sync?: typeof syncFolder }

/**
 * Makes the folder for a snapshot below `path`; undefined if that name is taken. Only the runner's own user may read it.
 * Throws `input-invalid` if it cannot be made there, `disk-full` if there is no room.
 */
export async function makeWorkshop({ path, name, sync = syncFolder }: Wanted): Promise<SnapshotFolder | undefined> {
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
    openWorkshops.set(workshop, showAtWork(workshop))
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
    await writeOwner(workshop)
    for (const folder of folders) await mkdir(folder, { mode: 0o700 })
  } catch (error) {
    removeWorkshop(workshop)
    throw error
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
