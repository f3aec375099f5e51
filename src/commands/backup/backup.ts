import type { Destination, FinishedSnapshot } from '../../destinations/destination.ts'
import { BackupError } from '../../errors.ts'
import { type Manifest, printManifest, type Run } from '../../format/manifest/manifest.ts'
import { recentAfter } from '../../format/manifest/recent.ts'
import type { PlainManifest } from '../../format/manifest/sealed.ts'
import type { BackupInputs } from '../../inputs/backup.ts'
import type { Runner } from '../../runner.ts'
import { findFullRead } from '../../sanity/access.ts'
import { type SanityApi, sanityApi } from '../../sanity/api.ts'
import { assetHost } from '../../sanity/asset-host.ts'
import { systemError } from '../../snapshot/workshop/system-error.ts'
import { removeOpenWorkshops, type SnapshotFolder } from '../../snapshot/workshop/workshop.ts'
import { writeManifest } from '../../snapshot/write/whole-file.ts'
import type { Tools } from '../../tools.ts'
import { toolVersion } from '../../version.ts'
import { type Destinations, openDestinations } from '../destinations.ts'
import { type SavedDocuments, saveDocuments } from '../documents/save.ts'
import { checkMissing, findMissing, type MissingAssets } from './assets/missing.ts'
import { type AssetNeeds, beginAssets } from './assets/save.ts'
import { noAssets, type SavedAssets } from './assets/saved.ts'
import { ensureRoomBelow, makeFolder, type NamedFolder } from './folder.ts'
import { type Comparison, checkShrink, enforceMinimum, type ShrinkNeeds } from './guards.ts'
import { type LastGood, type LookBack, lookBack } from './look-back.ts'
import { makeManifest } from './manifest.ts'
import { type BackupOutcome, stageTimes, storedAs } from './outcome.ts'
import { openSealing, type Sealing, sealUp, warnOfOtherRecipients } from './sealing.ts'
import { dataWriter, neededOf, savesDocuments } from './shard.ts'
import { storeSnapshot } from './store.ts'
import { warnOfDocuments } from './warnings.ts'

const userAgent = `sanity-backup/${toolVersion}`

/** A backup that stored something, or why nothing was stored, with the last good snapshot from before. */
export type Backup =
  | { readonly kind: 'stored'; readonly outcome: BackupOutcome }
  | { readonly kind: 'failed'; readonly error: unknown; readonly lastGood: LastGood | undefined }

/**
 * Backs a dataset up: fetches it, proves that it is complete, writes the snapshot, stores it at each destination and reads it back from there. Never
 * throws.
 */
export async function backup(inputs: BackupInputs, runner: Runner, tools: Tools): Promise<Backup> {
  const startedMs = performance.now()
  const { path, source, label, shard, filters } = inputs
  try {
    const sealing = await openSealing(inputs.encryptTo, tools)
    using place = await makeFolder({ path, source, label, shard }, tools)
    using destinations = openDestinations({ inputs, runner, tools, scratch: place.folder.scratch })
    const past = lookBack(destinations.all, { source, filters, shard })
    try {
      return { kind: 'stored', outcome: await runRecipe(inputs, { runner, place, destinations, past, startedMs, sealing }, tools) }
    } catch (error) {
      return await failed(error, path, await past.lastGood(error, tools.signal))
    }
  } catch (error) {
    return await failed(error, path, undefined)
  }
}

async function failed(error: unknown, path: string, lastGood: LastGood | undefined): Promise<Backup> {
  // Wherever the system refused something, also where no room of ours was writing.
  return { kind: 'failed', error: error instanceof BackupError ? error : ((await systemError(error, path)) ?? error), lastGood }
}

/** Removes what a backup in this process has still lying about: for the process's very last moment. */
export function abandonBackup(): void {
  removeOpenWorkshops()
}

