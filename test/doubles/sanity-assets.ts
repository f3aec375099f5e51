import { createHash } from 'node:crypto'
import { basename, extname } from 'node:path'
import type { Answer } from './http.ts'
import { newRevision } from './sanity-mutate.ts'
import type { Dataset, SanityDocument, StoredAsset } from './sanity-store.ts'

export type Upload = {
  readonly kind: 'images' | 'files'
  readonly bytes: Buffer
  readonly filename?: string | undefined
  /** What the name holds in the place of the SHA-1: ids from before 2018 have 24 letters and digits there. */
  readonly oldHash?: string | undefined
  readonly project: string
  /** Where the assets of this server lie; the real ones lie on cdn.sanity.io. */
  readonly cdn: string
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  svg: 'image/svg+xml',
  pdf: 'application/pdf',
  mp4: 'video/mp4',
  txt: 'text/plain',
}

/**
 * Stores an asset and its document, as `POST /assets/{images|files}/{dataset}` does. Ids, paths and urls: asset documents in public exports and
 * @sanity/import validateAssetDocuments.ts. Undefined for an image that cannot be read.
 */
export function storeAsset(dataset: Dataset, upload: Upload): SanityDocument | undefined {
  const { kind, bytes, filename, oldHash, project, cdn } = upload
  const image = kind === 'images' ? sizeOfImage(bytes) : undefined
  if (kind === 'images' && !image) return undefined
  const sha1 = createHash('sha1').update(bytes).digest('hex')
  const extension =
    image?.extension ??
    (extname(filename ?? '')
      .slice(1)
      .toLowerCase() ||
      'bin')
  const size = image ? `-${image.width}x${image.height}` : ''
  const hash = oldHash ?? sha1
  const name = `${hash}${size}.${extension}`
  const path = `${kind}/${project}/${dataset.name}/${name}`
  const contentType = CONTENT_TYPES[extension] ?? 'application/octet-stream'
  const now = new Date().toISOString()
  const document: SanityDocument = {
    _createdAt: now,
    _id: `${image ? 'image' : 'file'}-${hash}${size}-${extension}`,
    _rev: newRevision(),
    _type: image ? 'sanity.imageAsset' : 'sanity.fileAsset',
    _updatedAt: now,
    assetId: hash,
    extension,
    ...(image ? { metadata: metadataOf(image) } : {}),
    mimeType: contentType,
    ...(filename ? { originalFilename: basename(filename) } : {}),
    path,
    sha1hash: sha1,
    size: bytes.length,
    uploadId: newRevision(),
    url: `${cdn}/${path}`,
  }
  dataset.assets.set(`/${path}`, { bytes, contentType, sha1, md5: createHash('md5').update(bytes).digest('hex') })
  dataset.put(document)
  return document
}

/**
 * An asset as the asset CDN gives it. An image without `dlRaw` comes processed, so its bytes are not the stored ones and the two headers that
 * tell the stored ones' digests are absent; `dlRaw` wants a token (sanity-io/sanity pull request 1291, @sanity/export AssetHandler.ts).
 */
export function assetAnswer(asset: StoredAsset, raw: boolean): Answer {
  const processed = asset.contentType.startsWith('image/') && asset.contentType !== 'image/svg+xml' && !raw
  const digests: Record<string, string> = processed ? {} : { 'x-sanity-sha1': asset.sha1, 'x-sanity-md5': asset.md5 }
  return {
    status: 200,
    headers: { 'content-type': asset.contentType, 'cache-control': 'public, max-age=31536000, immutable', ...digests },
    body: processed ? Buffer.concat([asset.bytes, Buffer.from([0])]) : asset.bytes,
  }
}

type ImageSize = { readonly width: number; readonly height: number; readonly extension: string }

function metadataOf({ width, height }: ImageSize): object {
  return {
    _type: 'sanity.imageMetadata',
    dimensions: { _type: 'sanity.imageDimensions', aspectRatio: width / height, height, width },
    hasAlpha: true,
    isOpaque: false,
  }
}

function sizeOfImage(bytes: Buffer): ImageSize | undefined {
  if (bytes.subarray(0, 8).toString('latin1') === '\x89PNG\r\n\x1a\n' && bytes.length >= 24) {
    return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20), extension: 'png' }
  }
  if (bytes.subarray(0, 4).toString('latin1') === 'GIF8' && bytes.length >= 10) {
    return { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8), extension: 'gif' }
  }
  const svg = /<svg[^>]*\bwidth="(\d+)"[^>]*\bheight="(\d+)"/.exec(bytes.subarray(0, 1000).toString('latin1'))
  return svg ? { width: Number(svg[1]), height: Number(svg[2]), extension: 'svg' } : undefined
}
