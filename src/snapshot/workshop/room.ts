import { statfs } from 'node:fs/promises'
import { BackupError, findSystemCode } from '../../errors.ts'
import { formatBytes } from '../../text.ts'

/** Whether an error says that there is no room left: the disk's own or a quota's. */
export function isDiskFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(findSystemCode(error) ?? '')
}

/** The free bytes for this user on the disk that `path` lies on; undefined where the system does not tell. */
async function findFreeBytes(path: string): Promise<number | undefined> {
  return await statfs(path).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => undefined,
  )
}

/** Whether the disk has room, but no number left for another file (an inode). Some file systems count none. */
async function lacksInodes(path: string): Promise<boolean> {
  return await statfs(path).then(
    ({ files, ffree, bavail }) => files > 0 && ffree === 0 && bavail > 0,
    () => false,
  )
}

/** What was written to a disk until it was full: `neededBytes` in all, of which `keptBytes` are still there. */
type Written = { readonly neededBytes: number; readonly keptBytes: number }
const nothing: Written = { neededBytes: 0, keptBytes: 0 }

/** The error for a disk that has no room for what is being written in `place`. */
export async function diskFull(cause: unknown, place: string, { neededBytes, keptBytes }: Written = nothing): Promise<BackupError> {
  if (findSystemCode(cause) === 'EDQUOT') return noQuota(cause, place)
  if (await lacksInodes(place)) return noInodes(cause, place)
  const freeBytes = await findFreeBytes(place)
  const free = freeBytes === undefined ? '' : ` ${formatBytes(freeBytes + keptBytes)} are free for it.`
  const need = neededBytes > 0 ? `The snapshot needs more than ${formatBytes(neededBytes)}` : 'The snapshot was to be written'
  return new BackupError({
    code: 'disk-full',
    title: 'The disk is full',
    message: `${need} in "${place}", and there is no more room.${free}`,
    hint: roomHint,
    cause,
  })
}

function noQuota(cause: unknown, place: string): BackupError {
  return new BackupError({
    code: 'disk-full',
    title: 'The quota on the disk is used up',
    message: `The user that this job runs as may store no more in "${place}" (EDQUOT), however much of the disk is free.`,
    hint: 'Free what this user stores there, raise its quota, or let `path` point to another disk.',
    cause,
  })
}

function noInodes(cause: unknown, place: string): BackupError {
  return new BackupError({
    code: 'disk-full',
    title: 'The disk takes no more files',
    message: `The disk of "${place}" has free bytes, but no number (inode) left for another file.`,
    hint: 'Remove small files from it, often old caches or packages (`df -i` shows the numbers), or let `path` point to another disk.',
    cause,
  })
}

/** Throws `disk-full` when fewer than `neededBytes` are free in `place`; `why` says what they are needed for, as a sentence's beginning. */
export async function ensureRoom(place: string, { neededBytes, why }: { neededBytes: number; why: string }): Promise<void> {
  const freeBytes = await findFreeBytes(place)
  if (freeBytes === undefined || freeBytes >= neededBytes) return
  throw new BackupError({
    code: 'disk-full',
    title: 'The disk is full',
    message: `${why}, ${formatBytes(neededBytes)} are needed in "${place}", and only ${formatBytes(freeBytes)} are free there.`,
    hint: roomHint,
  })
}

const roomHint = 'Free disk space before this step, let `path` point to a larger disk, use `compression: zstd`, or a runner with more room.'

/** How large the last snapshot of a dataset was; undefined if there is none. */
export type LastSize = { readonly dataset: string; readonly lastBytes: number | undefined }

/**
 * Looks whether a snapshot is likely to fit below `path`, and gives the free bytes, undefined where the system does not tell. Throws `disk-full`
 * when there is less room than the last one takes: the next one could not be finished.
 */
export async function checkRoom(path: string, { dataset, lastBytes }: LastSize): Promise<number | undefined> {
  const freeBytes = await findFreeBytes(path)
  if (lastBytes === undefined || freeBytes === undefined || freeBytes >= lastBytes) return freeBytes
  throw new BackupError({
    code: 'disk-full',
    title: 'There is too little room on the disk',
    message: `The last snapshot of dataset "${dataset}" takes ${formatBytes(lastBytes)}, and only ${formatBytes(freeBytes)} are free in "${path}". Nothing was fetched.`,
    hint: roomHint,
  })
}

/** How much more must be wanted before the disk is looked at again, in bytes. */
const lookAgainBytes = 64_000_000

/**
 * Keeps account of what is going to be written below `path`, in so many copies. `reserve` throws `disk-full` as soon as it is known that the disk
 * has no room for it all.
 */
export function roomFor(path: string, { copies }: { copies: number }): { readonly reserve: (bytes: number) => Promise<void> } {
  let reservedBytes = 0
  let lookedBytes = Number.NEGATIVE_INFINITY
  let firstFreeBytes: number | undefined
  return {
    reserve: async (bytes) => {
      reservedBytes += bytes
      if (reservedBytes - lookedBytes < lookAgainBytes) return
      lookedBytes = reservedBytes
      // What has been written meanwhile is part of what was reserved: the room at the beginning counts.
      firstFreeBytes ??= await findFreeBytes(path)
      if (firstFreeBytes !== undefined && firstFreeBytes < reservedBytes * copies)
        throw noRoom(path, reservedBytes * copies, firstFreeBytes)
    },
  }
}

function noRoom(path: string, neededBytes: number, freeBytes: number): BackupError {
  return new BackupError({
    code: 'disk-full',
    title: 'There is too little room on the disk',
    message: `The assets need more than ${formatBytes(neededBytes)} in "${path}", and only ${formatBytes(freeBytes)} were free.`,
    hint: `${roomHint} An artifact needs twice the room of its assets, because it is read back. A matrix with \`shard\` divides the assets among several runners.`,
  })
}
