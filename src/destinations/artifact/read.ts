import { BackupError } from '../../errors.ts'
import type { Github } from '../../github/rest.ts'
import { manifestOrReason } from '../../snapshot/read/newest-first.ts'
import { formatCount, quoteOutside } from '../../text.ts'
import type { Found, SnapshotReader } from '../destination.ts'
import { lookInto } from './bytes.ts'
import { type Artifact, artifactsNamed, mostListed } from './list.ts'
import { notAllSeen } from './list-errors.ts'

type ArtifactPlace = {
  /** `owner/name` */
  readonly repository: string
  readonly name: string
}

/** How many artifacts are looked into, the newest first, until one holds what is looked for. */
const mostRead = 100
/**
 * GitHub lists artifacts by when they were stored, and a run that took longer stores an older snapshot later. So a snapshot waits until all are read that
 * were stored after it was taken: no other can be newer. At most so many wait.
 */
const mostHeld = 10
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
  const held: Found[] = []
  try {
    yield* inOrder(place, github, held)
  } catch (error) {
    github.signal.throwIfAborted()
    if (held.length === 0 || !(error instanceof BackupError)) throw error
    // Those that wait are good all the same. Whoever wants others has to know that there may be some.
    yield error
    yield* held
    throw error
  }
}

/** In `held` lie, newest first, the snapshots that wait. */
async function* inOrder(place: ArtifactPlace, github: Github, held: Found[]): AsyncGenerator<Found | BackupError> {
  const search = artifactsNamed(place, github)
  const looker = makeLooker(place, github)
  for (;;) {
    const [newest] = held
    const artifact = held.length < mostHeld ? await search.next(newest ? takenMs(newest) : Number.NEGATIVE_INFINITY) : undefined
    if (artifact === undefined) {
      if (newest === undefined) break
      yield newest
      held.shift()
      continue
    }
    const stop = looker.whyStop()
    if (stop) {
      yield* held
      return yield stop
    }
    const found = await looker.look(artifact)
    if (found instanceof BackupError) yield found
    else if (found) insert(found, held)
  }
  if (search.endedEarly()) yield tooLong()
}

/** Looks into artifacts, as long as that makes sense. */
function makeLooker({ repository }: ArtifactPlace, github: Github) {
  let read = 0
  let silent = 0
  return {
    whyStop: (): BackupError | undefined => {
      if (read === mostRead) return tooMany()
      return silent === mostSilent ? tooSilent() : undefined
    },
    /** Undefined if there is nothing any more. */
    look: async (artifact: Artifact): Promise<Found | BackupError | undefined> => {
      read++
      const looked = await lookInto(artifact, repository, github)
      if (looked.kind === 'none') return undefined
      if (looked.kind === 'manifest') {
        const manifest = manifestOrReason(looked.bytes, `in the artifact ${artifact.id}`)
        return manifest instanceof BackupError ? manifest : { manifest, expiresAt: artifact.expiresAt }
      }
      if (looked.silent) silent++
      return looked.error
    },
  }
}

function insert(found: Found, held: Found[]): void {
  held.push(found)
  held.sort((a, b) => takenMs(b) - takenMs(a))
}

function takenMs({ manifest }: Found): number {
  return Date.parse(manifest.takenAt)
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

function tooLong(): BackupError {
  return notAllSeen(
    `after ${formatCount(mostListed)} artifacts that are not it`,
    'If this is the first snapshot of its name, there is nothing to do: the next one is compared with it. If it comes back, delete artifacts that nobody needs, or give them fewer `retention-days`.',
  )
}
