import type { Inputs } from '../inputs.ts'
import type { ExportedDocument } from '../sanity/export.ts'
import { assetTypes, findAssetName, isInShard } from '../snapshot/asset-name.ts'
import { filter } from '../snapshot/filters.ts'
import type { Tools } from '../tools.ts'
import type { Fetched, WantedAsset } from './asset-fetcher.ts'

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

/** Undefined if no file can be named after the id of the document. */
export function wantedIn({ id, bytes }: ExportedDocument, clean: Tools['clean']): WantedAsset | undefined {
  const name = findAssetName(id)
  // An id that would have to be changed before it may be shown must not name a file either.
  if (!name || clean(id) !== id) return undefined
  const { url, size } = JSON.parse(bytes.toString('utf8')) as Record<string, unknown>
  return {
    name,
    url: typeof url === 'string' ? url : '',
    sizeBytes: typeof size === 'number' && Number.isSafeInteger(size) && size >= 0 ? size : undefined,
  }
}

export function nameless({ bytes }: ExportedDocument): Fetched {
  const { url } = JSON.parse(bytes.toString('utf8')) as Record<string, unknown>
  return {
    kind: 'missing',
    url: typeof url === 'string' ? url : '',
    status: 0,
    why: 'its id is not that of an asset, so no file can be named after it',
  }
}

/** What becomes of a file when none of its documents says where it is. */
export const addressless: Fetched = { kind: 'missing', url: '', status: 0, why: 'its document has no url' }
