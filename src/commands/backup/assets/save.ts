import { join } from 'node:path'
import { assetTypes } from '../../../format/asset-id.ts'
import type { LedgerEntry } from '../../../format/ledger.ts'
import type { FileEntry, MissingAsset } from '../../../format/manifest.ts'
import type { Inputs } from '../../../inputs/backup.ts'
import type { AssetHost } from '../../../sanity/asset-host.ts'
import type { ExportedDocument } from '../../../sanity/export/stream.ts'
import { type AssetCache, openAssetCache } from '../../../snapshot/assets/cache.ts'
import { type AssetFolder, makeAssetFolder } from '../../../snapshot/assets/folder.ts'
import { writeLedger } from '../../../snapshot/assets/ledger-file.ts'
import { makeDiskQueue } from '../../../snapshot/assets/queue.ts'
import { roomFor } from '../../../snapshot/workshop/room.ts'
import type { SnapshotFolder } from '../../../snapshot/workshop/workshop.ts'
import { workThrough } from '../../../streams/workers.ts'
import { formatBytes, formatCount, formatDuration, plural } from '../../../text.ts'
import type { Tools } from '../../../tools.ts'
import { assetFetcher, type Fetched, type Missing, type WantedAsset } from './download.ts'
import { addressless, contradicted, leavesOutAll, wantedFilter, wantedIn } from './wanted.ts'

/** The assets of a snapshot, saved; those that could not be saved are listed. */
export type SavedAssets = {
  /** Assets whose file is in the snapshot. */
  readonly count: number
  /** Of all files together. */
  readonly sizeBytes: number
  /** Assets whose file came from the cache. */
  readonly reused: number
  /** Assets whose bytes are not those that were uploaded, but those that the asset host says it has. */
  readonly provenByHost: number
  readonly missing: readonly MissingFile[]
  /** The ledger, and the files of the assets in the order of their paths. */
  readonly files: readonly FileEntry[]
}

export type MissingFile = MissingAsset & Pick<Missing, 'lack' | 'why'>

/** Saves the files of assets while the documents go by. */
export type AssetIntake = AsyncDisposable & {
  /** The documents come from the start: the snapshot holds only what comes from now on. What has been fetched is not fetched again. */
  readonly restart: () => void
  /** Takes the assets among some documents. Throws what has gone wrong with the files meanwhile. */
  readonly take: (documents: readonly ExportedDocument[]) => Promise<void>
  /** All documents have come: waits for the files that are still to come. */
  readonly finish: () => Promise<SavedAssets>
}

type Task = {
  readonly inputs: Inputs
  readonly folder: SnapshotFolder
  /** Makes the way to the asset host; the signal is aborted when the intake is left. */
  readonly host: (signal: AbortSignal) => AssetHost
}

/** A file: where its documents say that it is, and what became of it; undefined while it is fetched. Several ids may share one. */
type Place = { readonly urls: string[]; sha1hash: string | undefined; fetched: Fetched | undefined }
/** An asset, and the last pass over the documents in which it came. */
type Known = { readonly place: Place; readonly pass: number }

/** So many files may be proven beside those that come in. */
const proofs = 8

/** Begins to save assets. In memory stays a note of each; what is still to be fetched waits on disk. */
export async function beginAssets({ inputs, folder, host }: Task, tools: Tools): Promise<AssetIntake> {
  const leaving = new AbortController()
  const signal = AbortSignal.any([tools.signal, leaving.signal])
  const { assetCache, destinations } = inputs
  const staysHere = destinations.has('directory')
  const cache = assetCache === undefined ? undefined : await openAssetCache(assetCache, { mayLink: !staysHere })
  const files = await makeAssetFolder(folder.path, signal)
  const queue = await makeDiskQueue<WantedAsset>(join(folder.pages, 'assets.queue'))
  signal.addEventListener('abort', queue.end, { once: true })
  const concurrency = inputs.assetConcurrency
  const fetchOne = assetFetcher({ host: host(signal), files, folder: folder.path, cache, concurrency }, { ...tools, signal })
  const progress = assetProgress(tools)
  const copies = [true, destinations.has('artifact'), cache !== undefined && staysHere].filter(Boolean).length
  const room = roomFor(folder.path, { copies })
  const known = new Map<string, Known>()
  const places = new Map<string, Place>()
  const isWanted = wantedFilter(inputs)
  if (leavesOutAll(inputs)) {
    tools.log.warning(
      `No files are saved, although \`include-assets\` asks for them: \`types\` or \`exclude-types\` leaves out the documents that describe them. Let both inputs take ${assetTypes.join(' and ')}, or set \`include-assets: false\`.`,
    )
  }
  let pass = 0

  const working = workThrough(queue.items(), { concurrency: concurrency + proofs }, async (asset) => {
    try {
      const place = places.get(asset.name.path)
      if (place) progress.done(await fetchFrom(place, asset))
    } catch (error) {
      leaving.abort(error)
      throw error
    }
  })
  working.catch(() => undefined)

  /** Asks in one place after the other, as long as there is another. */
  const fetchFrom = async (place: Place, asset: WantedAsset): Promise<Fetched> => {
    for (let at = place.urls.indexOf(asset.url); ; at++) {
      const fetched = await fetchOne({ ...asset, sha1hash: asset.sha1hash ?? place.sha1hash, url: place.urls[at] as string })
      if (fetched.kind === 'missing' && at + 1 < place.urls.length) continue
      place.fetched = fetched
      return fetched
    }
  }

  /** Notes an asset; gives it back if its file is to be asked for. */
  const noteAsset = (document: ExportedDocument): WantedAsset[] => {
    const asset = wantedIn(document, { source: inputs.source, clean: tools.clean })
    const place = 'kind' in asset ? placeWith(asset) : placeOf(asset, places)
    known.set(document.id, { place, pass })
    if ('kind' in asset || place.fetched === contradicted) return []
    if (asset.url === '' || place.urls.includes(asset.url)) return []
    place.urls.push(asset.url)
    // What is being fetched takes the next address by itself, if it must.
    if (place.fetched?.kind !== 'missing') return []
    place.fetched = undefined
    return [asset]
  }

  return {
    restart: () => {
      pass++
    },
    take: async (documents) => {
      signal.throwIfAborted()
      const wanted = documents.filter(isWanted).flatMap(noteAsset)
      if (wanted.length === 0) return
      progress.more(wanted.length)
      await room.reserve(wanted.reduce((sum, { sizeBytes = 0 }) => sum + sizeBytes, 0))
      await queue.push(wanted)
    },
    finish: async () => {
      queue.end()
      await working
      signal.throwIfAborted()
      const current = [...known].filter(([, asset]) => asset.pass === pass)
      await removeOthers(current, places, files)
      await files.sync()
      const saved = await conclude(current, folder.path, tools.clean)
      progress.tell(saved)
      await tidyCache(cache, saved.sizeBytes, tools)
      return saved
    },
    [Symbol.asyncDispose]: async () => {
      leaving.abort(new Error('the assets are no longer wanted'))
      await working.catch(() => undefined)
      await queue[Symbol.asyncDispose]()
    },
  }
}

