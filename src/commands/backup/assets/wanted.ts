import { assetTypes, findAssetName, findNameAtHost, isSha1 } from '../../../format/asset-id.ts'
import { filter } from '../../../format/filters.ts'
import { isInShard } from '../../../format/shard.ts'
import type { Inputs } from '../../../inputs/backup.ts'
import type { Source } from '../../../sanity/api.ts'
import { assetAddress } from '../../../sanity/asset-host.ts'
import type { ExportedDocument } from '../../../sanity/export/stream.ts'
import type { Tools } from '../../../tools.ts'
import type { Missing, WantedAsset } from './download.ts'

/** Asset documents that are in the snapshot, and in this shard. */
export function wantedFilter({ filters, shard }: Inputs): (document: ExportedDocument) => boolean {
  const verdictOn = filter(filters)
  const types: ReadonlySet<string> = new Set(assetTypes)
  return (document) => types.has(document.type) && verdictOn(document) === 'keep' && (shard === null || isInShard(document.id, shard))
}

export function leavesOutAll({ filters }: Inputs): boolean {
  const verdictOn = filter(filters)
  return assetTypes.every((type) => verdictOn({ id: '-', type }) !== 'keep')
}

type Means = { readonly source: Source; readonly clean: Tools['clean'] }

/** The asset that a document stands for; if its file cannot be named, what is told of that. */
export function wantedIn({ id, type, bytes }: ExportedDocument, { source, clean }: Means): WantedAsset | Missing {
  const { url, path, size, sha1hash } = JSON.parse(bytes.toString('utf8')) as Record<string, unknown>
  const address = assetAddress(source, { url, path })
  const name = findAssetName(id) ?? findNameAtHost(type, address)
  // A name that would have to be changed before it may be shown must not name a file either.
  if (!name || clean(id) !== id || clean(name.path) !== name.path) return { ...nameless, url: address }
  return {
    name,
    url: address,
    sha1hash: name.sha1 === undefined && isSha1(sha1hash) ? sha1hash : undefined,
    sizeBytes: typeof size === 'number' && Number.isSafeInteger(size) && size >= 0 ? size : undefined,
  }
}

const nameless: Missing = {
  kind: 'missing',
  url: '',
  status: 0,
  lack: 'name',
  why: 'neither its id nor its path is one of Sanity’s, so no file can be named after it',
}

/** What becomes of a file when none of its documents says where it is. */
export const addressless: Missing = { kind: 'missing', url: '', status: 0, lack: 'address', why: 'its document has no url and no path' }

/** What becomes of an asset when another one's document says something else of the same file. */
export const contradicted: Missing = {
  kind: 'missing',
  url: '',
  status: 0,
  lack: 'proof',
  why: 'another document says that the file of this name has another SHA-1',
}
