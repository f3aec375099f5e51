import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ArtifactClient } from '@actions/artifact'
import { BackupError, messageOf } from '../../errors.ts'
import type { Forge } from '../../github/forge.ts'
import { ensureRoom } from '../../snapshot/workshop/room.ts'
import type { Stopwatch } from '../../stopwatch.ts'
import type { Destination, FinishedSnapshot, SnapshotReader } from '../destination.ts'
import { checkReadBack, verificationFailed } from '../read-back.ts'
import {
  isUnfinished,
  lostCreation,
  mayStillBeThere,
  neverSeen,
  noService,
  removedAgain,
  unsupportedServer,
  uploadError,
} from './errors.ts'
import { findInRun, lagsMs, removeFinished } from './run.ts'

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
  readonly forge: Forge
  /** Reads the artifacts of this name, of this run and of earlier ones. */
  readonly reader: SnapshotReader
  /** Throws if the snapshot must not be stored in this repository. */
  readonly checkVisibility: () => Promise<void>
  readonly signal: AbortSignal
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>
  readonly stopwatch: Pick<Stopwatch, 'during'>
}

/** Stores the snapshot as a workflow artifact: its folder as a zip, not compressed again. */
export function artifactDestination(options: Options): Destination {
  const { signal } = options
  return {
    kind: 'artifact',
    reader: options.reader,
    check: async () => {
      if (options.forge !== 'github') throw unsupportedServer(options.forge, options.serverUrl)
      if (!options.hasService) throw noService()
      await options.checkVisibility()
    },
    prepare: async () => undefined,
    store: async (snapshot) => {
      const files = await filesOf(snapshot.folder.path)
      await ensureRoomToReadBack(files, snapshot)
      const uploaded = await uploadUnderFreeName(files, snapshot, options)
      try {
        await options.stopwatch.during('verify', () => readBack(uploaded, snapshot, options))
        signal.throwIfAborted()
      } catch (error) {
        throw await withdrawn(uploaded.name, error, options)
      }
      return { kind: 'artifact', ...uploaded, url: `${options.runUrl}/artifacts/${uploaded.id}` }
    },
    [Symbol.dispose]: () => undefined,
  }
}

type Uploaded = { readonly name: string; readonly id: number; readonly sizeBytes: number; readonly digest: string | undefined }

/** A name that cannot be used. `elsewhere`: another step's artifact has it; otherwise it is ours, and the answer that said so was lost. */
type Taken = { readonly error: BackupError; readonly elsewhere: boolean }

async function uploadUnderFreeName(files: string[], snapshot: FinishedSnapshot, options: Options): Promise<Uploaded> {
  const { name, runAttempt } = options
  const first = await uploadUnlessTaken(name, files, snapshot, options)
  if ('id' in first) return first
  if (first.elsewhere && runAttempt < 2) throw first.error
  const again = `${name}-attempt-${runAttempt}`
  const second = await uploadUnlessTaken(again, files, snapshot, options)
  if ('id' in second) return second
  throw second.elsewhere ? second.error : lostCreation(second.error, again)
}

/** The client itself asks again only after three seconds; here less, because timers are not exact: `@actions/artifact` src/internal/shared/artifact-twirp-client.ts. */
const clientWaitsMs = 2_900

async function uploadUnlessTaken(name: string, files: string[], snapshot: FinishedSnapshot, options: Options): Promise<Uploaded | Taken> {
  const startedAt = performance.now()
  let asked = 1
  try {
    return await upload(name, files, snapshot, options).catch(async (error: unknown) => {
      // The client gives up at once when a connection breaks.
      if (options.signal.aborted || !/CreateArtifact: Unable to make request/.test(causeOf(error))) throw error
      asked++
      return await upload(name, files, snapshot, options)
    })
  } catch (error) {
    if (!(error instanceof BackupError) || error.code !== 'artifact-name-taken') throw error
    // A refusal that came before anything could be asked twice is meant for the first request.
    const surely = asked === 1 && performance.now() - startedAt < clientWaitsMs
    return { error, elsewhere: surely || (await findInRun(options.client, name, waiting(options))) !== undefined }
  }
}

