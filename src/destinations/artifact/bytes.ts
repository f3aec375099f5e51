import { type BackupError, messageOf } from '../../errors.ts'
import { manifestFile } from '../../format/manifest.ts'
import { answerMs, askGithub, type Github, ownerAndRepo, totalMs, whyNot } from '../../github/rest.ts'
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
export async function lookInto({ id, sizeBytes }: Artifact, repository: string, github: Github): Promise<Looked> {
  const wanted = { ...ownerAndRepo(repository), artifact_id: id, archive_format: 'zip' }
  const answer = await askGithub(github, ({ actions }) => actions.downloadArtifact(wanted))
  if (answer.status === 410) return { kind: 'none' }
  if (answer.status === 404) return { kind: 'unreadable', error: notThere(id, whyNot(answer)), silent: false }
  const url = URL.parse(answer.location ?? '')
  if (answer.limited || answer.status === 401 || answer.status === 403) throw notTold(answer)
  if (answer.status !== 302 || url === null) return { kind: 'unreadable', error: notHandedOut(id, whyNot(answer)), silent: true }
  try {
    const bytes = await readZipEntry(rangeReader(url, github), sizeBytes, manifestFile)
    return bytes === undefined ? { kind: 'unreadable', error: withoutManifest(id), silent: false } : { kind: 'manifest', bytes }
  } catch (error) {
    github.signal.throwIfAborted()
    return error instanceof StorageError
      ? { kind: 'unreadable', error: notHandedOut(id, error.message, error.cause), silent: error.passing }
      : { kind: 'unreadable', error: damaged(id, error), silent: false }
  }
}

/** The storage did not send what it was asked for. `passing`: it may, the next time. */
class StorageError extends Error {
  readonly passing: boolean

  constructor(message: string, { passing, cause }: { passing: boolean; cause?: unknown }) {
    super(message, { cause })
    this.name = 'StorageError'
    this.passing = passing
  }
}

const tries = 3

function rangeReader(url: URL, github: Github): ReadRange {
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
  // Nothing lies where the zip should.
  if (status === 416) throw new Error('the zip is shorter than GitHub says')
  if (status !== 206) throw new StorageError(`it answered ${status}`, { passing: status >= 500 || status === 429 || status === 408 })
  if (bytes.length !== end - start) throw new Error('the zip is shorter than GitHub says')
  return bytes
}
