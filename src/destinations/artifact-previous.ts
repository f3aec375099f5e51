import { BackupError } from '../errors.ts'
import type { Comparable } from '../snapshot/changes.ts'
import { type Manifest, manifestFile } from '../snapshot/manifest.ts'
import { findComparable, manifestOrReason } from '../snapshot/newest.ts'
import { quoteOutside } from '../text.ts'
import { answerMs, askGithub, type Github, type GithubAnswer, totalMs, whyNot } from './github.ts'
import { type ReadRange, readZipEntry } from './zip.ts'

type Wanted = {
  /** `owner/name` */
  readonly repository: string
  readonly name: string
  readonly of: Comparable
}

/** How many artifacts are looked into, the newest first, until one holds a snapshot that can be compared with. */
const mostRead = 10
/** How many pages of the repository's artifacts are looked through for those of repeated runs, whose names are not known in advance. */
const mostPages = 10
const pageSize = 100

/**
 * Finds the manifest of the newest snapshot that lies in an artifact of the repository under this name, or under the name that a repeated run gives
 * it. Artifacts of forks do not count. Only the manifest is fetched, out of the middle of the zip. Throws a `BackupError` if GitHub does not tell.
 */
export async function findPreviousArtifact(wanted: Wanted, github: Github): Promise<Manifest | undefined> {
  return await findComparable(manifestsOf(wanted, github), wanted.of)
}

async function* manifestsOf(wanted: Wanted, github: Github): AsyncGenerator<Manifest | BackupError> {
  for (const artifact of (await candidates(wanted, github)).slice(0, mostRead)) {
    const bytes = await fetchManifest(artifact, wanted.repository, github)
    if (bytes !== undefined) yield manifestOrReason(bytes, `in the artifact ${artifact.id}`)
  }
}

type Artifact = { readonly id: number; readonly name: string; readonly sizeBytes: number; readonly createdMs: number }

/** The newest first. */
async function candidates(wanted: Wanted, github: Github): Promise<Artifact[]> {
  const named = await listPage(`name=${encodeURIComponent(wanted.name)}&per_page=${pageSize}`, wanted, github)
  const newest = Math.max(0, ...named.artifacts.map(({ createdMs }) => createdMs))
  // One of a repeated run counts only if it is newer than all of the plain name.
  const repeated: Artifact[] = []
  for (let page = 1; page <= mostPages; page++) {
    const { artifacts, oldestMs, full } = await listPage(`per_page=${pageSize}&page=${page}`, wanted, github)
    repeated.push(...artifacts.filter(({ name }) => name !== wanted.name))
    if (!full || oldestMs <= newest) break
  }
  return [...named.artifacts, ...repeated].toSorted((a, b) => b.createdMs - a.createdMs || b.id - a.id)
}

/** `GET /repos/{owner}/{repo}/actions/artifacts`: docs.github.com/rest/actions/artifacts, newest first. */
async function listPage(query: string, { repository, name }: Wanted, github: Github) {
  const answer = await askGithub(`/repos/${repository}/actions/artifacts?${query}`, github)
  const list = (answer.value as { artifacts?: unknown } | undefined)?.artifacts
  if (!Array.isArray(list)) throw notTold(answer)
  const times = list.map((item) => Date.parse(item?.created_at))
  return {
    artifacts: list.flatMap((item) => artifactIn(item, name)),
    oldestMs: Math.min(...times.filter((time) => !Number.isNaN(time))),
    full: list.length === pageSize,
  }
}

function artifactIn(item: unknown, name: string): Artifact[] {
  if (typeof item !== 'object' || item === null) return []
  const { id, name: itsName, size_in_bytes: sizeBytes, expired, created_at: createdAt, workflow_run: run } = item as Record<string, unknown>
  const attempt = typeof itsName === 'string' && itsName.startsWith(name) ? itsName.slice(name.length) : undefined
  if (attempt === undefined || !/^(-attempt-\d{1,4})?$/.test(attempt) || expired === true || isForeign(run)) return []
  if (typeof id !== 'number' || typeof sizeBytes !== 'number' || typeof createdAt !== 'string') return []
  return [{ id, name: String(itsName), sizeBytes, createdMs: Date.parse(createdAt) || 0 }]
}

/** Whoever may open a pull request from a fork may give its artifacts any name. */
function isForeign(run: unknown): boolean {
  if (typeof run !== 'object' || run === null) return false
  const { repository_id: ours, head_repository_id: head } = run as Record<string, unknown>
  return typeof ours === 'number' && typeof head === 'number' && ours !== head
}

/** Undefined if it holds none. */
async function fetchManifest({ id, sizeBytes }: Artifact, repository: string, github: Github): Promise<Buffer | undefined> {
  const answer = await askGithub(`/repos/${repository}/actions/artifacts/${id}/zip`, github)
  // Expired in this moment.
  if (answer.status === 410 || answer.status === 404) return undefined
  const url = URL.parse(answer.location ?? '')
  if (answer.status !== 302 || url === null) throw notTold(answer)
  try {
    return await readZipEntry(rangeReader(url, github), sizeBytes, manifestFile)
  } catch (error) {
    github.signal.throwIfAborted()
    throw notTold({ status: undefined }, error)
  }
}

/** The storage wants no token: the URL is signed. It takes ranges with a start only. learn.microsoft.com, "Specifying the range header". */
function rangeReader(url: URL, { http, signal }: Github): ReadRange {
  return async (start, end) => {
    const { statusCode, body } = await http(url, {
      headers: { range: `bytes=${start}-${end - 1}` },
      headersTimeout: answerMs,
      bodyTimeout: answerMs,
      signal: AbortSignal.any([signal, AbortSignal.timeout(totalMs)]),
    })
    if (statusCode !== 206) {
      body.destroy()
      throw new Error(`the storage answered ${statusCode}`)
    }
    const bytes = Buffer.from(await body.arrayBuffer())
    if (bytes.length !== end - start) throw new Error('the storage sent another part than was asked for')
    return bytes
  }
}

function notTold(answer: GithubAnswer, cause?: unknown): BackupError {
  const denied = answer.status === 403 || answer.status === 404
  return new BackupError({
    code: 'artifact-failed',
    title: 'The previous artifact could not be looked up',
    message: `The previous artifact could not be looked up (${quoteOutside(whyNot(answer))}).`,
    hint: denied
      ? 'Give the job `permissions: actions: read`.'
      : 'It is looked up again the next time. If it stays so, check the runner’s network and `github-token`.',
    cause,
  })
}
