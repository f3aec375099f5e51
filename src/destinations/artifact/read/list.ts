import { askGithub, type Github, ownerAndRepo } from '../../../github/rest.ts'
import { noSuchRun, notTold } from './list-errors.ts'

/** An artifact that may hold a snapshot. `runId` and `expiresAt` (ISO 8601) are undefined if GitHub does not tell. */
export type Artifact = {
  readonly id: number
  readonly name: string
  readonly sizeBytes: number
  readonly createdMs: number
  readonly runId: number | undefined
  readonly expiresAt: string | undefined
}

/** An artifact of the name that does not count. */
export type PassedBy = { readonly why: 'expired' | 'fork'; readonly artifact: Artifact }

/** Which artifacts are meant. */
export type WantedArtifacts = {
  /** `owner/name` */
  readonly repository: string
  readonly name: string
  /** Those of one workflow run only. */
  readonly runId?: string
  /** Also those of the shards of a snapshot, which have a name of their own each. */
  readonly withShards?: boolean
  /** Is told of those of the name that do not count. */
  readonly passBy?: (artifact: PassedBy) => void
}

/** So many pages of a list are looked through: that of the repository's artifacts holds those of repeated runs, whose names are not known in advance. */
const mostPages = 10
const pageSize = 100
/** How many entries of a list are looked at. */
export const mostListed = mostPages * pageSize

/** A search through the artifacts of a repository. */
export type ArtifactSearch = {
  /** Gives the newest that was not given yet; undefined if none is left that was stored at this time or later. */
  readonly next: (sinceMs: number) => Promise<Artifact | undefined>
  /** Whether a list went on where it was left. */
  readonly endedEarly: () => boolean
}

/**
 * Searches for the artifacts of this name and of the names that repeated runs give it. Pages are asked for as they are needed. Those that have
 * expired, and those of forks, do not count. Throws a `BackupError` if GitHub does not tell.
 */
export function artifactsNamed(wanted: WantedArtifacts, github: Github): ArtifactSearch {
  const named = pagesOf({ name: wanted.name }, { wanted, github, takes: ({ name }) => name === wanted.name })
  const repeated = pagesOf({}, { wanted, github, takes: ({ name }) => name !== wanted.name })
  return {
    next: async (sinceMs) => {
      const plain = await named.first(sinceMs)
      const other = await repeated.first(Math.max(plain?.createdMs ?? sinceMs, sinceMs))
      const list = other === undefined || (plain && isNewer(plain, other)) ? named : repeated
      return list.take(sinceMs)
    },
    endedEarly: () => named.endedEarly() || repeated.endedEarly(),
  }
}

function isNewer(one: Artifact, other: Artifact): boolean {
  return one.createdMs > other.createdMs || (one.createdMs === other.createdMs && one.id > other.id)
}

type PageQuery = { readonly name?: string; readonly per_page: number; readonly page: number }

type Listing = { readonly wanted: WantedArtifacts; readonly github: Github; readonly takes: (artifact: Artifact) => boolean }

/** One list of artifacts that is fetched page by page. */
function pagesOf(query: { readonly name?: string }, { wanted, github, takes }: Listing) {
  const waiting: Artifact[] = []
  let page = 0
  let oldestMs = Number.POSITIVE_INFINITY
  let ended = false
  let cut = false
  return {
    /** The newest that has not been taken; undefined if none is newer than that. */
    first: async (thanMs: number): Promise<Artifact | undefined> => {
      while (waiting.length === 0 && !ended && oldestMs > thanMs) {
        page++
        const listed = await listPage({ ...query, per_page: pageSize, page }, wanted, github)
        waiting.push(...listed.artifacts.filter(takes).toSorted((a, b) => (isNewer(a, b) ? -1 : 1)))
        oldestMs = Math.min(oldestMs, listed.oldestMs)
        cut = listed.full && page === mostPages
        ended = !listed.full || cut
      }
      return waiting[0]
    },
    /** Gives the newest, and takes it off the list; undefined if it is older than that. */
    take: (sinceMs: number): Artifact | undefined => ((waiting[0]?.createdMs ?? sinceMs) < sinceMs ? undefined : waiting.shift()),
    endedEarly: () => cut,
  }
}

/** GitHub lists artifacts newest first: docs.github.com/rest/actions/artifacts. */
async function listPage(query: PageQuery, wanted: WantedArtifacts, github: Github) {
  const { repository, runId } = wanted
  const answer = await askGithub(github, ({ actions }) =>
    runId === undefined
      ? actions.listArtifactsForRepo({ ...ownerAndRepo(repository), ...query })
      : actions.listWorkflowRunArtifacts({ ...ownerAndRepo(repository), run_id: Number(runId), ...query }),
  )
  const list = (answer.value as { artifacts?: unknown } | undefined)?.artifacts
  if (!Array.isArray(list)) throw runId !== undefined && answer.status === 404 ? noSuchRun(runId, repository) : notTold(answer)
  const times = list.map((item) => Date.parse(item?.created_at))
  return {
    artifacts: list.flatMap((item) => artifactIn(item, wanted)),
    oldestMs: Math.min(...times.filter((time) => !Number.isNaN(time))),
    full: list.length === pageSize,
  }
}

function artifactIn(item: unknown, { name, withShards = false, passBy }: WantedArtifacts): Artifact[] {
  if (typeof item !== 'object' || item === null) return []
  const {
    id,
    name: itsName,
    size_in_bytes: sizeBytes,
    expired,
    created_at: createdAt,
    expires_at: expiresAt,
    workflow_run: run,
  } = item as Record<string, unknown>
  const ending = typeof itsName === 'string' && itsName.startsWith(name) ? itsName.slice(name.length) : undefined
  if (ending === undefined || !(withShards ? shardOrAttempt : attempt).test(ending)) return []
  if (typeof id !== 'number' || typeof sizeBytes !== 'number' || typeof createdAt !== 'string') return []
  const artifact = {
    id,
    name: String(itsName),
    sizeBytes,
    createdMs: Date.parse(createdAt) || 0,
    runId: typeof run === 'object' && run !== null && 'id' in run && typeof run.id === 'number' ? run.id : undefined,
    expiresAt: typeof expiresAt === 'string' && !Number.isNaN(Date.parse(expiresAt)) ? expiresAt : undefined,
  }
  const why = isForeign(run) ? 'fork' : expired === true ? 'expired' : undefined
  if (why === undefined) return [artifact]
  passBy?.({ why, artifact })
  return []
}

const attempt = /^(-attempt-\d{1,4})?$/
const shardOrAttempt = /^(-shard-\d{1,3}-of-\d{1,3})?(-attempt-\d{1,4})?$/

/** Whoever may open a pull request from a fork may give its artifacts any name. */
function isForeign(run: unknown): boolean {
  if (typeof run !== 'object' || run === null) return false
  const { repository_id: ours, head_repository_id: head } = run as Record<string, unknown>
  return typeof ours === 'number' && typeof head === 'number' && ours !== head
}
