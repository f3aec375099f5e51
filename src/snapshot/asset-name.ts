import { createHash } from 'node:crypto'
import { publishedId } from './filters.ts'

/** What an asset's id tells of its file: nothing from elsewhere reaches a path. */
export type AssetName = {
  readonly kind: 'image' | 'file'
  /** Of the bytes as they were uploaded. */
  readonly sha1: string
  readonly extension: string
  /** Where the file lies in a snapshot. */
  readonly path: string
}

/** The types of the documents that stand for files. */
export const assetTypes = ['sanity.imageAsset', 'sanity.fileAsset'] as const

/** Where the files of assets lie in a snapshot. */
export const assetFolders = { image: 'assets/images', file: 'assets/files' } as const

/** `image-<sha1>-<width>x<height>-<extension>` and `file-<sha1>-<extension>`: `@sanity/export` src/AssetHandler.ts, which loses extensions with digits. */
const imageId = /^image-([0-9a-f]{40})-(\d{1,6}x\d{1,6})-([A-Za-z0-9]{1,16})$/
const fileId = /^file-([0-9a-f]{40})-([A-Za-z0-9](?:[A-Za-z0-9_-]{0,30}[A-Za-z0-9])?)$/

/** Reads the id of an asset document; undefined if it is not one that a file can be named after. A draft or version shares its file. */
export function findAssetName(id: string): AssetName | undefined {
  const published = publishedId(id)
  const [, imageSha1, size, imageExtension] = imageId.exec(published) ?? []
  if (imageSha1 && imageExtension) {
    return named('image', imageSha1, `-${size}`, imageExtension)
  }
  const [, fileSha1, fileExtension] = fileId.exec(published) ?? []
  return fileSha1 && fileExtension ? named('file', fileSha1, '', fileExtension) : undefined
}

function named(kind: AssetName['kind'], sha1: string, size: string, extension: string): AssetName {
  return { kind, sha1, extension, path: `${assetFolders[kind]}/${sha1}${size}.${extension}` }
}

/** One of several jobs that share the assets of a dataset; the first also saves the documents. */
export type Shard = { readonly index: number; readonly of: number }

/** Whether a shard saves an asset. By hash, so that every asset has exactly one shard, also one whose id names no file. */
export function isInShard(id: string, { index, of }: Shard): boolean {
  const sha1 = findAssetName(id)?.sha1 ?? createHash('sha1').update(publishedId(id)).digest('hex')
  return Number.parseInt(sha1.slice(0, 12), 16) % of === index - 1
}

/** What the names of a shard's snapshot and artifact end in; nothing for a whole one. */
export function shardSuffix(shard: Shard | null): string {
  return shard === null ? '' : `-shard-${shard.index}-of-${shard.of}`
}
