import type { Stored } from '../../destinations/destination.ts'
import { BackupError } from '../../errors.ts'
import { type Manifest, printManifest } from '../../format/manifest.ts'
import { snapshotName } from '../../format/snapshot-name.ts'
import type { Inputs } from '../../inputs/backup.ts'
import type { Runner } from '../../runner.ts'
import { findFullRead } from '../../sanity/access.ts'
import { type SanityApi, sanityApi } from '../../sanity/api.ts'
import { assetHost } from '../../sanity/asset-host.ts'
import { findLastBytes } from '../../snapshot/read/newest-first.ts'
import { sweepLeftovers } from '../../snapshot/workshop/leftovers.ts'
import { checkRoom } from '../../snapshot/workshop/room.ts'
import { systemError } from '../../snapshot/workshop/system-error.ts'
import { makeWorkshop, removeOpenWorkshops, type SnapshotFolder } from '../../snapshot/workshop/workshop.ts'
import { writeManifest } from '../../snapshot/write/whole-file.ts'
import { formatBytes, formatCount, plural } from '../../text.ts'
import type { Tools } from '../../tools.ts'
import { toolVersion } from '../../version.ts'
import { findMissed, judgeMissed, type Missed } from './assets/missing.ts'
import { beginAssets, type SavedAssets } from './assets/save.ts'
import { warnOfComingBack } from './coming-back.ts'
import { type SavedDocuments, saveDocuments } from './documents/save.ts'
import { savesDocuments } from './documents/shard.ts'
import { type Comparison, compareWithPrevious, type Guard } from './guards.ts'
import { describeSnapshot, type Named } from './manifest.ts'
import { type Stages, stagesOf } from './outcome.ts'
import { warnOfSecrets } from './secrets.ts'
import { openDestinations, storeEverywhere } from './store.ts'

const userAgent = `sanity-backup/${toolVersion}`

/** How a backup ended that stored something. */
export type BackupOutcome = {
  /** `unchanged`: the branch held the same documents and assets already, and nothing new was stored anywhere. */
  readonly status: 'stored' | 'unchanged'
  /** Of the snapshot that was stored, or else of the one that was there already. */
  readonly manifest: Manifest
  readonly stored: readonly Stored[]
  readonly documents: SavedDocuments
  /** The assets that are missing. */
  readonly missed: Missed
  readonly compared: Comparison
  /** All files of the snapshot, as they are stored. */
  readonly sizeBytes: number
  /** Of the data file as it is stored; undefined where each document has a file of its own. */
  readonly digest: string | undefined
  /** How long the whole run took, in milliseconds. */
  readonly durationMs: number
  /** Where the time went, in milliseconds. */
  readonly stages: Stages
  /** Why the run fails although something was stored: files of assets are missing, or one destination failed and another one did not. */
  readonly failure: BackupError | undefined
  /** Takes the snapshot folder away again, if it was left for the next step. */
  readonly withdraw: () => void
}

/**
 * Backs a dataset up: fetches it, proves that it is complete, writes the snapshot, stores it at each destination and reads it back from there.
 * Throws a {@link BackupError} if nothing was stored.
 */
export async function backup(inputs: Inputs, runner: Runner, tools: Tools): Promise<BackupOutcome> {
  try {
    return await backUp(inputs, runner, tools)
  } catch (error) {
    // Wherever the system refused something, also where no room of ours was writing.
    throw error instanceof BackupError ? error : ((await systemError(error, inputs.path)) ?? error)
  }
}

/** Removes what a backup in this process has still lying about: for the process's very last moment. */
export function abandonBackup(): void {
  removeOpenWorkshops()
}

