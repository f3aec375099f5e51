import { BackupError } from '../../errors.ts'
import type { Github } from '../../github/rest.ts'
import { manifestOrReason } from '../../snapshot/read/newest-first.ts'
import { quoteOutside } from '../../text.ts'
import type { Found, SnapshotReader } from '../destination.ts'
import { lookInto } from './bytes.ts'
import { artifactsNamed } from './list.ts'
import { notAllSeen } from './list-errors.ts'

type ArtifactPlace = {
  /** `owner/name` */
  readonly repository: string
  readonly name: string
}

/** How many artifacts are looked into, the newest first, until one holds what is looked for. */
const mostRead = 100
/** After so many whose storage gave no answer the others are not asked for: each takes its time. */
const mostSilent = 3

/**
 * Reads the snapshots in the artifacts of a repository that have this name, or the name that a repeated run gives them. Fetches of each artifact only
 * the manifest. Throws a `BackupError` if GitHub does not list them, or hands none of them out.
 */
export function artifactReader(place: ArtifactPlace, github: Github): SnapshotReader {
  return {
    newestFirst: () => snapshotsIn(place, github),
    whyNone: async () => `no artifact with the name "${quoteOutside(place.name, 200)}" holds an earlier snapshot with the same filters`,
  }
}

async function* snapshotsIn(place: ArtifactPlace, github: Github): AsyncGenerator<Found | BackupError> {
  let read = 0
  let silent = 0
  for await (const artifact of artifactsNamed(place, github)) {
    if (read === mostRead) return yield tooMany()
    if (silent === mostSilent) return yield tooSilent()
    read++
    const looked = await lookInto(artifact, place.repository, github)
    if (looked.kind === 'manifest') {
      const manifest = manifestOrReason(looked.bytes, `in the artifact ${artifact.id}`)
      yield manifest instanceof BackupError ? manifest : { manifest, expiresAt: artifact.expiresAt }
    }
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
