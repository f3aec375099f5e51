import { BackupError } from '../../../errors.ts'
import { retrying } from '../../../http/retry.ts'
import { type AssetAnswer, type AssetHost, type Claims, type Lack, tooManyBytes, wrongBytes } from '../../../sanity/asset-host.ts'
import type { AssetCache } from '../../../snapshot/assets/cache.ts'
import { type AssetFolder, isSvg, type SavedAsset, UnprovenError } from '../../../snapshot/assets/folder.ts'
import { type Slot, slots } from '../../../streams/slots.ts'
import { formatDuration } from '../../../text.ts'
import type { Tools } from '../../../tools.ts'
import type { Fetched, WantedAsset } from './fetched.ts'
import { type HostHealth, hostHealth } from './host-health.ts'

/** Where files come from, and where they go. */
export type FetchNeeds = {
  readonly host: AssetHost
  readonly files: AssetFolder
  readonly cache: AssetCache | undefined
  /** How many downloads there may be at a time. */
  readonly concurrency: number
}

type FetchTools = Pick<Tools, 'wait' | 'signal' | 'log'>

/** What the downloads of one run share. */
type Downloads = Omit<FetchNeeds, 'concurrency'> & {
  readonly openSlot: () => Slot
  readonly health: HostHealth
  readonly retryRules: Parameters<typeof retrying>[1]
}

/**
 * Makes the function that saves the file of one asset: from the cache if that has it and its bytes are proven, else from the asset host, several
 * times if need be. It throws only what ends the run: a full disk, an abort, a rate limit that lasts, a host that fails time after time.
 */
export function assetFetcher({ host, files, cache, concurrency }: FetchNeeds, tools: FetchTools): (asset: WantedAsset) => Promise<Fetched> {
  const health = hostHealth({ concurrency })
  const downloads: Downloads = { host, files, cache, openSlot: slots(concurrency), health, retryRules: quietRetryRules(tools) }
  return async (asset) => (cache && (await findReusable(asset, cache, downloads))) ?? (await download(asset, downloads))
}

/** Retries of many files would drown all else in the log. */
const loggedRetries = 20

function quietRetryRules({ wait, signal, log }: FetchTools): Downloads['retryRules'] {
  let retries = 0
  return {
    wait,
    signal,
    onRetry: ({ title, message, retry }, waitMs, tryNumber) => {
      const write = ++retries > loggedRetries ? log.debug : log.info
      write(`${title}: ${message} Try ${tryNumber + 1} of ${retry.tries} follows in ${formatDuration(waitMs)}.`)
    },
  }
}

/** How the last request for a file went. */
type LastRequest = { status: number; lack: Lack }

async function download(asset: WantedAsset, downloads: Downloads): Promise<Fetched> {
  const last: LastRequest = { status: 0, lack: 'answer' }
  using slot = downloads.openSlot()
  try {
    return await retrying(async (tryNumber) => {
      await slot.take()
      return await downloadOnce(asset, { tryNumber, last, slot }, downloads)
    }, downloads.retryRules)
  } catch (error) {
    if (!isOfOneFile(error)) throw error
    return { kind: 'missing', url: asset.url, status: last.status, lack: last.lack, why: `${error.title}: ${error.message}` }
  }
}

type Try = { readonly tryNumber: number; readonly last: LastRequest; readonly slot: Slot }

async function downloadOnce(asset: WantedAsset, { tryNumber, last, slot }: Try, downloads: Downloads): Promise<Fetched> {
  const { health, cache } = downloads
  const { path } = asset.name
  const answer = await ask(asset, downloads)
  last.status = answer.status
  last.lack = 'answer'
  if (answer.kind === 'refused') return { kind: 'missing', url: asset.url, status: answer.status, lack: answer.lack, why: answer.why }
  if (answer.kind === 'failed') throw answer.error
  // Digesting everything a third time is for those that may need it.
  const claims = isSvg(asset.name) || hasNoSha1(asset) || tryNumber > 1 ? answer.claims : undefined
  const keep = async (file: string) => await cache?.add(path, file)
  const file = await save(asset, { body: freeSlotAtEnd(answer.body, slot), claims, keep }, downloads).catch((error: unknown) => {
    throw isOfOneFile(error) ? health.failed(error, path) : error
  })
  health.answered()
  if (file instanceof UnprovenError) {
    last.lack = 'proof'
    throw health.sentWrongFile(file.tooMany ? tooManyBytes() : wrongBytes(), path)
  }
  health.sentRightFile()
  return { kind: 'saved', file, reused: false }
}

