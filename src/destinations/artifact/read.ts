import { BackupError } from '../../errors.ts'
import type { Github } from '../../github/rest.ts'
import { manifestOrReason } from '../../snapshot/read/newest-first.ts'
import { formatCount, quoteOutside } from '../../text.ts'
import type { Found, SnapshotReader } from '../destination.ts'
import { lookInto } from './bytes.ts'
import { fetchZip } from './fetch.ts'
import { type Artifact, artifactsNamed, type PassedBy, type WantedArtifacts } from './list.ts'
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

async function* snapshotsIn(place: ArtifactPlace & WantedArtifacts, github: Github): AsyncGenerator<Found | BackupError> {
  const { most = mostRead, before } = place
  let read = 0
  let silent = 0
  for await (const artifact of artifactsNamed(place, github)) {
    if (before !== undefined && artifact.createdMs > before.getTime() + dayMs) continue
    if (read === most) return yield tooMany(most)
    if (silent === mostSilent) return yield tooSilent()
    read++
    const looked = await lookInto(artifact, place.repository, github)
    if (looked.kind === 'manifest') yield foundIn(artifact, looked.bytes, { place, github })
    if (looked.kind !== 'unreadable') continue
    if (looked.silent) silent++
    yield looked.error
  }
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
