import type { Filters } from '../../format/manifest/filters.ts'
import { type Manifest, manifestFormat, type Run } from '../../format/manifest/manifest.ts'
import type { PlainManifest } from '../../format/manifest/sealed.ts'
import type { Shard } from '../../format/manifest/shard.ts'
import { isoSeconds } from '../../format/manifest/snapshot-name.ts'
import type { Source } from '../../sanity/source.ts'
import { sumDigest } from '../../streams/digest.ts'
import type { Tools } from '../../tools.ts'
import { toolVersion } from '../../version.ts'
import type { SavedDocuments } from '../documents/save.ts'
import type { SavedAssets } from './assets/saved.ts'

/** All that a manifest says. */
export type ManifestNeeds = {
  readonly name: string
  readonly label: string | null
  readonly shard: Shard | null
  readonly takenAt: Date
  readonly finishedAt: Date
  readonly source: Source
  /** Null outside GitHub Actions. */
  readonly run: Run | null
  readonly filters: Filters
  readonly documents: SavedDocuments
  readonly includeAssets: boolean
  readonly assets: SavedAssets
  readonly fullRead: boolean | null
  readonly clean: Tools['clean']
}

/** Makes the manifest of a snapshot whose files are all written. The clock may have been set back meanwhile: the end is never earlier than the start. */
export function makeManifest(needs: ManifestNeeds): PlainManifest {
  const { name, label, shard, takenAt, finishedAt, source, run, filters, documents, includeAssets, assets, fullRead, clean } = needs
  const { projectId, dataset, apiVersion } = source
  const { data, mode } = documents
  return {
    format: manifestFormat,
    snapshot: name,
    label,
    shard,
    takenAt: isoSeconds(takenAt),
    finishedAt: isoSeconds(finishedAt > takenAt ? finishedAt : takenAt),
    complete: assets.missing.length === 0,
    source: { projectId, dataset, apiVersion, mode },
    tool: { name: 'sanity-backup', version: toolVersion },
    run,
    filters,
    documents: countsOf(documents, clean),
    assets: {
      included: includeAssets,
      count: assets.count,
      sizeBytes: assets.sizeBytes,
      reused: assets.reused,
      missing: assets.missing.map(({ id, url, status }) => ({ id, url, status })),
    },
    access: { fullRead },
    encryption: null,
    files: [...(data ? [data.file] : []), ...assets.files],
  }
}

/** What the data file holds; in a shard without one, nothing. */
function countsOf({ tally, data, liveCountBefore, liveCountAfter }: SavedDocuments, clean: Tools['clean']): Manifest['documents'] {
  const live = { liveCountBefore, liveCountAfter }
  if (!data) return { count: 0, drafts: 0, versions: 0, excluded: 0, byType: {}, ...live, contentDigest: sumDigest().result() }
  const { count, drafts, versions, excluded, byType } = tally
  return { count, drafts, versions, excluded, byType: namedTypes(byType, clean), ...live, contentDigest: data.contentDigest }
}

/** Types are outside text: one may even be our token. Those that look alike once they are harmless are counted together. */
function namedTypes(byType: ReadonlyMap<string, number>, clean: Tools['clean']): Record<string, number> {
  const named = new Map<string, number>()
  for (const [type, count] of byType) named.set(clean(type), (named.get(clean(type)) ?? 0) + count)
  return Object.fromEntries([...named].sort(([a], [b]) => (a < b ? -1 : 1)))
}
