import type { BackupError } from '../../errors.ts'
import type { Comparable } from '../../format/compare.ts'
import type { StoredManifest } from '../../format/manifest.ts'
import type { Github } from '../../github/rest.ts'
import { findComparable, manifestOrReason } from '../../snapshot/read/newest-first.ts'
import { quoteOutside } from '../../text.ts'
import type { Found } from '../destination.ts'
import { lookInto } from './bytes.ts'
import { artifactsNamed } from './list.ts'
import { notAllSeen } from './list-errors.ts'

type Wanted = {
  /** `owner/name` */
  readonly repository: string
  readonly name: string
  readonly of: Comparable
}

/** How many artifacts are looked into, the newest first, until one holds a snapshot that can be compared with. */
const mostRead = 100
/** After so many whose storage gave no answer the others are not asked for: each takes its time. */
const mostSilent = 3

/**
 * Finds the manifest of the newest snapshot that lies in an artifact of the repository under this name, or under the name that a repeated run gives
 * it, and can be compared with. Throws a `BackupError` if GitHub does not tell.
 */
export async function findPreviousArtifact(wanted: Wanted, github: Github): Promise<Found> {
  const nothing = `no artifact with the name "${quoteOutside(wanted.name, 200)}" holds an earlier snapshot with the same filters`
  return { ...(await findComparable(manifestsOf(wanted, github), wanted.of)), nothing }
}

async function* manifestsOf(wanted: Wanted, github: Github): AsyncGenerator<StoredManifest | BackupError> {
  let read = 0
  let silent = 0
  for await (const artifact of artifactsNamed(wanted, github)) {
    if (read === mostRead) return yield tooMany()
    if (silent === mostSilent) return yield tooSilent()
    read++
    const looked = await lookInto(artifact, wanted.repository, github)
    if (looked.kind === 'manifest') yield manifestOrReason(looked.bytes, `in the artifact ${artifact.id}`)
    if (looked.kind !== 'unreadable') continue
    if (looked.silent) silent++
    yield looked.error
  }
}

function tooMany(): BackupError {
  return notAllSeen(
    `after ${mostRead} artifacts`,
    'They are of other filters. Give each choice of `types`, `exclude-types`, `exclude-ids` and `include-drafts` an `artifact-name` of its own.',
  )
}

function tooSilent(): BackupError {
  return notAllSeen(
    `after ${mostSilent} that the storage did not hand out`,
    'It is looked up again the next time. If it stays so, check that this runner reaches *.blob.core.windows.net.',
  )
}