function placeWith(fetched: Fetched): Place {
  return { urls: [], sha1hash: undefined, fetched }
}

/** The place of an asset's file; one of its own, where nothing is, for an asset whose document contradicts another. */
function placeOf({ name, sha1hash }: WantedAsset, places: Map<string, Place>): Place {
  const place = places.get(name.path) ?? placeWith(addressless)
  places.set(name.path, place)
  if (sha1hash !== undefined && place.sha1hash !== undefined && sha1hash !== place.sha1hash) return placeWith(contradicted)
  place.sha1hash ??= sha1hash
  return place
}

/** Files of assets that were there in a pass that broke off, and are no longer. */
async function removeOthers(current: readonly [string, Known][], places: ReadonlyMap<string, Place>, files: AssetFolder): Promise<void> {
  const wanted = new Set(current.map(([, { place }]) => place))
  for (const [path, place] of places) if (!wanted.has(place)) await files.remove(path)
}

async function conclude(current: readonly [string, Known][], folder: string, clean: Tools['clean']): Promise<SavedAssets> {
  const entries: LedgerEntry[] = []
  const missing: MissingFile[] = []
  const reused = new Set<string>()
  for (const [id, { place }] of current) {
    const { fetched } = place
    if (fetched === undefined) throw new Error('an asset was left out')
    if (fetched.kind === 'missing')
      missing.push({ id: clean(id), url: clean(fetched.url), status: fetched.status, lack: fetched.lack, why: clean(fetched.why) })
    else entries.push({ id, ...fetched.file })
    if (fetched.kind === 'saved' && fetched.reused) reused.add(id)
  }
  entries.sort((a, b) => compare(a.path, b.path) || compare(a.id, b.id))
  missing.sort((a, b) => compare(a.id, b.id))
  const files = entries
    .filter(({ path }, index) => path !== entries[index - 1]?.path)
    .map(({ path, sizeBytes, digest }): FileEntry => ({ path, sizeBytes, digest }))
  return {
    count: entries.length,
    sizeBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    reused: reused.size,
    provenByHost: entries.filter(({ provenBy }) => provenBy !== 'sha1').length,
    missing,
    files: [await writeLedger(folder, entries), ...files],
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}

async function tidyCache(cache: AssetCache | undefined, usedBytes: number, { log }: Tools): Promise<void> {
  const removed = (await cache?.shrink(usedBytes)) ?? 0
  if (removed > 0) log.info(`The asset cache was too large: ${plural(removed, 'file')} that no run has used for the longest time went.`)
}

function assetProgress({ log }: Tools) {
  const startedAt = performance.now()
  const counts = { wanted: 0, done: 0, bytes: 0 }
  return {
    more: (count: number) => {
      counts.wanted += count
    },
    done: (fetched: Fetched) => {
      counts.done++
      if (fetched.kind === 'saved') counts.bytes += fetched.file.sizeBytes
      log.progress(() => {
        const seconds = Math.max(0.001, (performance.now() - startedAt) / 1000)
        const rate = formatBytes(Math.round(counts.bytes / seconds))
        return `Saving assets: ${formatCount(counts.done)} of ${formatCount(counts.wanted)}, ${formatBytes(counts.bytes)}, ${rate}/s`
      })
    },
    tell: ({ count, sizeBytes, reused, provenByHost }: SavedAssets) => {
      const cached = reused > 0 ? `, ${formatCount(reused)} of them from the cache` : ''
      log.info(`Saved ${plural(count, 'asset')} (${formatBytes(sizeBytes)}${cached}) in ${formatDuration(performance.now() - startedAt)}`)
      if (provenByHost > 0) {
        log.info(
          `${plural(provenByHost, 'asset')} differed from the SHA-1 in the id, as cleaned SVG files do, and fit what the asset host says of them.`,
        )
      }
    },
  }
}
