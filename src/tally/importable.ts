/**
 * What the stock `sanity dataset import` wants of the documents of assets. One that lacks any of it stops the whole import, before its first
 * write: `@sanity/import` src/validateAssetDocuments.ts.
 */
const wanted = {
  assetId: 'string',
  extension: 'string',
  mimeType: 'string',
  path: 'string',
  sha1hash: 'string',
  size: 'number',
  url: 'string',
} as const

const wantedDimensions = ['width', 'height', 'aspectRatio'] as const

const assetType = /^sanity\.[a-zA-Z]+Asset$/

/** The first property that the stock importer misses in a document; undefined if it takes it. */
export function findLack({ type, bytes }: { readonly type: string; readonly bytes: Buffer }): string | undefined {
  // Most documents are no assets, and are told by their first letters.
  if (!type.startsWith('sanity.') || !assetType.test(type)) return undefined
  const document = JSON.parse(bytes.toString('utf8')) as Record<string, unknown>
  const lack = Object.entries(wanted).find(([property, kind]) => typeof document[property] !== kind)?.[0]
  if (lack !== undefined || type !== 'sanity.imageAsset') return lack
  const dimensions = fieldOf(fieldOf(document, 'metadata'), 'dimensions')
  return wantedDimensions.every((property) => typeof fieldOf(dimensions, property) === 'number') ? undefined : 'metadata.dimensions'
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
}
