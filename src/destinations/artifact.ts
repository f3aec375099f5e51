import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ArtifactClient } from '@actions/artifact'
import { BackupError, findSystemCode, messageOf } from '../errors.ts'
import { ensureRoom } from '../snapshot/disk.ts'
import type { Stopwatch } from '../stopwatch.ts'
import { quoteOutside } from '../text.ts'
import type { Destination, FinishedSnapshot } from './destination.ts'
import { checkReadBack, verificationFailed } from './readback.ts'

type Options = {
  readonly client: ArtifactClient
  readonly name: string
  readonly retentionDays: number | undefined
  /** 2 or more when the run is repeated: its earlier attempts' artifacts still hold their names. */
  readonly runAttempt: number
  /** Page of the workflow run. */
  readonly runUrl: string
  /** Whether the runner handed this step the artifact service. */
  readonly hasService: boolean
  readonly serverUrl: string
  /** Finds the newest snapshot in an artifact of this name, of this run or an earlier one. */
  readonly findPrevious: Destination['findPrevious']
  /** Throws if the snapshot must not be stored in this repository. */
  readonly checkVisibility: () => Promise<void>
  readonly signal: AbortSignal
  readonly stopwatch: Pick<Stopwatch, 'during'>
}

/** Stores the snapshot as a workflow artifact: its folder as a zip, not compressed again. */
export function artifactDestination(options: Options): Destination {
  const { client, name, runAttempt, signal } = options
  return {
    kind: 'artifact',
    check: async () => {
      if (!options.hasService) throw noService()
      if (isEnterpriseServer(options.serverUrl)) throw unsupportedServer(options.serverUrl)
      await options.checkVisibility()
    },
    findPrevious: options.findPrevious,
    prepare: async () => undefined,
    store: async (snapshot) => {
      const files = await filesOf(snapshot.folder.path)
      await ensureRoomToReadBack(files, snapshot)
      const uploaded = await uploadUnderFreeName(files, snapshot, options)
      try {
        await options.stopwatch.during('verify', () => readBack(uploaded, snapshot, options))
        signal.throwIfAborted()
      } catch (error) {
        throw await withdrawn(client, uploaded.name, error)
      }
      return { kind: 'artifact', ...uploaded, url: `${options.runUrl}/artifacts/${uploaded.id}` }
    },
    [Symbol.dispose]: () => undefined,
  }

  async function uploadUnderFreeName(files: string[], snapshot: FinishedSnapshot, all: Options): Promise<Uploaded> {
    try {
      return await upload(name, files, snapshot, all)
    } catch (error) {
      if (runAttempt < 2 || !(error instanceof BackupError) || error.code !== 'artifact-name-taken') throw error
      return await upload(`${name}-attempt-${runAttempt}`, files, snapshot, all)
    }
  }
}

type Uploaded = { readonly name: string; readonly id: number; readonly sizeBytes: number; readonly digest: string }

async function upload(
  name: string,
  files: string[],
  { folder }: FinishedSnapshot,
  { client, retentionDays, signal }: Options,
): Promise<Uploaded> {
  const uploading = client.uploadArtifact(name, files, folder.path, {
    // The data is compressed already.
    compressionLevel: 0,
    ...(retentionDays === undefined ? {} : { retentionDays }),
  })
  let id: number | undefined
  let sizeBytes: number | undefined
  let digest: string | undefined
  try {
    ;({ id, size: sizeBytes, digest } = await unlessAborted(uploading, signal))
  } catch (error) {
    if (signal.aborted) {
      // The client cannot be stopped. An artifact that it finishes in this moment must not stay.
      await Promise.race([uploading.then(() => remove(client, name)).catch(() => undefined), patience()])
      throw signal.reason
    }
    // The answer that the artifact is finished may be all that was lost.
    if (messageOf(error).includes('FinalizeArtifact')) throw await withdrawn(client, name, uploadError(error, name))
    throw uploadError(error, name)
  }
  if (id === undefined || sizeBytes === undefined || digest === undefined) {
    throw uploadError(new Error('the service gave no id for the artifact'), name)
  }
  return { name, id, sizeBytes, digest }
}

/** What fills a disk beside the bytes of the files: their last blocks and the folder itself. */
const slackBytes = 64 * 1024

/** The client takes a full disk for a bad download, and tries five times: better to know before. */
async function ensureRoomToReadBack(files: readonly string[], { folder }: FinishedSnapshot): Promise<void> {
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size))
  const neededBytes = sizes.reduce((sum, size) => sum + size, slackBytes)
  await ensureRoom(folder.readBack, { neededBytes, why: 'To read the artifact back' })
}

/** Downloads the artifact as any reader would, and compares all of it with what was written. The client itself tries five times. */
async function readBack(uploaded: Uploaded, { folder, manifestBytes }: FinishedSnapshot, options: Options): Promise<void> {
  try {
    await download(uploaded, folder.readBack, options)
    await checkReadBack(folder.readBack, { manifestBytes, where: 'artifact', signal: options.signal })
  } finally {
    await rm(folder.readBack, { recursive: true, force: true })
  }
}