async function upload(name: string, files: string[], { folder }: FinishedSnapshot, options: Options): Promise<Uploaded> {
  const { client, retentionDays, signal } = options
  const uploading = client.uploadArtifact(name, files, folder.path, {
    // The data is compressed already.
    compressionLevel: 0,
    ...(retentionDays === undefined ? {} : { retentionDays }),
  })
  try {
    const { id, size: sizeBytes, digest } = await unlessAborted(uploading, signal)
    if (id === undefined || sizeBytes === undefined || digest === undefined) throw new Error('the service gave no id for the artifact')
    return { name, id, sizeBytes, digest: `sha256:${digest}` }
  } catch (error) {
    if (signal.aborted) throw await abandoned(uploading, name, options)
    if (!isUnfinished(error)) throw uploadError(error, name)
    // The answer that the artifact is finished may be all that was lost. What it holds will be read back.
    const found = await findInRun(client, name, waiting(options))
    if (found === undefined) throw neverSeen(uploadError(error, name))
    return { name, id: found.id, sizeBytes: found.size, digest: found.digest }
  }
}

/** The client cannot be stopped. An artifact that it finishes in this moment must not stay. Gives the error to throw. */
async function abandoned(uploading: Promise<unknown>, name: string, { client, wait, signal }: Options): Promise<unknown> {
  let finished = false
  const gone = uploading.then(
    async () => {
      finished = true
      return await removeFinished(client, name, waiting({ wait }))
    },
    () => true,
  )
  const removed = await Promise.race([gone, patience(cancelledPatienceMs).then(() => !finished)])
  return removed || !(signal.reason instanceof BackupError) ? signal.reason : mayStillBeThere(signal.reason, name)
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

async function download(uploaded: Uploaded, path: string, options: Options): Promise<void> {
  const { digestMismatch } = await downloadListed(uploaded, path, options).catch((error: unknown) => {
    options.signal.throwIfAborted()
    throw verificationFailed('artifact', `the download failed (${messageOf(error)})`, error)
  })
  // The client only tells of it; it does not fail.
  if (digestMismatch === true) throw verificationFailed('artifact', 'its digest is another')
}

/** What was stored a moment ago need not be listed yet, and the client gives up at once, as it does when a connection breaks. */
async function downloadListed({ id, digest }: Uploaded, path: string, { client, wait, signal }: Options) {
  for (let turn = 0; ; turn++) {
    try {
      return await unlessAborted(client.downloadArtifact(id, { path, ...(digest === undefined ? {} : { expectedHash: digest }) }), signal)
    } catch (error) {
      const lagMs = lagsMs[turn]
      const passing = /No artifacts found for ID|Unable to make request/.test(messageOf(error))
      if (signal.aborted || lagMs === undefined || !passing) throw error
      await wait(lagMs, signal)
    }
  }
}

/** All files of the snapshot. An artifact exists when its zip is there as a whole, so their order in it says nothing. */
async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

/** Removes a finished artifact that must not stay because of `error`, and gives the error to throw: it says whether that worked. */
async function withdrawn(name: string, error: unknown, { client, wait, signal }: Options): Promise<unknown> {
  const patient = patience(signal.aborted ? cancelledPatienceMs : patienceMs)
  const removed = await Promise.race([removeFinished(client, name, waiting({ wait })), patient.then(() => false)])
  if (!(error instanceof BackupError)) return error
  return removed ? removedAgain(error) : mayStillBeThere(error, name)
}

const patienceMs = 20_000
/** The runner kills a cancelled process after ten seconds. */
const cancelledPatienceMs = 2_000

function patience(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
}

/** Waits whether the run is cancelled or not: what was stored has to be settled all the same. */
function waiting({ wait }: Pick<Options, 'wait'>): (ms: number) => Promise<void> {
  return async (ms) => await wait(ms, new AbortController().signal)
}

function causeOf(error: unknown): string {
  return Error.isError(error) ? messageOf(error.cause) : ''
}

function unlessAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason)
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}
