import { BackupError } from '../../errors.ts'
import type { Shard } from '../../format/manifest/shard.ts'
import { snapshotName } from '../../format/manifest/snapshot-name.ts'
import type { Source } from '../../sanity/source.ts'
import { findLastBytes, type SameKind } from '../../snapshot/read/newest-first.ts'
import { sweepLeftovers } from '../../snapshot/workshop/leftovers.ts'
import { checkRoom } from '../../snapshot/workshop/room.ts'
import { makeWorkshop, type SnapshotFolder } from '../../snapshot/workshop/workshop.ts'
import { formatBytes, plural } from '../../text.ts'
import type { Tools } from '../../tools.ts'

/** The workshop of a snapshot, with the name that the snapshot will have and the time in that name. Disposing it removes the workshop. */
export type NamedFolder = Disposable & { readonly name: string; readonly takenAt: Date; readonly folder: SnapshotFolder }

/** What a snapshot's name is made of, and the folder that the snapshot will lie in. */
export type FolderNeeds = {
  readonly path: string
  readonly source: Pick<Source, 'projectId' | 'dataset'>
  readonly label: string | null
  readonly shard: Shard | null
}

/** A name holds the second in which the snapshot is taken: if another run has that one, the next is taken. */
const nameTries = 5

/**
 * Makes the workshop for a snapshot below `path`, after removing what killed runs left there. Throws `input-invalid` if it cannot be made or if
 * every name is taken, `disk-full` if there is no room.
 */
export async function makeFolder({ path, source, label, shard }: FolderNeeds, { now, wait, signal, log }: Tools): Promise<NamedFolder> {
  const swept = await sweepLeftovers(path, now())
  if (swept.length > 0) log.info(`Removed what ${plural(swept.length, 'killed run')} left behind in "${path}"`)
  for (let tryNumber = 1; tryNumber <= nameTries; tryNumber++) {
    const takenAt = now()
    const name = snapshotName({ projectId: source.projectId, dataset: source.dataset, takenAt, label, shard })
    const folder = await makeWorkshop({ path, name })
    if (folder) return { name, takenAt, folder, [Symbol.dispose]: () => folder[Symbol.dispose]() }
    await wait(1000, signal)
  }
  throw new BackupError({
    code: 'input-invalid',
    title: 'The snapshot folder cannot be made',
    message: `path: there are other snapshots of this dataset with the same names in "${path}".`,
    hint: 'Let each run have its own `path`, or remove what is in the way.',
  })
}

/** Throws `disk-full` if the last snapshot of this kind would not fit below `path`; logs how much room there is. */
export async function ensureRoomBelow(path: string, kind: SameKind, { log }: Tools): Promise<void> {
  const lastBytes = await findLastBytes(path, kind)
  const freeBytes = await checkRoom(path, { dataset: kind.source.dataset, lastBytes })
  if (freeBytes === undefined) return
  const previous = lastBytes === undefined ? '' : `; the last snapshot takes ${formatBytes(lastBytes)}`
  log.info(`Room for the snapshot: ${formatBytes(freeBytes)} are free in "${path}"${previous}`)
}