type RecipeNeeds = {
  readonly runner: Runner
  readonly place: NamedFolder
  readonly destinations: Destinations
  readonly past: LookBack
  readonly startedMs: number
  readonly sealing: Sealing | undefined
}

/**
 * The recipe. The functions below hand each step the values that it needs: no other file in this folder knows all inputs. Throws a {@link BackupError} if
 * nothing was stored.
 */
async function runRecipe(
  inputs: BackupInputs,
  { runner, place, destinations, past, startedMs, sealing }: RecipeNeeds,
  tools: Tools,
): Promise<BackupOutcome> {
  await checkBefore(inputs, destinations, tools)
  const saved = await saveAll(inputs, { folder: place.folder, sealing }, tools)
  const { missed, missingError } = await guard(inputs, saved, place.folder, tools)
  const goesTo = destinationsFor(destinations, missingError)
  const { files, ...described } = describe(inputs, { run: runner.run, place, saved }, tools)
  const compared = await compare(inputs, { manifest: { ...described, files }, destinations: destinations.all, look: past.at }, tools)
  const recent = recentAfter(compared.kind === 'compared' ? compared.before : undefined, tools.clean)
  const plain = { ...described, recent, files }
  const manifest = sealing ? await sealUp(place.folder.path, plain, sealing) : plain
  if (compared.kind === 'compared') warnOfOtherRecipients(manifest, compared.previous, tools)
  const { snapshot, sizeBytes } = await finishSnapshot(place.folder, manifest)
  const { stored, failure, storeMs } = await storeSnapshot(snapshot, { destinations: goesTo, missingError, path: inputs.path }, tools)

  const { documents } = saved
  return {
    ...storedAs(stored, { manifest, sizeBytes, digest: documents.data?.file.digest }),
    stored,
    documents,
    missed,
    compared,
    durationMs: performance.now() - startedMs,
    stages: stageTimes({ exportMs: documents.exportMs, waitedMs: documents.waitedMs, storeMs }, tools.stopwatch),
    failure,
    withdraw: place.folder.discard,
  }
}

/** Finds out what would make all work useless, before anything is fetched. */
async function checkBefore(
  { path, source, filters, shard, includeAssets }: BackupInputs,
  destinations: Destinations,
  tools: Tools,
): Promise<void> {
  for (const destination of destinations.all) await destination.check()
  tools.log.info(`Backing up dataset "${source.dataset}" of project "${source.projectId}"`)
  await ensureRoomBelow(path, { source, filters, shard, includeAssets }, tools)
}

/** What was fetched and lies in the folder of the snapshot, and whether the token may read every document; null where that is not known. */
type Saved = { readonly documents: SavedDocuments; readonly assets: SavedAssets; readonly fullRead: boolean | null }

/** Where the files go, and what encrypts them. */
type FilesPlace = { readonly folder: SnapshotFolder; readonly sealing: Sealing | undefined }

async function saveAll(inputs: BackupInputs, place: FilesPlace, tools: Tools): Promise<Saved> {
  const { http, signal, now, stopwatch, log } = tools
  const api = sanityApi(inputs.source, { http, token: inputs.token, userAgent, signal, now, stopwatch, log })
  const { documents, assets } = await saveFiles(inputs, { api, ...place }, tools)
  return { documents, assets, fullRead: await findFullRead(api) }
}

type FilesNeeds = FilesPlace & { readonly api: SanityApi }

async function saveFiles(inputs: BackupInputs, { api, folder, sealing }: FilesNeeds, tools: Tools): Promise<Omit<Saved, 'fullRead'>> {
  const { token, exportMode, filters, shard, compression, compressionLevel } = inputs
  await using assets = inputs.includeAssets ? await beginAssets(assetNeeds(inputs, { folder, sealing }, tools), tools) : undefined
  const write = dataWriter({ shard, folder: folder.path, compression, compressionLevel, sealer: sealing?.sealer })
  const needs = { api, token, exportMode, filters: neededOf(filters, shard), pagesFolder: folder.pages, intake: assets, write }
  const documents = await saveDocuments(needs, tools)
  return { documents, assets: assets ? await tools.stopwatch.during('assets', assets.finish) : noAssets }
}

