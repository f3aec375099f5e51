import { idPattern } from './id-pattern.ts'

/** What of a dataset goes into a snapshot, as the manifest records it. Empty `types` means all. */
export type Filters = {
  readonly includeDrafts: boolean
  readonly types: readonly string[]
  readonly excludeTypes: readonly string[]
  readonly excludeIds: readonly string[]
}

/** The same text for filters that leave out the same: lists in another order are the same. */
export function filtersKey({ includeDrafts, types, excludeTypes, excludeIds }: Filters): string {
  return JSON.stringify([includeDrafts, ...[types, excludeTypes, excludeIds].map((list) => list.toSorted())])
}

/** What becomes of a document: `foreign` ones are not of the wanted types, or are Sanity's own; the others count as received. */
export type Verdict = 'keep' | 'keep-system' | 'foreign' | 'draft' | 'excluded'

/**
 * Makes the function that decides on each document by its id and type.
 *
 * System documents (`_.…`) stay out, except releases (`_.releases.…`), without which versions cannot be restored: as in official exports
 * (`@sanity/export` src/util/filterDocuments.ts).
 */
export function filter({ includeDrafts, types, excludeTypes, excludeIds }: Filters): (document: { id: string; type: string }) => Verdict {
  const wanted = new Set(types)
  const unwanted = new Set(excludeTypes)
  const patterns = excludeIds.map(idPattern)
  const isExcluded = (id: string, type: string) => {
    if (unwanted.has(type)) return true
    const published = publishedId(id)
    return patterns.some((matches) => matches(id) || matches(published))
  }
  return ({ id, type }) => {
    if (wanted.size > 0 && !wanted.has(type)) return 'foreign'
    if (id.startsWith('_.')) {
      return includeDrafts && id.startsWith('_.releases.') && !isExcluded(id, type) ? 'keep-system' : 'foreign'
    }
    if (!includeDrafts && (isDraft(id) || isVersion(id))) return 'draft'
    return isExcluded(id, type) ? 'excluded' : 'keep'
  }
}

export function isDraft(id: string): boolean {
  return id.startsWith('drafts.')
}

export function isVersion(id: string): boolean {
  return id.startsWith('versions.')
}

/** The id without `drafts.` or `versions.<release>.`: what a document is called once it is published. sanity.io/docs/content-lake/ids */
export function publishedId(id: string): string {
  return id.replace(/^(drafts\.|versions\.[^.]*\.)/, '')
}
