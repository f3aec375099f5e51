import { join } from 'node:path'
import type { Sealer } from '../../../codec/age.ts'
import { assetTypes } from '../../../format/asset-id.ts'
import type { Filters } from '../../../format/manifest/filters.ts'
import type { Shard } from '../../../format/manifest/shard.ts'
import type { AssetHost } from '../../../sanity/asset-host.ts'
import type { ExportedDocument } from '../../../sanity/export/stream.ts'
import type { Source } from '../../../sanity/source.ts'
import { type AssetCache, openAssetCache } from '../../../snapshot/assets/cache.ts'
import { type AssetFolder, makeAssetFolder } from '../../../snapshot/assets/folder.ts'
import { type DiskQueue, makeDiskQueue } from '../../../snapshot/assets/queue.ts'
import { roomFor } from '../../../snapshot/workshop/room.ts'
import type { SnapshotFolder } from '../../../snapshot/workshop/workshop.ts'
import { workThrough } from '../../../streams/workers.ts'
import { plural } from '../../../text.ts'
import type { Tools } from '../../../tools.ts'
import { assetFetcher } from './download.ts'
import type { Fetched, Missing, WantedAsset } from './fetched.ts'
import { currentAssets, makePlaces, noteAsset, outdatedPaths, type Place, type Places } from './places.ts'
import { type AssetProgress, assetProgress } from './progress.ts'
import { concludeAssets, type SavedAssets } from './saved.ts'
import { leavesOutAll, wantedFinder } from './wanted.ts'

/** Saves the files of assets while the documents go by. */
export type AssetIntake = AsyncDisposable & {
  /** The documents come from the start: the snapshot holds only what comes from now on. What has been fetched is not fetched again. */
  readonly restart: () => void
  /** Takes the assets among some documents. Throws what has gone wrong with the files meanwhile. */
  readonly take: (documents: readonly ExportedDocument[]) => Promise<void>
  /** All documents have come: waits for the files that are still to come. */
  readonly finish: () => Promise<SavedAssets>
}

/** Which assets are saved, from where, and into what. */
export type AssetNeeds = {
  readonly source: Source
  readonly filters: Filters
  readonly shard: Shard | null
  readonly folder: SnapshotFolder
  /** Encrypts the files; undefined for a snapshot that anybody may read. */
  readonly sealer: Sealer | undefined
  /** Makes the way to the asset host; the signal is aborted when the intake is disposed. */
  readonly host: (signal: AbortSignal) => AssetHost
  /** How many files are downloaded at the same time. */
  readonly concurrency: number
  /** Undefined without a cache. */
  readonly cacheFolder: string | undefined
  /** Whether the snapshot stays in its folder for later steps, which may change its files: the cache must not share them. */
  readonly staysHere: boolean
  /** Whether the snapshot will be read back to this disk from where it is stored, which takes the room of another copy. */
  readonly readBackHere: boolean
}

/** So many files may be proven beside those that come in. */
const proofs = 8

/** Begins to save assets. In memory stays a note of each; what is still to be fetched waits on disk. */
export async function beginAssets(needs: AssetNeeds, tools: Tools): Promise<AssetIntake> {
  if (leavesOutAll(needs.filters)) tools.log.warning(nothingWanted)
  const intake = await openIntake(needs, tools)
  const working = fetchAll(intake)
  // Thrown by `finish`.
  working.catch(() => undefined)
  return {
    restart: () => {
      intake.places.pass++
    },
    take: async (documents) => await takeAssets(documents, intake),
    finish: async () => {
      intake.queue.end()
      await working
      return await finishAssets(intake, tools)
    },
    [Symbol.asyncDispose]: async () => {
      intake.leaving.abort(new Error('the assets are no longer wanted'))
      await working.catch(() => undefined)
      await intake.queue[Symbol.asyncDispose]()
    },
  }
}

/** What an open intake consists of, until it is disposed. */
type Intake = {
  /** Ends the fetching: after a failure, and when the intake is disposed. */
  readonly leaving: AbortController
  /** Aborted by `leaving`, and when the run is cancelled. */
  readonly signal: AbortSignal
  readonly places: Places
  readonly queue: DiskQueue<WantedAsset>
  readonly concurrency: number
  readonly fetchOne: (asset: WantedAsset) => Promise<Fetched>
  readonly findWanted: (document: ExportedDocument) => WantedAsset | Missing | undefined
  readonly folder: string
  readonly sealer: Sealer | undefined
  readonly files: AssetFolder
  readonly cache: AssetCache | undefined
  readonly room: ReturnType<typeof roomFor>
  readonly progress: AssetProgress
}