function assetNeeds(inputs: BackupInputs, { folder, sealing }: FilesPlace, { http }: Tools): AssetNeeds {
  const { source, token, filters, shard, assetConcurrency, assetCache, destinations } = inputs
  return {
    source,
    filters,
    shard,
    folder,
    sealer: sealing?.sealer,
    host: (signal) => assetHost(source, { http, token, userAgent, signal }),
    concurrency: assetConcurrency,
    cacheFolder: assetCache,
    // The cache shares no file with an encrypted snapshot.
    staysHere: destinations.has('directory') && sealing === undefined,
    readBackHere: destinations.has('artifact'),
  }
}

type Guarded = { readonly missed: MissingAssets; readonly missingError: BackupError | undefined }

/** Warns of what a user should know of the documents. Throws if there are too few; `missingError` says which files are missing, if the run fails for it. */
async function guard(inputs: BackupInputs, { documents, assets, fullRead }: Saved, folder: SnapshotFolder, tools: Tools): Promise<Guarded> {
  const { shard, destinations, branchLayout, minDocuments, source, onMissingAsset, encryptTo } = inputs
  const holdsDocuments = savesDocuments(shard)
  const asTextOnBranch = destinations.has('branch') && branchLayout === 'text'
  warnOfDocuments(documents.tally, { fullRead, holdsDocuments, asTextOnBranch }, tools)
  if (holdsDocuments) enforceMinimum(documents.tally.count, { minDocuments, source })
  // Who may read the log need not be one who may read the snapshot: nothing is said of its documents.
  const data = encryptTo ? undefined : documents.data?.file.path
  const missed = await findMissing(assets.missing, { folder: folder.path, data }, tools)
  return { missed, missingError: checkMissing(missed, onMissingAsset, tools) }
}

/** Where the snapshot goes. Throws if it lacks files of assets and may not be kept without. */
function destinationsFor({ all, incomplete }: Destinations, missingError: BackupError | undefined): readonly Destination[] {
  if (missingError === undefined) return all
  if (incomplete === undefined) throw missingError
  return [incomplete]
}

type DescribeNeeds = { readonly run: Run | null; readonly place: NamedFolder; readonly saved: Saved }

function describe(inputs: BackupInputs, { run, place, saved }: DescribeNeeds, { now, clean }: Tools): PlainManifest {
  const { source, label, shard, filters, includeAssets } = inputs
  const { name, takenAt } = place
  const { documents, assets, fullRead } = saved
  const finishedAt = now()
  return makeManifest({
    name,
    label,
    shard,
    takenAt,
    finishedAt,
    source,
    run,
    filters,
    documents,
    includeAssets,
    assets,
    fullRead,
    clean,
  })
}

/** Compares the snapshot with those before it. A part of a dataset is not compared: it says nothing about how many documents there are. */
async function compare(
  { shard, maxShrinkPercent }: BackupInputs,
  needs: Omit<ShrinkNeeds, 'maxShrinkPercent'>,
  tools: Tools,
): Promise<Comparison> {
  return savesDocuments(shard) ? await checkShrink({ ...needs, maxShrinkPercent }, tools) : { kind: 'off' }
}

/** Writes the manifest, which makes the files in the folder a snapshot. `sizeBytes` is the size of all of them. */
async function finishSnapshot(folder: SnapshotFolder, manifest: Manifest): Promise<{ snapshot: FinishedSnapshot; sizeBytes: number }> {
  const manifestEntry = await writeManifest(folder.path, manifest)
  return {
    snapshot: { folder, manifest, manifestBytes: printManifest(manifest) },
    sizeBytes: [...manifest.files, manifestEntry].reduce((sum, file) => sum + file.sizeBytes, 0),
  }
}