async function backUp(inputs: Inputs, runner: Runner, tools: Tools): Promise<BackupOutcome> {
  const startedMs = performance.now()
  using named = await makeFolder(inputs, tools)
  const means = { ...tools, scratch: named.folder.scratch }
  using destinations = openDestinations(inputs, runner, means)
  for (const destination of destinations.all) await destination.check()

  const { log } = tools
  const { projectId, dataset } = inputs.source
  log.info(`Backing up dataset "${dataset}" of project "${projectId}"`)
  const api = sanityApi(inputs.source, { ...tools, token: inputs.token, userAgent })
  await tellRoom(inputs, tools)
  const { documents, assets } = await saveEverything({ api, inputs, folder: named.folder }, tools)
  const fullRead = await findFullRead(api)
  warnOf(documents, fullRead, log)
  if (savesDocuments(inputs)) warnOfSecrets(documents.tally.secretTypes, tools)
  warnOfComingBack(documents.tally, inputs, log)
  if (savesDocuments(inputs)) enforceMinimum(inputs, documents.tally.count)
  const missed = await findMissed({ saved: assets, data: documents.data?.file, folder: named.folder }, tools)
  const lack = judgeMissed(missed, inputs, tools)
  if (lack && !inputs.destinations.has('artifact')) throw lack

  const finishedAt = laterOf(named.takenAt, tools.now())
  const manifest = describeSnapshot({ inputs, runner, documents, assets, fullRead, named, clean: tools.clean, finishedAt })
  const compared = await compareIfWhole(inputs, { manifest, destinations: destinations.all }, tools)
  const manifestEntry = await writeManifest(named.folder.path, manifest)
  const snapshot = { folder: named.folder, manifest, manifestBytes: printManifest(manifest) }
  using instead = lack && openDestinations(incompletely(inputs), runner, means)
  const places = (instead ?? destinations).all
  for (const destination of places) await destination.prepare(snapshot)
  const storingSince = performance.now()
  const { stored, failure } = await storeEverywhere(places, snapshot, { ...tools, path: inputs.path }).catch((error: unknown) => {
    throw lack && error instanceof BackupError && !tools.signal.aborted ? notKept(lack, error) : error
  })
  const sizeBytes = [...manifest.files, manifestEntry].reduce((sum, file) => sum + file.sizeBytes, 0)
  const finishedMs = performance.now()
  const durationMs = finishedMs - startedMs
  const stages = stagesOf(documents, { storeMs: finishedMs - storingSince, totalMs: tools.stopwatch.totalMs })
  const told = tellOf(stored) ?? { status: 'stored', manifest, sizeBytes, digest: documents.data?.file.digest }
  return { ...told, stored, documents, missed, compared, durationMs, stages, failure: lack ?? failure, withdraw: named.folder.discard }
}

/** The clock may have been set back meanwhile. */
function laterOf(one: Date, other: Date): Date {
  return one > other ? one : other
}

/** A part of a snapshot says nothing about how many documents there are. */
async function compareIfWhole(inputs: Inputs, given: Omit<Guard, 'maxShrinkPercent'>, tools: Tools): Promise<Comparison> {
  return savesDocuments(inputs) ? await compareWithPrevious({ ...inputs, ...given }, tools) : { kind: 'off' }
}

/** What is told of a snapshot that lies on a branch alone: there it is in other files. Undefined if it lies elsewhere too. */
function tellOf(stored: readonly Stored[]): Pick<BackupOutcome, 'status' | 'manifest' | 'sizeBytes' | 'digest'> | undefined {
  const [place, ...others] = stored
  if (place?.kind !== 'branch' || others.length > 0) return undefined
  const { manifest, sizeBytes, digest, unchanged } = place
  return { status: unchanged ? 'unchanged' : 'stored', manifest, sizeBytes, digest }
}

const noAssets: SavedAssets = { count: 0, sizeBytes: 0, reused: 0, provenByHost: 0, missing: [], files: [] }

type Everything = { readonly api: SanityApi; readonly inputs: Inputs; readonly folder: SnapshotFolder }

async function saveEverything(
  { api, inputs, folder }: Everything,
  tools: Tools,
): Promise<{ documents: SavedDocuments; assets: SavedAssets }> {
  if (!inputs.includeAssets) return { documents: await saveDocuments({ api, inputs, folder, assets: undefined }, tools), assets: noAssets }
  const host = (signal: AbortSignal) => assetHost(inputs.source, { ...tools, token: inputs.token, userAgent, signal })
  await using assets = await beginAssets({ inputs, folder, host }, tools)
  const documents = await saveDocuments({ api, inputs, folder, assets }, tools)
  return { documents, assets: await tools.stopwatch.during('assets', assets.finish) }
}