async function openIntake(needs: AssetNeeds, tools: Tools): Promise<Intake> {
  const { source, filters, shard, concurrency, cacheFolder, staysHere, sealer } = needs
  const folder = needs.folder.path
  const leaving = new AbortController()
  const signal = AbortSignal.any([tools.signal, leaving.signal])
  const cache = cacheFolder === undefined ? undefined : await openAssetCache(cacheFolder, { mayLink: !staysHere })
  const files = await makeAssetFolder(folder, { signal, sealing: sealer && { sealer, plainFolder: join(needs.folder.pages, 'plain') } })
  const queue = await makeDiskQueue<WantedAsset>(join(needs.folder.pages, 'assets.queue'))
  signal.addEventListener('abort', queue.end, { once: true })
  const host = needs.host(signal)
  return {
    leaving,
    signal,
    places: makePlaces(),
    queue,
    concurrency,
    fetchOne: assetFetcher({ host, files, cache, concurrency }, { wait: tools.wait, log: tools.log, signal }),
    findWanted: wantedFinder({ source, filters, shard, clean: tools.clean }),
    folder,
    sealer,
    files,
    cache,
    room: roomFor(folder, { copies: copiesOf(needs) }),
    progress: assetProgress(tools),
  }
}

/** How many times the files of assets will lie on the disk. */
function copiesOf({ cacheFolder, staysHere, readBackHere }: AssetNeeds): number {
  return [true, readBackHere, cacheFolder !== undefined && staysHere].filter(Boolean).length
}

const nothingWanted = `No files are saved, although \`include-assets\` asks for them: \`types\` or \`exclude-types\` leaves out the documents that describe them. Let both inputs take ${assetTypes.join(' and ')}, or set \`include-assets: false\`.`

/** Notes the assets among the documents and queues those whose files are to be asked for. Throws `disk-full` if there is no room for them. */
async function takeAssets(documents: readonly ExportedDocument[], intake: Intake): Promise<void> {
  const { signal, findWanted, places, progress, room, queue } = intake
  signal.throwIfAborted()
  const wanted: WantedAsset[] = []
  for (const document of documents) {
    const asset = findWanted(document)
    const toFetch = asset && noteAsset(document.id, asset, places)
    if (toFetch) wanted.push(toFetch)
  }
  if (wanted.length === 0) return
  progress.more(wanted.length)
  await room.reserve(wanted.reduce((sum, { sizeBytes = 0 }) => sum + sizeBytes, 0))
  await queue.push(wanted)
}

/** Fetches what is queued until the queue ends. The first failure ends all of it. */
async function fetchAll(intake: Intake): Promise<void> {
  await workThrough(intake.queue.items(), { concurrency: intake.concurrency + proofs }, async (asset) => {
    const place = intake.places.byPath.get(asset.name.path)
    if (!place) return
    try {
      intake.progress.done(await fetchInto(place, asset, intake))
    } catch (error) {
      intake.leaving.abort(error)
      throw error
    }
  })
}

/** Asks at one address after the other, as long as there is another. */
async function fetchInto(place: Place, asset: WantedAsset, { fetchOne }: Intake): Promise<Fetched> {
  for (let at = place.urls.indexOf(asset.url); ; at++) {
    const fetched = await fetchOne({ ...asset, sha1hash: asset.sha1hash ?? place.sha1hash, url: place.urls[at] as string })
    if (fetched.kind === 'missing' && at + 1 < place.urls.length) continue
    place.fetched = fetched
    return fetched
  }
}

/** All files have been fetched or given up: removes those that no document asks for any more, and writes the ledger. */
async function finishAssets(
  { signal, places, files, folder, sealer, progress, cache }: Intake,
  { clean, log }: Tools,
): Promise<SavedAssets> {
  signal.throwIfAborted()
  for (const path of outdatedPaths(places)) await files.remove(path)
  await files.sync()
  const saved = await concludeAssets(folder, currentAssets(places), { clean, sealer })
  progress.end(saved)
  const removed = (await cache?.shrink(saved.sizeBytes)) ?? 0
  if (removed > 0) log.info(`The asset cache was too large: ${plural(removed, 'file')} that no run has used for the longest time went.`)
  return saved
}
