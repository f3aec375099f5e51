import { createHash } from 'node:crypto'
import { basename, extname } from 'node:path'
import type { Answer } from '../../http.ts'
import type { Dataset, SanityDocument, StoredAsset } from '../data/store.ts'
import { newRevision } from '../write/transaction.ts'
import { type ImageSize, sanitizeSvg, sizeOfImage } from './images.ts'

export type Upload = {
  readonly kind: 'images' | 'files'
  readonly bytes: Buffer
  /** Parameters of the request, `filename` among them: sanity.io docs, HTTP reference, assets. */
  readonly query: Readonly<Record<string, string>>
  readonly author: string
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
 * @sanity/import validateAssetDocuments.ts. The same bytes again are the same asset, whatever their name (sanity.io docs, manage assets);
 * INFERRED: its document stays as it is. Undefined for an image that cannot be read.
 */
export function storeAsset(dataset: Dataset, upload: Upload): SanityDocument | undefined {
  const { kind, bytes, query, author, oldHash, project, cdn } = upload
  const image = kind === 'images' ? sizeOfImage(bytes) : undefined
  if (kind === 'images' && !image) return undefined
  const sha1 = createHash('sha1').update(bytes).digest('hex')
  const extension = image?.extension ?? extensionOf(query['filename'])
  const size = image ? `-${image.width}x${image.height}` : ''
  const hash = oldHash ?? sha1
  const path = `${kind}/${project}/${dataset.name}/${hash}${size}.${extension}`
  const contentType = CONTENT_TYPES[extension] ?? 'application/octet-stream'
  const stored = extension === 'svg' && image ? sanitizeSvg(bytes) : bytes
  dataset.assets.set(`/${path}`, { bytes: stored, contentType, sha1, md5: createHash('md5').update(stored).digest('hex') })
  const id = `${image ? 'image' : 'file'}-${hash}${size}-${extension}`
  const existing = dataset.find(id)
  if (existing) return existing
  const now = new Date().toISOString()
  const revision = newRevision()
  const document: SanityDocument = {
    _createdAt: now,
    _id: id,
    _rev: revision,
    _type: image ? 'sanity.imageAsset' : 'sanity.fileAsset',
    _updatedAt: now,
    assetId: hash,
    ...described(query),
    extension,
    ...(image ? { metadata: metadataOf(image, query['meta']) } : {}),
    mimeType: contentType,
    path,
    sha1hash: sha1,
    size: bytes.length,
    uploadId: newRevision(),
    url: `${cdn}/${path}`,
  }
  dataset.commit({ id: revision, timestamp: now, author }, [[id, document]])
  return dataset.find(id)
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

function extensionOf(filename = ''): string {
  return extname(filename).slice(1).toLowerCase() || 'bin'
}

/** The parameters that describe the asset become members of its document: @sanity/client assets/AssetsClient.ts. */
function described(query: Readonly<Record<string, string>>): object {
  const { filename, title, description, label, creditLine, sourceId, sourceName, sourceUrl } = query
  const source = { id: sourceId, name: sourceName, url: sourceUrl }
  const members = { creditLine, description, label, title, originalFilename: filename ? basename(filename) : undefined }
  return {
    ...definedOf(members),
    ...(sourceId === undefined ? {} : { source: definedOf(source) }),
  }
}

function definedOf(members: Readonly<Record<string, string | undefined>>): object {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))
}

/** What is read out of an image: all of it unless `meta` says what (sanity.io docs, HTTP reference, assets). The values are no real ones. */
function metadataOf({ width, height }: ImageSize, meta = 'palette,lqip,blurhash'): object {
  const wanted = meta.split(',')
  return {
    _type: 'sanity.imageMetadata',
    ...(wanted.includes('blurhash') ? { blurHash: 'LEHV6nWB2yk8pyo0adR*.7kCMdnj' } : {}),
    dimensions: { _type: 'sanity.imageDimensions', aspectRatio: width / height, height, width },
    hasAlpha: true,
    isOpaque: false,
    ...(wanted.includes('lqip') ? { lqip: 'data:image/png;base64,iVBORw0KGgo=' } : {}),
    ...(wanted.includes('palette') ? { palette: { _type: 'sanity.imagePalette' } } : {}),
  }
}
