import { assetTypes, findAssetName, findNameAtHost, isSha1 } from '../../../format/asset-id.ts'
import { type Filters, filter } from '../../../format/manifest/filters.ts'
import type { Shard } from '../../../format/manifest/shard.ts'
import { isInShard } from '../../../format/manifest/shard.ts'
import { assetAddress } from '../../../sanity/asset-host.ts'
import type { ExportedDocument } from '../../../sanity/export/stream.ts'
import type { Source } from '../../../sanity/source.ts'
import type { Tools } from '../../../tools.ts'
import { type Missing, nameless, type WantedAsset } from './fetched.ts'

type WantedNeeds = {
  readonly source: Source
  readonly filters: Filters
  readonly shard: Shard | null
  readonly clean: Tools['clean']
}

/** Whether no document of an asset can pass these filters. */
export function leavesOutAll(filters: Filters): boolean {
  const verdictOn = filter(filters)
  return assetTypes.every((type) => verdictOn({ id: '-', type }) !== 'keep')
}

/**
 * Makes the function that gives the asset that a document stands for; if its file cannot be named, why not. Undefined for every other document, and
 * for assets that are not in the snapshot or belong to another shard.
 */
export function wantedFinder({
  source,
  filters,
  shard,
  clean,
}: WantedNeeds): (document: ExportedDocument) => WantedAsset | Missing | undefined {
  const verdictOn = filter(filters)
  const types: ReadonlySet<string> = new Set(assetTypes)
  return (document) => {
    if (!types.has(document.type) || verdictOn(document) !== 'keep') return undefined
    if (shard !== null && !isInShard(document.id, shard)) return undefined
    return assetIn(document, source, clean)
  }
}

/** The file that the document of an asset stands for; if it cannot be named, why not. */
export function assetIn({ id, type, bytes }: ExportedDocument, source: Source, clean: Tools['clean']): WantedAsset | Missing {
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
