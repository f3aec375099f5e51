import { type Manifest, manifestFormat } from '../../format/manifest.ts'
import { isoSeconds } from '../../format/snapshot-name.ts'
import type { Inputs } from '../../inputs/backup.ts'
import type { Runner } from '../../runner.ts'
import { sumDigest } from '../../streams/digest.ts'
import type { Tools } from '../../tools.ts'
import { toolVersion } from '../../version.ts'
import type { SavedAssets } from './assets/save.ts'
import type { SavedDocuments } from './documents/save.ts'

/** A snapshot's name, and the time in it. */
export type Named = { readonly name: string; readonly takenAt: Date }

type Facts = {
  readonly inputs: Inputs
  readonly runner: Runner
  readonly documents: SavedDocuments
  readonly assets: SavedAssets
  readonly fullRead: boolean | null
  readonly named: Named
  readonly clean: Tools['clean']
  readonly finishedAt: Date
}

/** The manifest of a snapshot whose files are all written. */
export function describeSnapshot({ inputs, runner, documents, assets, fullRead, named, clean, finishedAt }: Facts): Manifest {
  const { data, mode } = documents
  const { projectId, dataset, apiVersion } = inputs.source
  return {
    format: manifestFormat,
    snapshot: named.name,
    label: inputs.label,
    shard: inputs.shard,
    takenAt: isoSeconds(named.takenAt),
    finishedAt: isoSeconds(finishedAt),
    complete: assets.missing.length === 0,
    source: { projectId, dataset, apiVersion, mode },
    tool: { name: 'sanity-backup', version: toolVersion },
    run: runner.run,
    filters: inputs.filters,
    documents: countsOf(documents, clean),
    assets: {
      included: inputs.includeAssets,
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