async function ask({ name, url }: WantedAsset, { host, health }: Downloads): Promise<AssetAnswer> {
  const answer = await host.ask({ kind: name.kind, url }, 'GET')
  if (answer.kind === 'failed') return { kind: 'failed', status: answer.status, error: health.failed(answer.error, name.path) }
  // Status 0: the host was not asked.
  if (answer.kind === 'refused' && answer.status > 0) health.answered()
  return answer
}

/** The bytes of a file, and what the asset host says of them; undefined where it was not asked, or need not be believed. `keep`: as for {@link AssetFolder}. */
type Received = {
  readonly body: AsyncIterable<Buffer>
  readonly claims: Claims | undefined
  readonly keep?: (file: string) => Promise<void>
}

/** Writes and proves a file. Gives the error of one that nothing proves, and throws every other error. */
async function save(asset: WantedAsset, { body, claims, keep }: Received, { files }: Downloads): Promise<SavedAsset | UnprovenError> {
  const { name, sha1hash, sizeBytes } = asset
  try {
    return await files.save(body, { name, sha1hash, sizeBytes, claims: trusted(claims, asset) }, keep)
  } catch (error) {
    if (error instanceof UnprovenError) return error
    throw error
  }
}

/** The asset host speaks of the file that it has. That is the asset's only if it has the name that is in the asset's id. */
function trusted(claims: Claims | undefined, { name, url }: WantedAsset): Claims | undefined {
  return name.isOfId && URL.parse(url)?.pathname.endsWith(`/${name.file}`) ? claims : undefined
}

function hasNoSha1({ name, sha1hash }: WantedAsset): boolean {
  return name.sha1 === undefined && sha1hash === undefined
}

/** When all bytes have come, another download may begin: what is still to be done with them needs no connection. */
async function* freeSlotAtEnd(body: AsyncIterable<Buffer>, { leave }: Slot): AsyncGenerator<Buffer> {
  yield* body
  leave()
}

/** The file of an asset as the cache has it; undefined if it has none that can be proven. */
async function findReusable(asset: WantedAsset, cache: AssetCache, downloads: Downloads): Promise<Fetched | undefined> {
  const unasked = await reuse(asset, undefined, { cache, downloads })
  if (unasked !== 'unproven') return unasked
  // The bytes that the host has may differ from those that the id was made from: it says which it has.
  using slot = downloads.openSlot()
  await slot.take()
  const answer = await downloads.host.ask({ kind: asset.name.kind, url: asset.url }, 'HEAD')
  const asked = answer.kind === 'found' ? await reuse(asset, answer.claims, { cache, downloads }) : undefined
  return asked === 'unproven' ? undefined : asked
}

type Reuse = { readonly cache: AssetCache; readonly downloads: Downloads }

async function reuse(
  asset: WantedAsset,
  claims: Claims | undefined,
  { cache, downloads }: Reuse,
): Promise<Fetched | 'unproven' | undefined> {
  const body = await cache.findBytes(asset.name.path)
  if (body === undefined) return undefined
  const file = await save(asset, { body, claims }, downloads)
  if (file instanceof UnprovenError) return 'unproven'
  await cache.touch(asset.name.path)
  return { kind: 'saved', file, reused: true }
}

/** An error that says nothing about the other files. */
function isOfOneFile(error: unknown): error is BackupError {
  return error instanceof BackupError && error.code === 'sanity-unavailable' && error.retry.tries > 1
}
