import { type BackupError, messageOf } from '../../../errors.ts'
import { manifestFile } from '../../../format/manifest/manifest.ts'
import { answerMs, askGithub, type Github, ownerAndRepo, totalMs, whyNot } from '../../../github/rest.ts'
import type { Artifact } from './list.ts'
import { damaged, notHandedOut, notThere, notTold, withoutManifest } from './list-errors.ts'
import { type ReadRange, readZipEntry } from './zip.ts'

/** What came of looking into an artifact. `silent`: its storage gave no answer, or had trouble, however often it was asked. */
export type Looked =
  | { readonly kind: 'manifest'; readonly bytes: Buffer }
  | { readonly kind: 'none' }
  | { readonly kind: 'unreadable'; readonly error: BackupError; readonly silent: boolean }

/**
 * Fetches the manifest, and only that, out of the middle of an artifact's zip. `none` if it has expired in this moment. Throws a `BackupError` if
 * GitHub hands out no artifact at all.
 */
export async function lookInto(artifact: Artifact, repository: string, github: Github): Promise<Looked> {
  const url = await findZip(artifact, repository, github)
  if (url === 'expired') return { kind: 'none' }
  if (!(url instanceof URL)) return { kind: 'unreadable', error: url.error, silent: url.silent }
  try {
    const bytes = await readZipEntry(rangeReader(url, github), artifact.sizeBytes, manifestFile)
    return bytes === undefined ? { kind: 'unreadable', error: withoutManifest(artifact.id), silent: false } : { kind: 'manifest', bytes }
  } catch (error) {
    const silent = error instanceof StorageError && error.passing
    return { kind: 'unreadable', error: inWords(error, artifact, github), silent }
  }
}

/** An artifact whose zip GitHub does not hand out. `silent`: without a word about it. */
type NotHandedOut = { readonly error: BackupError; readonly silent: boolean }

/**
 * Where the storage hands an artifact's zip out, for about a minute; `expired` if it is gone since it was listed. Throws a `BackupError` if GitHub
 * hands out no artifact at all.
 */
export async function findZip({ id }: Artifact, repository: string, github: Github): Promise<URL | NotHandedOut | 'expired'> {
  const wanted = { ...ownerAndRepo(repository), artifact_id: id, archive_format: 'zip' }
  const answer = await askGithub(github, ({ actions }) => actions.downloadArtifact(wanted))
  if (answer.status === 410) return 'expired'
  if (answer.status === 404) return { error: notThere(id, whyNot(answer)), silent: false }
  if (answer.limited || answer.status === 401 || answer.status === 403) throw notTold(answer)
  const url = URL.parse(answer.location ?? '')
  return answer.status !== 302 || url === null ? { error: notHandedOut(id, whyNot(answer)), silent: true } : url
}

/** The error for what went wrong with an artifact's zip. Throws the signal's reason when the run is cancelled. */
export function inWords(error: unknown, { id }: Artifact, { signal }: Github): BackupError {
  signal.throwIfAborted()
  return error instanceof StorageError ? notHandedOut(id, error.message, error.cause) : damaged(id, error)
}

/** The storage did not send what it was asked for. `passing`: it may, the next time. */
export class StorageError extends Error {
  readonly passing: boolean

  constructor(message: string, { passing, cause }: { passing: boolean; cause?: unknown }) {
    super(message, { cause })
    this.name = 'StorageError'
    this.passing = passing
  }
}

const tries = 3

/** Reads parts of a zip, again if the storage has trouble. */
export function rangeReader(url: URL, github: Github): ReadRange {
  return async (start, end) => {
    for (let tryNumber = 1; ; tryNumber++) {
      try {
        return await readOnce(url, { start, end }, github)
      } catch (error) {
        github.signal.throwIfAborted()
        if (!(error instanceof StorageError && error.passing) || tryNumber === tries) throw error
        await github.wait(1000 * tryNumber, github.signal)
      }
    }
  }
}

/** The storage wants no token: the URL is signed. It takes ranges with a start only. learn.microsoft.com, "Specifying the range header". */
async function readOnce(url: URL, { start, end }: { start: number; end: number }, { http, signal }: Github): Promise<Buffer> {
  const { status, bytes } = await http(url, {
    headers: { range: `bytes=${start}-${end - 1}` },
    headersTimeout: answerMs,
    bodyTimeout: answerMs,
    signal: AbortSignal.any([signal, AbortSignal.timeout(totalMs)]),
  })
    .then(async ({ statusCode, body }) => {
      if (statusCode === 206) return { status: statusCode, bytes: Buffer.from(await body.arrayBuffer()) }
      // Unlike a body that is destroyed, it tells nobody who does not listen.
      await body.dump()
      return { status: statusCode, bytes: Buffer.alloc(0) }
    })
    .catch((error: unknown) => {
      throw new StorageError(`it broke off: ${messageOf(error)}`, { passing: true, cause: error })
    })
  refuseStatus(status)
  if (bytes.length !== end - start) throw new Error('the zip is shorter than GitHub says')
  return bytes
}

/** Throws unless this is the answer to a question for a part. */
function refuseStatus(status: number): void {
  // Nothing lies where the zip should.
  if (status === 416) throw new Error('the zip is shorter than GitHub says')
  if (status !== 206) throw new StorageError(`it answered ${status}`, { passing: status >= 500 || status === 429 || status === 408 })
}

/** Streams one part of a zip, with one request. It is not asked again where it breaks off: then it throws a {@link StorageError}. */
export async function* streamRange(
  url: URL,
  { start, end }: { start: number; end: number },
  { http, signal }: Github,
): AsyncGenerator<Buffer> {
  const headers = { range: `bytes=${start}-${end - 1}` }
  const broken = (error: unknown): never => {
    signal.throwIfAborted()
    throw new StorageError(`it broke off: ${messageOf(error)}`, { passing: true, cause: error })
  }
  const { statusCode, body } = await http(url, { headers, headersTimeout: answerMs, bodyTimeout: answerMs, signal }).catch(broken)
  if (statusCode !== 206) {
    await body.dump().catch(broken)
    refuseStatus(statusCode)
  }
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  try {
    for (;;) {
      const { done, value } = await chunks.next().catch(broken)
      if (done) return
      yield value
    }
  } finally {
    body.on('error', () => undefined).destroy()
  }
}
