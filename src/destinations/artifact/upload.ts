import type { ArtifactClient } from '@actions/artifact'
import { BackupError, messageOf } from '../../errors.ts'
import type { Wait } from '../../http/retry.ts'
import { unlessAborted } from '../../streams/abort.ts'
import { isUnfinished, lostCreation, neverSeen, uploadError } from './errors.ts'
import { findInRun } from './run.ts'
import { abandonUpload, waitAnyway } from './withdraw.ts'

type UploadNeeds = {
  readonly client: ArtifactClient
  readonly name: string
  readonly retentionDays: number | undefined
  /** 2 or more when the run is repeated: its earlier attempts' artifacts still hold their names. */
  readonly runAttempt: number
  readonly signal: AbortSignal
  readonly wait: Wait
}

/** What an artifact is made of: `files` below `folder`, by their whole paths. */
type Content = { readonly folder: string; readonly files: string[] }

/** An artifact as the service finished it. `digest` as `sha256:<hex>`; undefined where the service does not tell. */
export type Uploaded = { readonly name: string; readonly id: number; readonly sizeBytes: number; readonly digest: string | undefined }

/** A name that cannot be used. `elsewhere`: another step's artifact has it; otherwise it is ours, and the answer that said so was lost. */
type Taken = { readonly error: BackupError; readonly elsewhere: boolean }

/**
 * Uploads an artifact under its name or, in a repeated run where an earlier attempt's artifact has that name, as `<name>-attempt-<n>`. Throws a
 * `BackupError` that says what to do, and the signal's reason when the run is cancelled; then an artifact that was finished is removed again.
 */
export async function uploadUnderFreeName(content: Content, needs: UploadNeeds): Promise<Uploaded> {
  const { name, runAttempt } = needs
  const first = await uploadUnlessTaken(name, content, needs)
  if ('id' in first) return first
  if (first.elsewhere && runAttempt < 2) throw first.error
  const again = `${name}-attempt-${runAttempt}`
  const second = await uploadUnlessTaken(again, content, needs)
  if ('id' in second) return second
  throw second.elsewhere ? second.error : lostCreation(second.error, again)
}

/** The client itself asks again only after three seconds; here less, because timers are not exact: `@actions/artifact` src/internal/shared/artifact-twirp-client.ts. */
const clientWaitsMs = 2_900

async function uploadUnlessTaken(name: string, content: Content, needs: UploadNeeds): Promise<Uploaded | Taken> {
  const startedAt = performance.now()
  let asked = 1
  try {
    return await upload(name, content, needs).catch(async (error: unknown) => {
      // The client gives up at once when a connection breaks.
      if (needs.signal.aborted || !/CreateArtifact: Unable to make request/.test(causeOf(error))) throw error
      asked++
      return await upload(name, content, needs)
    })
  } catch (error) {
    if (!(error instanceof BackupError) || error.code !== 'artifact-name-taken') throw error
    // A refusal that came before anything could be asked twice is meant for the first request.
    const surely = asked === 1 && performance.now() - startedAt < clientWaitsMs
    return { error, elsewhere: surely || (await findInRun(needs.client, name, waitAnyway(needs.wait))) !== undefined }
  }
}

async function upload(name: string, { folder, files }: Content, needs: UploadNeeds): Promise<Uploaded> {
  const { client, retentionDays, signal } = needs
  const uploading = client.uploadArtifact(name, files, folder, {
    // The data is compressed already.
    compressionLevel: 0,
    ...(retentionDays === undefined ? {} : { retentionDays }),
  })
  try {
    const { id, size: sizeBytes, digest } = await unlessAborted(uploading, signal)
    if (id === undefined || sizeBytes === undefined || digest === undefined) throw new Error('the service gave no id for the artifact')
    return { name, id, sizeBytes, digest: `sha256:${digest}` }
  } catch (error) {
    if (signal.aborted) throw await abandonUpload(uploading, name, needs)
    if (!isUnfinished(error)) throw uploadError(error, name)
    // The answer that the artifact is finished may be all that was lost. What it holds will be read back.
    const found = await findInRun(client, name, waitAnyway(needs.wait))
    if (found === undefined) throw neverSeen(uploadError(error, name))
    return { name, id: found.id, sizeBytes: found.size, digest: found.digest }
  }
}

function causeOf(error: unknown): string {
  return Error.isError(error) ? messageOf(error.cause) : ''
}