/** The error for files that are missing from a snapshot that could not be kept either. */
function notKept({ code, title, message, hint }: BackupError, cause: BackupError): BackupError {
  return new BackupError({
    code,
    title,
    message: `${message}\nWhat was saved could not be kept: ${cause.title}: ${cause.message}`,
    hint,
    cause,
  })
}

/** Where a snapshot is kept that lacks files: nowhere but as an artifact, under a name that says so. */
function incompletely(inputs: Inputs): Inputs {
  return { ...inputs, destinations: new Set(['artifact']), artifactName: `${inputs.artifactName}-incomplete` }
}

type NamedFolder = Named & { readonly folder: SnapshotFolder; readonly [Symbol.dispose]: () => void }

/** A name holds the second in which the snapshot is taken: if another run has that one, the next is taken. */
const nameTries = 5

async function makeFolder({ source, label, path, shard }: Inputs, { now, wait, signal, log }: Tools): Promise<NamedFolder> {
  const swept = await sweepLeftovers(path, now())
  if (swept.length > 0) log.info(`Removed what ${plural(swept.length, 'killed run')} left behind in "${path}"`)
  for (let tryNumber = 1; tryNumber <= nameTries; tryNumber++) {
    const takenAt = now()
    const name = snapshotName({ projectId: source.projectId, dataset: source.dataset, takenAt, label, shard })
    const folder = await makeWorkshop({ path, name })
    if (folder) return { name, takenAt, folder, [Symbol.dispose]: () => folder[Symbol.dispose]() }
    await wait(1000, signal)
  }
  throw new BackupError({
    code: 'input-invalid',
    title: 'The snapshot folder cannot be made',
    message: `path: there are other snapshots of this dataset with the same names in "${path}".`,
    hint: 'Let each run have its own `path`, or remove what is in the way.',
  })
}

async function tellRoom(inputs: Inputs, { log }: Tools): Promise<void> {
  const { path } = inputs
  const lastBytes = await findLastBytes(path, inputs)
  const freeBytes = await checkRoom(path, { dataset: inputs.source.dataset, lastBytes })
  if (freeBytes === undefined) return
  const previous = lastBytes === undefined ? '' : `; the last snapshot takes ${formatBytes(lastBytes)}`
  log.info(`Room for the snapshot: ${formatBytes(freeBytes)} are free in "${path}"${previous}`)
}

function warnOf({ tally }: SavedDocuments, fullRead: boolean | null, log: Tools['log']): void {
  if (fullRead === false) {
    log.warning(
      'The token’s role does not grant reading every document, so documents may be missing from this snapshot without a trace. Give the token the Viewer role.',
    )
  }
  if (fullRead === null) log.info('Sanity did not tell whether the token may read every document.')
  if (tally.damaged > 0) {
    log.warning(
      `${plural(tally.damaged, 'document')} held the character U+FFFD: text that was damaged before it came to Sanity. The snapshot keeps it as it is, and \`sanity dataset import\` takes it only with \`--allow-replacement-characters\`.`,
    )
  }
  if (tally.holdsToken) {
    log.warning(
      'A document in the dataset holds the Sanity token itself. Delete that token at sanity.io/manage and make a new one: whoever can read the document, or this snapshot, has it.',
    )
  }
}

function enforceMinimum({ minDocuments, source }: Inputs, count: number): void {
  if (count >= minDocuments) return
  throw new BackupError({
    code: 'too-few-documents',
    title: count === 0 ? 'There is nothing to back up' : 'There are too few documents',
    message: `Dataset "${source.dataset}" of project "${source.projectId}" gave ${plural(count, 'document')} for the snapshot; \`min-documents\` asks for ${formatCount(minDocuments)} at least. Nothing was stored.`,
    hint:
      count === 0
        ? 'Check `dataset`, `types`, `exclude-types` and `exclude-ids`, and that the token has the Viewer role: a token without rights sees an empty dataset. If the dataset may be empty, set `min-documents: 0`.'
        : 'If documents were deleted on purpose, lower `min-documents`. Otherwise look at the dataset now, while older snapshots still exist.',
  })
}
