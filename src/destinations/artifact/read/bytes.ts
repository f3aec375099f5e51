import { type BackupError, messageOf } from '../../../errors.ts'
import { manifestFile } from '../../../format/manifest/manifest.ts'
import { answerMs, askGithub, type Github, ownerAndRepo, totalMs, whyNot } from '../../../github/rest.ts'
import { type Drip, dripWatch } from '../../../http/drip.ts'
import type { HttpAnswer } from '../../../http/http.ts'
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
    const bytes = await readZipEntry(rangeReader({ url, sizeBytes: artifact.sizeBytes }, github), artifact.sizeBytes, manifestFile)
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

/** What is slower than this would keep a run waiting without end. */
const storageDrip: Drip = { windowMs: 60_000, leastBytes: 6_000 }

/** Where a zip lies, and what GitHub says of it. */
export type Zip = { readonly url: URL; readonly sizeBytes: number; readonly drip?: Drip }

/** From its first byte up to, but not including, its last. */
type Range = { readonly start: number; readonly end: number }

/** Reads parts of a zip, again if the storage has trouble. */
export function rangeReader(zip: Zip, github: Github): ReadRange {
  return async (start, end) => {
    const read: Buffer[] = []
    let at = start
    for (let tryNumber = 1; at < end; ) {
      try {
        const signal = AbortSignal.any([github.signal, AbortSignal.timeout(totalMs)])
        const before = at
        for await (const chunk of streamRange(zip, { start: at, end }, { ...github, signal })) {
          read.push(chunk)
          at += chunk.length
        }
        if (isTooLittle(at - before, end - before)) throw tooShort()
      } catch (error) {
        github.signal.throwIfAborted()
        const storage = asStorageError(error)
        if (!storage?.passing || tryNumber++ === tries) throw storage ?? error
        await github.wait(1000 * (tryNumber - 1), github.signal)
      }
    }
    return Buffer.concat(read)
  }
}

/** What is no error of the storage comes from the deadline for a whole answer. */
function asStorageError(error: unknown): StorageError | undefined {
  if (error instanceof StorageError) return error
  const late = error instanceof DOMException && error.name === 'TimeoutError'
  return late ? new StorageError(`it did not end within ${totalMs / 1000} s`, { passing: true, cause: error }) : undefined
}

/** A storage may send less than it was asked for (RFC 9110, 15.3.7), but not so little that the end would never come. */
const leastBytes = 64 * 1024

export function isTooLittle(gotBytes: number, wantedBytes: number): boolean {
  return gotBytes < Math.min(leastBytes, wantedBytes)
}

export function tooShort(): StorageError {
  return new StorageError('it ended too early', { passing: true })
}

/**
 * Streams one part of a zip, with one request; less of it if the storage sends less. It is not asked again where it breaks off: then it throws a
 * {@link StorageError}. The storage wants no token: the URL is signed. It takes ranges with a start only: learn.microsoft.com, "Specifying the range
 * header".
 */
export async function* streamRange(zip: Zip, range: Range, { http, signal }: Github): AsyncGenerator<Buffer> {
  const headers = { range: `bytes=${range.start}-${range.end - 1}` }
  const broken = (error: unknown): never => {
    signal.throwIfAborted()
    throw new StorageError(`it broke off: ${messageOf(error)}`, { passing: true, cause: error })
  }
  const answer = await http(zip.url, { headers, headersTimeout: answerMs, bodyTimeout: answerMs, signal }).catch(broken)
  const { body } = answer
  const findDrip = dripWatch(zip.drip ?? storageDrip)
  const chunks = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>
  try {
    const sent = sentRange(answer, zip, range)
    for (let at = sent.start; at < sent.end; ) {
      const { done, value } = await chunks.next().catch(broken)
      if (done) return
      const tooSlow = findDrip(value.length)
      if (tooSlow) throw new StorageError(tooSlow, { passing: true })
      const part = value.subarray(Math.max(0, range.start - at), Math.max(0, sent.end - at))
      at += value.length
      if (part.length > 0) yield part
    }
  } finally {
    body.on('error', () => undefined).destroy()
  }
}

/** The part of the zip that an answer brings, as far as it was asked for. From a place that gives only all of it, it comes from its first byte on. */
function sentRange({ statusCode, headers }: Pick<HttpAnswer, 'statusCode' | 'headers'>, { sizeBytes }: Zip, range: Range): Range {
  // Nothing lies where the zip should.
  if (statusCode === 416) throw notThatSize()
  if (statusCode === 200 && headers['content-length'] === String(sizeBytes)) return { start: 0, end: range.end }
  const passing = statusCode >= 500 || statusCode === 429 || statusCode === 408
  if (statusCode !== 206) throw new StorageError(`it answered ${statusCode}`, { passing })
  const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/i.exec(String(headers['content-range'] ?? '')) ?? []
  if (Number(first) !== range.start || !(Number(last) >= range.start && Number(last) < range.end))
    throw new StorageError('it sent another part than it was asked for', { passing: true })
  if (total !== '*' && Number(total) !== sizeBytes) throw notThatSize()
  return { start: range.start, end: Number(last) + 1 }
}

function notThatSize(): StorageError {
  return new StorageError('what it has is not of the size that GitHub tells', { passing: true })
}
