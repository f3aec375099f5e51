import { BackupError } from '../../../errors.ts'
import type { Github } from '../../../github/rest.ts'
import { manifestOrReason } from '../../../snapshot/read/newest-first.ts'
import { formatCount, quoteOutside } from '../../../text.ts'
import type { Found, SnapshotReader } from '../../destination.ts'
import { lookInto } from './bytes.ts'
import { fetchZip } from './fetch.ts'
import { type Artifact, type ArtifactSearch, artifactsNamed, mostListed, type PassedBy, type WantedArtifacts } from './list.ts'
import { notAllSeen } from './list-errors.ts'

/** Which artifacts are looked into. */
type ArtifactPlace = Omit<WantedArtifacts, 'passBy'> & {
  /** Where GitHub shows the repository: the address of its pages begins so. */
  readonly pages?: string
  /** How many artifacts are looked into, the newest first, until one holds what is looked for. */
  readonly most?: number
  /** What is looked for, for the words where it is not there. */
  readonly what?: string
  /** Those that were stored more than a day later are not looked into: what they hold was taken later. */
  readonly before?: Date | undefined
}

const mostRead = 100
/**
 * GitHub lists artifacts by when they were stored, and a run that took longer stores an older snapshot later. So a snapshot waits until all are read that
 * were stored after it was taken: no other can be newer. At most so many wait.
 */
const mostHeld = 10
/** After so many whose storage gave no answer the others are not asked for: each takes its time. */
const mostSilent = 3
/** No backup takes longer from the time that its snapshot has to the end of its upload, in milliseconds. */
const dayMs = 24 * 60 * 60 * 1000

/** `passedSince`: which artifacts of the name were stored after a time and do not count, as parts of a sentence. Asked when others have been read. */
type ArtifactReader = SnapshotReader & { readonly passedSince: (time: Date) => readonly string[] }

/**
 * Reads the snapshots in the artifacts of a repository that have this name, or the name that a repeated run gives them. Fetches of each artifact only
 * the manifest. Throws a `BackupError` if GitHub does not list them, or hands none of them out.
 */
export function artifactReader(place: ArtifactPlace, github: Github): ArtifactReader {
  const passed = new Map<number, PassedBy>()
  const passBy = (each: PassedBy): void => void passed.set(each.artifact.id, each)
  return {
    newestFirst: () => snapshotsIn({ ...place, passBy }, github),
    whyNone: async () => {
      const { name, what = 'an earlier snapshot with the same filters' } = place
      const none = `no artifact with the name "${quoteOutside(name, 200)}" holds ${what}`
      return [none, ...passedInWords([...passed.values()])].join('; ')
    },
    passedSince: (time) => passedInWords([...passed.values()].filter(({ artifact }) => artifact.createdMs > time.getTime())),
  }
}

async function* snapshotsIn(place: SearchedPlace, github: Github): AsyncGenerator<Found | BackupError> {
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
async function* inOrder(place: SearchedPlace, github: Github, held: Found[]): AsyncGenerator<Found | BackupError> {
  const search = artifactsNamed(place, github)
  const looker = makeLooker(place, github)
  for (;;) {
    const [newest] = held
    const artifact =
      held.length < mostHeld ? await nextStored(search, place.before, newest ? takenMs(newest) : Number.NEGATIVE_INFINITY) : undefined
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

/** The next artifact that can hold a snapshot taken before a time: those that were stored long after it hold later ones. */
async function nextStored(search: ArtifactSearch, before: Date | undefined, sinceMs: number): Promise<Artifact | undefined> {
  for (;;) {
    const artifact = await search.next(sinceMs)
    if (artifact === undefined || before === undefined || artifact.createdMs <= before.getTime() + dayMs) return artifact
  }
}

/** Looks into artifacts, as long as that makes sense. */
function makeLooker(place: SearchedPlace, github: Github) {
  const { most = mostRead, repository } = place
  let read = 0
  let silent = 0
  return {
    whyStop: (): BackupError | undefined => {
      if (read === most) return tooMany(most)
      return silent === mostSilent ? tooSilent() : undefined
    },
    /** Undefined if there is nothing any more. */
    look: async (artifact: Artifact): Promise<Found | BackupError | undefined> => {
      read++
      const looked = await lookInto(artifact, repository, github)
      if (looked.kind === 'none') place.passBy({ why: 'expired', artifact })
      if (looked.kind === 'none') return undefined
      if (looked.kind === 'manifest') return foundIn(artifact, looked.bytes, { place, github })
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

type SearchedPlace = ArtifactPlace & WantedArtifacts & Required<Pick<WantedArtifacts, 'passBy'>>

/** `2 of that name have expired, the newest on 2026-11-20`; `one of that name comes from a fork`. */
function passedInWords(passed: readonly PassedBy[]): string[] {
  const expired = passed.filter(({ why }) => why === 'expired').toSorted((a, b) => b.artifact.createdMs - a.artifact.createdMs)
  const forks = passed.length - expired.length
  const newest = expired[0]?.artifact.expiresAt
  const on = newest === undefined ? '' : `, the newest at ${newest}`
  return [
    ...(expired.length > 0 ? [`${formatCount(expired.length)} of that name ${expired.length === 1 ? 'has' : 'have'} expired${on}`] : []),
    ...(forks > 0
      ? [`${formatCount(forks)} of that name ${forks === 1 ? 'comes' : 'come'} from a fork, where anybody may give any name`]
      : []),
  ]
}

type Asked = { readonly place: ArtifactPlace; readonly github: Github }

function foundIn(artifact: Artifact, manifestBytes: Buffer, { place, github }: Asked): Found | BackupError {
  const manifest = manifestOrReason(manifestBytes, `in the artifact ${artifact.id}`)
  if (manifest instanceof BackupError) return manifest
  const { repository, pages } = place
  const { id, runId, expiresAt } = artifact
  return {
    manifest,
    manifestBytes,
    where: `in the artifact "${quoteOutside(artifact.name, 200)}" (${id}) of ${quoteOutside(repository, 200)}`,
    ...(pages === undefined || runId === undefined ? {} : { link: `${pages}/actions/runs/${runId}/artifacts/${id}` }),
    ...(expiresAt === undefined ? {} : { keptUntil: expiresAt }),
    fetch: async (into, { level }) => await fetchZip({ artifact, repository, github }, { manifest, manifestBytes }, { into, level }),
  }
}

function tooMany(most: number): BackupError {
  return notAllSeen(
    `after ${most} artifacts`,
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
