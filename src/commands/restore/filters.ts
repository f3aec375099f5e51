import type { Filters } from '../../format/manifest/filters.ts'
import type { StoredManifest } from '../../format/manifest/manifest.ts'
import type { MirrorRules } from '../../restore/plan/choice.ts'

/** What a snapshot left out; undefined where its manifest does not say. */
export function findFilters({ filters }: Pick<StoredManifest, 'filters'>): Filters | undefined {
  return filters && Array.isArray(filters.types) ? (filters as Filters) : undefined
}

/** What a mirror goes by; undefined where the manifest does not say what the snapshot left out. */
export function mirrorRules(manifest: Pick<StoredManifest, 'takenAt' | 'finishedAt' | 'filters'>): MirrorRules | undefined {
  const { takenAt, finishedAt = takenAt } = manifest
  const filters = findFilters(manifest)
  return filters && { filters, takenMs: Date.parse(takenAt), finishedMs: Date.parse(finishedAt) }
}
