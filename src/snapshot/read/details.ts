import { BackupError } from '../../errors.ts'
import type { StoredManifest } from '../../format/manifest/manifest.ts'
import { parseDetails } from '../../format/manifest/parse-manifest.ts'
import { type Details, detailsFile, openManifest, sealedName } from '../../format/manifest/sealed.ts'
import type { ReadablePart } from './document-lines.ts'
import { openedFile, type Reading } from './opened.ts'

/** What a file of details may hold. Ours have some hundred bytes, and some more for each type and each missing asset. */
const mostBytes = 64 * 1024 * 1024

/**
 * The manifest of a checked snapshot with what it leaves out if it is encrypted: the filters, the types and the missing assets, out of the file of
 * details. That of a plain one is given as it is. Throws an `AgeError` as `openedFile` does, and `snapshot-invalid` if that file is not ours.
 */
export async function openedManifest({ manifest, folder }: ReadablePart, reading: Reading): Promise<StoredManifest> {
  if (manifest.encryption == null) return manifest
  const details = await readDetails(folder, reading)
  if (details) return openManifest(manifest, details)
  throw new BackupError({
    code: 'snapshot-invalid',
    title: 'The snapshot cannot be read',
    message: `Its ${sealedName(detailsFile)} is not that of a snapshot.`,
    hint: 'Choose another snapshot. If this one was made by a newer version of sanity-backup, update the action.',
  })
}

/** Reads the file of details of an encrypted snapshot; undefined if what it holds is not what docs/format.md says. Throws as `openedFile` does. */
export async function readDetails(folder: string, reading: Reading): Promise<Details | undefined> {
  const pieces: Buffer[] = []
  let bytes = 0
  // To its end in any case: only then is it known to be whole.
  for await (const piece of openedFile({ folder, path: sealedName(detailsFile) }, reading)) {
    bytes += piece.length
    if (bytes <= mostBytes) pieces.push(piece)
  }
  return bytes <= mostBytes ? parseDetails(Buffer.concat(pieces)) : undefined
}
