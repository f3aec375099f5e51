import { join } from 'node:path'
import { BackupError } from '../../../errors.ts'
import type { AssetName } from '../../../format/asset-id.ts'
import type { SavedFile } from '../../../format/ledger.ts'
import { retrying } from '../../../http/retry.ts'
import { type AssetAnswer, type AssetHost, type Claims, type Lack, tooManyBytes, wrongBytes } from '../../../sanity/asset-host.ts'
import type { AssetCache } from '../../../snapshot/assets/cache.ts'
import { type AssetFolder, isSvg, UnprovenError } from '../../../snapshot/assets/folder.ts'
import { type Slot, slots } from '../../../streams/slots.ts'
import { formatDuration, plural } from '../../../text.ts'
import type { Tools } from '../../../tools.ts'

/** An asset whose file is wanted, by what its document says. `sha1hash` is there only where the name holds no SHA-1. */
export type WantedAsset = {
  readonly name: AssetName
  readonly url: string
  readonly sha1hash: string | undefined
  readonly sizeBytes: number | undefined
}

/** A file that could not be had, and why. */
export type Missing = {
  readonly kind: 'missing'
  readonly url: string
  readonly status: number
  readonly lack: Lack
  readonly why: string
}

/** What became of the file of an asset. */
export type Fetched = { readonly kind: 'saved'; readonly file: SavedFile; readonly reused: boolean } | Missing

type Means = {
  readonly host: AssetHost
  readonly files: AssetFolder
  /** The folder of the snapshot. */
  readonly folder: string
  readonly cache: AssetCache | undefined
  /** How many downloads there may be at a time. */
  readonly concurrency: number
}

/** So many requests for each parallel download may fail one after the other, with none between that worked, before no more are made. */
const failuresPerDownload = 4
/** A host that fails does so for every file. A few that it cannot give are only missing. */
const leastFilesOfStorm = 5
/** A dataset can have some files that are not what they were. A host, or a proxy, that gives only such is none. */
const mostWrongFiles = 100
/** Retries of many files would drown all else in the log. */
const toldRetries = 20

/**
 * Makes the function that saves the file of one asset: from the cache if that has it and its bytes are proven, else from the asset host, several
 * times if need be. Throws only what ends the run: a full disk, an abort, a rate limit that lasts, a host that fails time after time.
 */
export function assetFetcher(means: Means, tools: Tools): (asset: WantedAsset) => Promise<Fetched> {
  const { host, files, folder, cache } = means
  const stormAt = { requests: failuresPerDownload * means.concurrency, files: Math.max(leastFilesOfStorm, means.concurrency + 1) }
  /** Since the host last gave a file, or said that there is none. */
  const failing = inARow()
  /** Since the host last gave a file that is the right one. */
  const wrong = inARow()
  let retries = 0

  const openSlot = slots(means.concurrency)

  const failed = (error: BackupError, { name }: WantedAsset): BackupError => {
    failing.add(name.path)
    return failing.requests() >= stormAt.requests && failing.files() >= stormAt.files ? storm(error, failing.requests()) : error
  }
  const unproven = ({ name }: WantedAsset, { tooMany }: UnprovenError): BackupError => {
    wrong.add(name.path)
    const error = tooMany ? tooManyBytes() : wrongBytes()
    return wrong.files() >= mostWrongFiles ? storm(error, wrong.requests()) : error
  }

  const patience = {
    wait: tools.wait,
    signal: tools.signal,
    onRetry: (error: BackupError, waitMs: number, tryNumber: number) => {
      const say = ++retries > toldRetries ? tools.log.debug : tools.log.info
      say(`${error.title}: ${error.message} Try ${tryNumber + 1} of ${error.retry.tries} follows in ${formatDuration(waitMs)}.`)
    },
  }

  const save = async (asset: WantedAsset, body: AsyncIterable<Buffer>, claims: Claims | undefined): Promise<SavedFile | UnprovenError> => {
    try {
      return await files.save(body, { ...asset, claims: trusted(claims, asset) })
    } catch (error) {
      if (error instanceof UnprovenError) return error
      throw error
    }
  }

  const download = async (asset: WantedAsset): Promise<Fetched> => {
    const last: Last = { status: 0, lack: 'answer' }
    using slot = openSlot()
    try {
      return await retrying(async (tryNumber) => {
        await slot.take()
        const answer = await askFor(asset, last)
        last.lack = 'answer'
        if (answer.kind === 'refused') return { ...answer, kind: 'missing', url: asset.url }
        if (answer.kind === 'failed') throw answer.error
        // Digesting everything a third time is for those that may need it.
        const claims = isSvg(asset.name) || hasNoSha1(asset) || tryNumber > 1 ? answer.claims : undefined
        const file = await save(asset, leaving(answer.body, slot), claims).catch((error: unknown) => {
          throw isOfOneFile(error) ? failed(error, asset) : error
        })
        failing.end()
        if (file instanceof UnprovenError) {
          last.lack = 'proof'
          throw unproven(asset, file)
        }
        wrong.end()
        await cache?.add(file.path, join(folder, file.path))
        return { kind: 'saved', file, reused: false }
      }, patience)
    } catch (error) {
      if (!isOfOneFile(error)) throw error
      return { kind: 'missing', url: asset.url, ...last, why: reasonOf(error) }
    }
  }

  const askFor = async (asset: WantedAsset, last: Last): Promise<AssetAnswer> => {
    const answer = await host.ask({ kind: asset.name.kind, url: asset.url }, 'GET')
    last.status = answer.status
    if (answer.kind === 'failed') return { ...answer, error: failed(answer.error, asset) }
    if (answer.kind === 'refused' && answer.status > 0) failing.end()
    return answer
  }

  return async (asset) => (await findReusable(asset, { host, cache, save, openSlot })) ?? (await download(asset))
}

