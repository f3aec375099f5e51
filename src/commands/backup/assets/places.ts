import { addressless, contradicted, type Fetched, type Missing, type WantedAsset } from './fetched.ts'

/** A file: where its documents say that it is, and what became of it; undefined while it is fetched. Several ids may share one. */
export type Place = { readonly urls: string[]; sha1hash: string | undefined; fetched: Fetched | undefined }

/** An asset, and the last pass over the documents in which it came. */
type KnownAsset = { readonly place: Place; readonly pass: number }

/** The assets that came, and their files. Several passes over the documents share the files: what was fetched is not fetched again. */
export type Places = { pass: number; readonly byId: Map<string, KnownAsset>; readonly byPath: Map<string, Place> }

/** Makes {@link Places} without any asset, in their first pass. */
export function makePlaces(): Places {
  return { pass: 0, byId: new Map(), byPath: new Map() }
}

/** Notes the asset of a document, or why its file cannot be named. Gives the asset if its file is to be asked for, else undefined. */
export function noteAsset(id: string, asset: WantedAsset | Missing, places: Places): WantedAsset | undefined {
  const place = 'kind' in asset ? placeWith(asset) : placeOf(asset, places.byPath)
  places.byId.set(id, { place, pass: places.pass })
  if ('kind' in asset || place.fetched === contradicted) return undefined
  if (asset.url === '' || place.urls.includes(asset.url)) return undefined
  place.urls.push(asset.url)
  // A file that is being fetched takes the next address by itself, if it has to.
  if (place.fetched?.kind !== 'missing') return undefined
  place.fetched = undefined
  return asset
}

/** The ids of the assets that came in the current pass, with the places of their files. */
export function currentAssets({ pass, byId }: Places): [string, Place][] {
  return [...byId].filter(([, asset]) => asset.pass === pass).map(([id, { place }]) => [id, place])
}

/** The paths of files whose assets came only in earlier passes, which broke off. */
export function outdatedPaths(places: Places): string[] {
  const current = new Set(currentAssets(places).map(([, place]) => place))
  return [...places.byPath].filter(([, place]) => !current.has(place)).map(([path]) => path)
}

function placeWith(fetched: Fetched): Place {
  return { urls: [], sha1hash: undefined, fetched }
}

/** The place of an asset's file; one of its own, where nothing is, for an asset whose document contradicts another. */
function placeOf({ name, sha1hash }: WantedAsset, byPath: Map<string, Place>): Place {
  const place = byPath.get(name.path) ?? placeWith(addressless)
  byPath.set(name.path, place)
  if (sha1hash !== undefined && place.sha1hash !== undefined && sha1hash !== place.sha1hash) return placeWith(contradicted)
  place.sha1hash ??= sha1hash
  return place
}
