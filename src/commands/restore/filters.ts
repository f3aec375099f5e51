import type { Filters } from '../../format/manifest/filters.ts'
import type { StoredManifest } from '../../format/manifest/manifest.ts'

/** What a snapshot left out; undefined where its manifest does not say. */
export function findFilters({ filters }: Pick<StoredManifest, 'filters'>): Filters | undefined {
  return filters && Array.isArray(filters.types) ? (filters as Filters) : undefined
}
