import { publishedId } from './manifest/filters.ts'

/** What an asset's file is called: nothing but letters and digits from elsewhere reaches a path. */
export type AssetName = {
  readonly kind: 'image' | 'file'
  /** Of the bytes as they were uploaded; undefined in names from before Sanity put it there. */
  readonly sha1: string | undefined
  readonly extension: string
  /** What the asset host calls the file. */
  readonly file: string
  /** Where the file lies in a snapshot. */
  readonly path: string
  /** Whether the asset's id has it, so that a file of that name at the asset host is this one. */
  readonly isOfId: boolean
}

const imageType = 'sanity.imageAsset'

/** The types of the documents that stand for files. */
export const assetTypes = [imageType, 'sanity.fileAsset'] as const

/** Whether a document stands for an asset of another type, such as `sanity.videoAsset`: its file lies in the Media Library, and is not saved. */
export function isOtherAsset(type: string): boolean {
  return /^sanity\.[A-Za-z]{1,40}Asset$/.test(type) && !assetTypes.some((saved) => saved === type)
}

/** Gives how many assets there are of each type that is not saved. */
export function otherAssets(byType: Iterable<readonly [type: string, count: number]>): (readonly [type: string, count: number])[] {
  return [...byType].filter(([type]) => isOtherAsset(type))
}

/** Where the files of assets lie in a snapshot. */
export const assetFolders = { image: 'assets/images', file: 'assets/files' } as const

/**
 * `image-<hash>-<width>x<height>-<extension>` and `file-<hash>-<extension>`: `@sanity/export` src/AssetHandler.ts, which loses extensions with digits.
 * The hash is the SHA-1, in old ids some other letters and digits.
 */
const imageId = /^image-([A-Za-z0-9]{24,40})-(\d{1,6}x\d{1,6})-([A-Za-z0-9]{1,16})$/
const fileId = /^file-([A-Za-z0-9]{24,40})-([A-Za-z0-9](?:[A-Za-z0-9_-]{0,30}[A-Za-z0-9])?)$/

/** Reads the id of an asset document; undefined if it is not one that a file can be named after. A draft or version shares its file. */
export function findAssetName(id: string): AssetName | undefined {
  return nameIn(publishedId(id), { isOfId: true })
}

/** Reads the name of a file at the asset host, for an asset whose id is of another form: made by hand. Undefined if it is no name of Sanity's. */
export function findNameAtHost(type: string, address: string): AssetName | undefined {
  const kind = type === imageType ? 'image' : 'file'
  const file = URL.parse(address)?.pathname.split('/').at(-1) ?? ''
  return nameIn(`${kind}-${file.replace('.', '-')}`, { isOfId: false })
}

function nameIn(id: string, { isOfId }: Pick<AssetName, 'isOfId'>): AssetName | undefined {
  const [, imageHash, size, imageExtension] = imageId.exec(id) ?? []
  if (imageHash && imageExtension) return named({ kind: 'image', hash: imageHash, size: `-${size}`, extension: imageExtension, isOfId })
  const [, hash, extension] = fileId.exec(id) ?? []
  return hash && extension ? named({ kind: 'file', hash, size: '', extension, isOfId }) : undefined
}

type Parts = Pick<AssetName, 'kind' | 'extension' | 'isOfId'> & { readonly hash: string; readonly size: string }

function named({ kind, hash, size, extension, isOfId }: Parts): AssetName {
  const file = `${hash}${size}.${extension}`
  return { kind, sha1: isSha1(hash) ? hash : undefined, extension, file, path: `${assetFolders[kind]}/${file}`, isOfId }
}

export function isSha1(text: unknown): text is string {
  return typeof text === 'string' && /^[0-9a-f]{40}$/.test(text)
}
