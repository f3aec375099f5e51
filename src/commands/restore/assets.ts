import { join } from 'node:path'
import { assetTypes, findAssetName } from '../../format/asset-id.ts'
import { retrying, retryRules } from '../../http/retry.ts'
import type { Catalog } from '../../restore/plan/catalog.ts'
import type { AssetSource } from '../../restore/plan/intents.ts'
import { type AssetHost, assetHost } from '../../sanity/asset-host.ts'
import type { Source } from '../../sanity/source.ts'
import { makeAssetFolder } from '../../snapshot/assets/folder.ts'
import { findStoredFiles, type StoredFile, sha1OfFile } from '../../snapshot/assets/stored-files.ts'
import { workThrough } from '../../streams/workers.ts'
import { plural } from '../../text.ts'
import type { Tools } from '../../tools.ts'
import { toolVersion } from '../../version.ts'
import { assetFetcher } from '../backup/assets/download.ts'
import type { WantedAsset } from '../backup/assets/fetched.ts'
import { assetIn } from '../backup/assets/wanted.ts'
import { assetsIn } from './snapshot-side.ts'
import type { HeldSnapshot } from './source.ts'

/** The assets of the snapshot that the target lacks. */
export type LackingAssets = {
  /** Where their files are. Of those that only the asset host may have it is what `confirm` has found out; until then it is taken to have them. */
  readonly sources: ReadonlyMap<number, AssetSource>
  /** Asks the asset host for those of these documents that nobody has asked for yet. Gives how many there were. */
  readonly confirm: (documents: readonly number[]) => Promise<number>
  /** Those that come back under another id, which the bytes give them; by numbers, and by ids. */
  readonly newIds: ReadonlyMap<number, number>
  readonly newNames: ReadonlyMap<string, string>
  /** The file of one of them on this disk, fetched if need be. Throws what fetching throws. */
  readonly fileOf: (document: number) => Promise<AssetFileHere>
}

/** A file to upload. */
type AssetFileHere = Pick<StoredFile, 'path' | 'sizeBytes'>

type Lacking = {
  readonly number: number
  readonly id: string
  readonly wanted: WantedAsset | undefined
  readonly stored: StoredFile | undefined
}

type AssetNeeds = {
  readonly catalog: Catalog
  readonly includeAssets: boolean
  /** Where the target is, and its token. */
  readonly target: Source
  readonly token: string
  /** For files that have to be fetched. */
  readonly scratch: string
}

const atATime = 8

/**
 * Finds where the file of each asset is that the target lacks: in the snapshot, or at Sanity's asset host, which is asked only for what is to be
 * uploaded. Of files whose bytes are not those that
 * the id was made from (cleaned SVGs, old ids) it also finds out the id that they will get: it is made from the SHA-1 of what is uploaded
 * (sanity.io/docs, manage assets; sanity-io/sanity issue 3297).
 */
export async function findLackingAssets(snapshot: HeldSnapshot, needs: AssetNeeds, tools: Tools): Promise<LackingAssets> {
  const lacking = await listLacking(snapshot, needs, tools)
  const files = await openFiles(snapshot, needs, tools)
  const sources = new Map<number, AssetSource>()
  const newIds = new Map<number, number>()
  const newNames = new Map<string, string>()
  const byNumber = new Map(lacking.map((each) => [each.number, each]))
  const unasked = new Set<number>()
  await workThrough(lacking.values(), { concurrency: atATime }, async (asset) => {
    const { source, sha1 } = await files.look(asset)
    if (source === 'unasked' && needs.includeAssets) unasked.add(asset.number)
    const found = source === 'unasked' ? 'host' : source
    sources.set(asset.number, needs.includeAssets || typeof found === 'object' ? found : { nowhere: notWanted })
    const newId = sha1 === undefined ? undefined : idFor(asset.id, sha1)
    if (newId === undefined || newId === asset.id) return
    newNames.set(asset.id, newId)
    newIds.set(asset.number, needs.catalog.numberFor(newId))
    tools.log.progress(() => `Looking for the files of ${plural(lacking.length, 'asset')} that the target lacks: ${sources.size} found`)
  })
  const confirm = async (documents: readonly number[]): Promise<number> => {
    const asked = documents.filter((document) => unasked.delete(document))
    let done = 0
    await workThrough(asked.values(), { concurrency: atATime }, async (document) => {
      sources.set(document, await files.ask(byNumber.get(document)))
      done++
      tools.log.progress(() => `Asking for the files of ${plural(asked.length, 'asset')} that the target lacks: ${done} asked for`)
    })
    return asked.length
  }
  return { sources, confirm, newIds, newNames, fileOf: async (document) => await files.here(byNumber.get(document)) }
}