/** How the last request for a file went. */
type Last = { status: number; lack: Lack }

/** What the asset host says of a file tells of an asset only if the file has the name that is in the asset's id: else it is another file. */
function trusted(claims: Claims | undefined, { name, url }: WantedAsset): Claims | undefined {
  return name.isOfId && URL.parse(url)?.pathname.endsWith(`/${name.file}`) ? claims : undefined
}

function hasNoSha1({ name, sha1hash }: WantedAsset): boolean {
  return name.sha1 === undefined && sha1hash === undefined
}

/** Counts what goes wrong, one after the other. */
function inARow() {
  const files = new Set<string>()
  let requests = 0
  return {
    add: (path: string): void => {
      files.add(path)
      requests++
    },
    end: (): void => {
      files.clear()
      requests = 0
    },
    files: (): number => files.size,
    requests: (): number => requests,
  }
}

/** When all bytes have come, another download may begin: what is still to be done with them needs no connection. */
async function* leaving(body: AsyncIterable<Buffer>, { leave }: Slot): AsyncGenerator<Buffer> {
  yield* body
  leave()
}

type Reuse = {
  readonly host: AssetHost
  readonly cache: AssetCache | undefined
  readonly save: (asset: WantedAsset, body: AsyncIterable<Buffer>, claims: Claims | undefined) => Promise<SavedFile | UnprovenError>
  readonly openSlot: () => Slot
}

/** The file of an asset as the cache has it; undefined if it has none that can be proven. */
async function findReusable(asset: WantedAsset, { host, cache, save, openSlot }: Reuse): Promise<Fetched | undefined> {
  let tried = false
  const attempt = async (claims: Claims | undefined): Promise<Fetched | undefined> => {
    const body = await cache?.findBytes(asset.name.path)
    tried = body !== undefined
    const file = body && (await save(asset, body, claims))
    if (file === undefined || file instanceof UnprovenError) return undefined
    await cache?.touch(asset.name.path)
    return { kind: 'saved', file, reused: true }
  }
  if (cache === undefined) return undefined
  const file = await attempt(undefined)
  if (file || !tried) return file
  // The bytes that the host has may differ from those that the id was made from: it says which it has.
  using slot = openSlot()
  await slot.take()
  const answer = await host.ask({ kind: asset.name.kind, url: asset.url }, 'HEAD')
  return answer.kind === 'found' ? await attempt(answer.claims) : undefined
}

/** An error that says nothing about the other files. */
function isOfOneFile(error: unknown): error is BackupError {
  return error instanceof BackupError && error.code === 'sanity-unavailable' && error.retry.tries > 1
}

function reasonOf({ title, message }: BackupError): string {
  return `${title}: ${message}`
}

function storm({ code, title, message, hint, cause }: BackupError, count: number): BackupError {
  return new BackupError({
    code,
    title: 'The asset host fails time after time',
    message: `${plural(count, 'request')} for the files of assets failed, one after the other, so no more were made. The last one: ${title}: ${message}`,
    hint,
    cause,
  })
}
