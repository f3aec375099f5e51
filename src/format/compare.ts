import { digestOf } from '../streams/digest.ts'
import { formatCount } from '../text.ts'
import { type Filters, filtersKey } from './manifest/filters.ts'
import type { SealedFilters, StoredManifest } from './manifest/manifest.ts'
import type { Shard } from './manifest/shard.ts'

/** What became of documents between two snapshots. */
export type TypeChanges = { readonly created: number; readonly changed: number; readonly deleted: number }

/** Counts changes of documents by their type. */
export function countChanges() {
  const byType = new Map<string, { created: number; changed: number; deleted: number }>()
  return {
    add: (type: string, what: keyof TypeChanges): void => {
      const counts = byType.get(type) ?? { created: 0, changed: 0, deleted: 0 }
      counts[what]++
      byType.set(type, counts)
    },
    sorted: (): ReadonlyMap<string, TypeChanges> => new Map([...byType].toSorted(([a], [b]) => (a < b ? -1 : 1))),
  }
}

/** The changes of all types together. */
export function totalOf(byType: ReadonlyMap<string, TypeChanges>): TypeChanges {
  const total = { created: 0, changed: 0, deleted: 0 }
  for (const { created, changed, deleted } of byType.values()) {
    total.created += created
    total.changed += changed
    total.deleted += deleted
  }
  return total
}

/** What of a snapshot's documents is compared. */
type Counted = Pick<StoredManifest, 'documents' | 'encryption'>

/** Whether a manifest counts its documents by type: that of an encrypted snapshot does not. */
export function tellsTypes({ encryption }: Pick<StoredManifest, 'encryption'>): boolean {
  return (encryption ?? null) === null
}

/**
 * How many documents there are more (or, below zero, fewer) of each type than in an earlier snapshot; those without a difference left out. Nothing, if
 * one of the two does not tell its types.
 */
export function countDifferences(now: Counted, before: Counted): [type: string, difference: number][] {
  if (!tellsTypes(now) || !tellsTypes(before)) return []
  const types = new Set([...Object.keys(now.documents.byType), ...Object.keys(before.documents.byType)])
  return [...types]
    .map((type): [string, number] => [type, countOf(now, type) - countOf(before, type)])
    .filter(([, difference]) => difference !== 0)
    .sort(([a, x], [b, y]) => Math.abs(y) - Math.abs(x) || (a < b ? -1 : 1))
}

/** How many documents of a type a snapshot holds. A type may be called like something that every object has. */
export function countOf({ documents: { byType } }: Counted, type: string): number {
  return Object.hasOwn(byType, type) ? (byType[type] ?? 0) : 0
}

/** What two snapshots must have in common so that their counts say something about each other. */
export type Comparable = {
  readonly source: { readonly projectId: string; readonly dataset: string }
  readonly filters: Filters | SealedFilters
  readonly shard: Shard | null
}

/** Whether two snapshots are of the same source, left out the same, and are the same part of it, so that their counts can be compared. */
export function isComparable(one: StoredManifest, other: Comparable): boolean {
  return (
    one.source.projectId === other.source.projectId &&
    one.source.dataset === other.source.dataset &&
    one.shard?.index === other.shard?.index &&
    one.shard?.of === other.shard?.of &&
    sameFilters(one.filters, other.filters)
  )
}

/** Whether two snapshots left out the same. Of one that does not say what it left out nothing is known. */
export function sameFilters(one: StoredManifest['filters'], other: StoredManifest['filters']): boolean {
  return one !== undefined && other !== undefined && keyOf(one) === keyOf(other)
}

/** The digest by which encrypted snapshots tell their filters. */
function keyOf(filters: Filters | SealedFilters): string {
  return 'digest' in filters ? filters.digest : digestOf(Buffer.from(filtersKey(filters)))
}

/** `3 created, 204 changed, 15 deleted`; what is zero is left out. */
export function changesInWords({ created, changed, deleted }: TypeChanges): string {
  const words = [
    [created, 'created'],
    [changed, 'changed'],
    [deleted, 'deleted'],
  ] as const
  return words
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${formatCount(count)} ${word}`)
    .join(', ')
}

/** `+12`, `-3`, `as many as before`. */
export function signedCount(difference: number): string {
  if (difference === 0) return 'as many as before'
  return `${difference > 0 ? '+' : '-'}${formatCount(Math.abs(difference))}`
}