const notWanted = 'the target lacks its file, and `include-assets` is `false`'

async function listLacking(snapshot: HeldSnapshot, { catalog, target }: AssetNeeds, { clean, signal }: Tools): Promise<Lacking[]> {
  const { byType } = snapshot.manifest.documents
  if (Object.keys(byType).length > 0 && !assetTypes.some((type) => type in byType)) return []
  const source = sourceOf(snapshot, target)
  const wantedById = new Map<string, WantedAsset | undefined>()
  for await (const document of assetsIn(snapshot)) {
    signal.throwIfAborted()
    if (catalog.has('target', catalog.numberFor(document.id))) continue
    const wanted = assetIn({ ...document, bytes: document.line }, source, clean)
    wantedById.set(document.id, 'kind' in wanted ? undefined : wanted)
  }
  const stored = await findStoredFiles(snapshot, new Set(wantedById.keys()))
  return [...wantedById].map(([id, wanted]) => ({ number: catalog.numberFor(id), id, wanted, stored: stored.get(id) }))
}

/** Where the files of the snapshot's own dataset are. */
function sourceOf({ manifest: { source } }: HeldSnapshot, target: Source): Source {
  return { ...target, projectId: source.projectId, dataset: source.dataset }
}

/** The id of an asset with these bytes: the same as before but for what stands for them. */
function idFor(id: string, sha1: string): string | undefined {
  const name = findAssetName(id)
  return name === undefined ? undefined : id.replace(/^(image|file)-[A-Za-z0-9]{24,40}-/, `$1-${sha1}-`)
}

/** `sha1` is given where it may differ from the one in the id. */
type Look = { readonly source: AssetSource | 'unasked'; readonly sha1?: string }

type Files = {
  readonly look: (asset: Lacking) => Promise<Look>
  readonly ask: (asset: Lacking | undefined) => Promise<AssetSource>
  readonly here: (asset: Lacking | undefined) => Promise<AssetFileHere>
}

async function openFiles(snapshot: HeldSnapshot, { target, token, scratch }: AssetNeeds, tools: Tools): Promise<Files> {
  const { http, signal } = tools
  const host = assetHost(sourceOf(snapshot, target), { http, token, userAgent: `sanity-backup/${toolVersion}`, signal })
  const folder = await makeAssetFolder(scratch, { signal })
  const fetchFile = assetFetcher({ host, files: folder, cache: undefined, concurrency: atATime }, tools)
  const fetchHere = async (wanted: WantedAsset): Promise<AssetFileHere | { readonly why: string }> => {
    const fetched = await fetchFile(wanted)
    return fetched.kind === 'missing' ? fetched : { path: join(scratch, fetched.file.path), sizeBytes: fetched.file.sizeBytes }
  }
  return {
    look: async ({ wanted, stored }) => {
      if (stored) return { source: 'snapshot', ...(stored.asUploaded ? {} : { sha1: await sha1OfFile(stored.path, signal) }) }
      if (!wanted) return { source: nameless }
      if (mayGetNewId(wanted)) {
        const file = await fetchHere(wanted)
        return 'why' in file ? { source: { nowhere: gone(file.why) } } : { source: 'host', sha1: await sha1OfFile(file.path, signal) }
      }
      return { source: 'unasked' }
    },
    ask: async (asset) => (asset?.wanted ? await askFor(asset.wanted, host, tools) : nameless),
    here: async (asset) => {
      if (asset?.stored) return asset.stored
      const file = asset?.wanted ? await fetchHere(asset.wanted) : { why: nameless.nowhere }
      if ('why' in file) throw new LostFileError(gone(file.why))
      return file
    },
  }
}

const nameless = { nowhere: 'no file is known by its name' } as const

/** A file that was still there when the plan was made. */
export class LostFileError extends Error {}

function gone(why: string): string {
  return `its file is not in the snapshot, and cannot be had from Sanity: ${why}`
}

function mayGetNewId({ name }: WantedAsset): boolean {
  return name.extension.toLowerCase() === 'svg' || name.sha1 === undefined
}

async function askFor({ name, url }: WantedAsset, host: AssetHost, tools: Tools): Promise<AssetSource> {
  const answer = await retrying(async () => {
    const asked = await host.ask({ kind: name.kind, url }, 'HEAD')
    if (asked.kind === 'failed') throw asked.error
    return asked
  }, retryRules(tools))
  return answer.kind === 'found' ? 'host' : { nowhere: gone(answer.why) }
}