async function download({ id, digest }: Uploaded, path: string, { client, signal }: Options): Promise<void> {
  const downloading = client.downloadArtifact(id, { path, expectedHash: `sha256:${digest}` })
  const { digestMismatch } = await unlessAborted(downloading, signal).catch((error: unknown) => {
    signal.throwIfAborted()
    throw verificationFailed('artifact', `the download failed (${messageOf(error)})`, error)
  })
  // The client only tells of it; it does not fail.
  if (digestMismatch === true) throw verificationFailed('artifact', 'its digest is another')
}

/** All files of the snapshot. An artifact exists when its zip is there as a whole, so their order in it says nothing. */
async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

/** Removes an artifact that must not stay because of `error`, and gives the error to throw: it says whether that worked. */
async function withdrawn(client: ArtifactClient, name: string, error: unknown): Promise<unknown> {
  const removed = await remove(client, name)
  if (!(error instanceof BackupError)) return error
  const { code, title, message, hint, cause } = error
  return removed
    ? new BackupError({ code, title, message: `${message} The artifact was removed again.`, hint, cause })
    : new BackupError({
        code,
        title,
        message: `${message} The artifact "${quoteOutside(name, 200)}" could not be removed and may still be there.`,
        hint: `Do not trust that artifact: delete it on the page of this workflow run. ${hint}`,
        cause,
      })
}

const removeTries = 3

/** Whether the artifact is gone. One that was never finished is not listed, and so is gone too. */
async function remove(client: ArtifactClient, name: string): Promise<boolean> {
  return await Promise.race([removeOften(client, name), patience().then(() => false)])
}

async function removeOften(client: ArtifactClient, name: string): Promise<boolean> {
  for (let tryNumber = 1; tryNumber <= removeTries; tryNumber++) {
    const gone = await client.deleteArtifact(name).then(
      () => true,
      (error: unknown) => messageOf(error).includes('not found'),
    )
    if (gone) return true
  }
  return false
}

/** What may be waited for after a cancellation: the runner kills the process after ten seconds. */
function patience(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 2_000).unref()
  })
}

function unlessAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason)
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}

/** The artifact service exists on github.com and *.ghe.com only: `@actions/artifact` src/internal/shared/config.ts. */
function isEnterpriseServer(serverUrl: string): boolean {
  const host = URL.parse(serverUrl)?.hostname.toLowerCase() ?? ''
  return !(host === 'github.com' || host.endsWith('.ghe.com') || host.endsWith('.localhost'))
}

function noService(): BackupError {
  return new BackupError({
    code: 'artifact-failed',
    title: 'There is no artifact service here',
    message: 'The runner gave this step no access to the artifact service (ACTIONS_RESULTS_URL and ACTIONS_RUNTIME_TOKEN are not set).',
    hint: 'Run this as an action with `uses:` in a workflow, not from a `run:` step; elsewhere use `destination: directory`.',
  })
}

function unsupportedServer(serverUrl: string): BackupError {
  return new BackupError({
    code: 'artifact-failed',
    title: 'This GitHub server has no artifact service of this kind',
    message: `Artifacts of this kind exist on github.com and *.ghe.com, not on GitHub Enterprise Server ("${quoteOutside(serverUrl, 100)}").`,
    hint: 'Use `destination: directory`, and store the folder with the server’s own means, for example actions/upload-artifact v3.',
  })
}

function uploadError(error: unknown, name: string): BackupError {
  const text = messageOf(error)
  const says = quoteOutside(text, 500)
  if (/\(409\)|already exists/i.test(text)) {
    return new BackupError({
      code: 'artifact-name-taken',
      title: 'The artifact name is taken',
      message: `This workflow run has an artifact named "${quoteOutside(name, 200)}" already, and artifacts are never overwritten.`,
      hint: 'Give each step its own `artifact-name` or `label`; in a matrix put what differs into it.',
      cause: error,
    })
  }
  if (/insufficient usage|storage quota/i.test(text)) {
    return new BackupError({
      code: 'artifact-quota',
      title: 'The artifact storage is full',
      message: `GitHub takes no more artifacts for this account: its storage quota is used up. GitHub says: "${says}"`,
      hint: 'Lower `retention-days`, or raise the spending limit under Settings, Billing. GitHub counts what was stored over the whole month: deleting artifacts now helps only slowly. Until then use `destination: directory` and store the folder elsewhere.',
      cause: error,
    })
  }
  const network = findSystemCode(error) ?? /Unable to make request: ([A-Z_]+)/.exec(text)?.[1]
  return new BackupError({
    code: 'artifact-failed',
    title: 'The artifact could not be stored',
    message: network
      ? `The artifact service cannot be reached from this runner (${quoteOutside(network, 40)}). It says: "${says}"`
      : `The upload of artifact "${quoteOutside(name, 200)}" failed: ${says}`,
    hint: 'Run the job again; see githubstatus.com. A self-hosted runner must reach *.actions.githubusercontent.com and *.blob.core.windows.net.',
    cause: error,
  })
}
