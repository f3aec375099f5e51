import type { AssetName } from '../../../format/asset-id.ts'
import type { Lack } from '../../../sanity/asset-host.ts'
import type { SavedAsset } from '../../../snapshot/assets/folder.ts'

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
export type Fetched = { readonly kind: 'saved'; readonly file: SavedAsset; readonly reused: boolean } | Missing

/** What becomes of an asset that no file can be named after. */
export const nameless: Missing = {
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
