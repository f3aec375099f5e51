import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { BackupError, findSystemCode, messageOf } from '../../errors.ts'
import { type Comparable, isComparable } from '../../format/compare.ts'
import type { StoredManifest } from '../../format/manifest/manifest.ts'
import { parseManifest } from '../../format/manifest/parse-manifest.ts'
import { quoteOutside } from '../../text.ts'
import { readManifestBytes } from './manifest-file.ts'

/** The manifest, or the reason why it cannot be read. `where` is a part of a sentence: it says which snapshot was looked at. */
export function manifestOrReason(bytes: Buffer, where: string): StoredManifest | BackupError {
  try {
    return parseManifest(bytes)
  } catch (error) {
    return unreadable(where, messageOf(error), error)
  }
}

/**
 * Reads the manifests of a dataset's snapshots whose folders lie in `path`, the newest first. A folder without one is no finished snapshot, and is
 * passed over; in place of one that cannot be read stands the reason.
 */
async function* snapshotsBelow(
  path: string,
  { projectId, dataset }: { readonly projectId: string; readonly dataset: string },
): AsyncGenerator<StoredManifest | BackupError> {
  const start = `${projectId}-${dataset}-`
  // What another run is still writing ends in `.partial`.
  const names = (await readdir(path)).filter(
    (name) => name.startsWith(start) && /^\d{8}T\d{6}Z(-.*)?(?<!\.partial)$/.test(name.slice(start.length)),
  )
  // The names of one dataset sort by time.
  for (const name of names.sort().reverse()) {
    const where = `in the folder "${quoteOutside(name, 200)}"`
    try {
      yield manifestOrReason(await readManifestBytes(join(path, name)), where)
    } catch (error) {
      if (!['ENOENT', 'ENOTDIR'].includes(findSystemCode(error) ?? '')) yield unreadable(where, messageOf(error), error)
    }
  }
}

function unreadable(where: string, why: string, cause: unknown): BackupError {
  return new BackupError({
    code: 'snapshot-invalid',
    title: 'An earlier snapshot cannot be read',
    message: `The earlier snapshot ${where} cannot be read. ${why.replace(/\.?$/, '.')}`,
    hint: 'Look at it: if it was made by a newer version of sanity-backup, update the action; if it was damaged, find out how. The snapshot that is stored now is compared with the next time.',
    cause,
  })
}

/** The snapshots that tell how large one will be: those of the same part of the dataset, with files of assets or without. */
export type SameKind = Comparable & { readonly includeAssets: boolean }

/** The size of all files of the newest snapshot of a kind whose folder lies in `path`, in bytes; undefined if there is none. */
export async function findLastBytes(path: string, kind: SameKind): Promise<number | undefined> {
  for await (const each of snapshotsBelow(path, kind.source)) {
    if (each instanceof BackupError || !isComparable(each, kind) || each.assets?.included !== kind.includeAssets) continue
    return each.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  }
  return undefined
}
