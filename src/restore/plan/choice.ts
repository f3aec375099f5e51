import { type Filters, filter, publishedId } from '../../format/manifest/filters.ts'
import { idPattern } from '../../format/manifest/id-pattern.ts'
import type { Catalog } from './catalog.ts'
import { isAsset } from './look.ts'

/** Which rows a user chose. Empty lists of what is wanted mean all. */
export type Choice = {
  readonly types: readonly string[]
  readonly excludeTypes: readonly string[]
  readonly ids: readonly string[]
  readonly excludeIds: readonly string[]
}

/** `unwanted` is left out by name; `other` is only not among what is wanted, and comes along where something that is refers to it. */
export type Chosen = 'chosen' | 'other' | 'unwanted'

type Named = { readonly id: string; readonly type: string }

/** Makes the function that says whether a document is chosen. Ids are matched as in a backup: `home` stands for `drafts.home` too. */
export function chooser({ types, excludeTypes, ids, excludeIds }: Choice): (document: Named) => Chosen {
  const wantedIds = ids.map(idPattern)
  const unwantedIds = excludeIds.map(idPattern)
  const isAmong = (patterns: readonly ((id: string) => boolean)[], id: string) => {
    if (patterns.length === 0) return false
    const published = publishedId(id)
    return patterns.some((matches) => matches(id) || matches(published))
  }
  return ({ id, type }) => {
    if (excludeTypes.includes(type) || isAmong(unwantedIds, id)) return 'unwanted'
    if (types.length > 0 && !types.includes(type)) return 'other'
    return ids.length > 0 && !isAmong(wantedIds, id) ? 'other' : 'chosen'
  }
}

/** The types and the patterns of ids that no document has, in the snapshot or in the target. */
export function findUnmatched({ types, ids }: Choice, catalog: Pick<Catalog, 'size' | 'idOf' | 'has' | 'typeOf'>): string[] {
  const left = new Set(types)
  const patterns = new Map(ids.map((id) => [id, idPattern(id)]))
  for (let document = 0; document < catalog.size() && left.size + patterns.size > 0; document++) {
    const sides = (['snapshot', 'target'] as const).filter((side) => catalog.has(side, document))
    if (sides.length === 0) continue
    for (const side of sides) left.delete(catalog.typeOf(side, document))
    const id = catalog.idOf(document)
    for (const [pattern, matches] of patterns) if (matches(id) || matches(publishedId(id))) patterns.delete(pattern)
  }
  return [...left, ...patterns.keys()]
}

/** Why a document that the snapshot lacks stays: the snapshot would not hold it, or it is newer. */
export type Stays = 'filtered' | 'system' | 'asset' | 'newer'

/** What of the snapshot a mirror goes by. */
export type MirrorRules = {
  /** What the snapshot left out by itself. */
  readonly filters: Filters
  /** When it was begun and when it was finished, in milliseconds. */
  readonly takenMs: number
  readonly finishedMs: number
}

/** Makes the function that says why a mirror leaves a document alone that the snapshot lacks; undefined for one that goes. */
export function stayRules({ filters, takenMs, finishedMs }: MirrorRules): (document: Named, createdMs: number) => Stays | undefined {
  const verdictOn = filter(filters)
  return (document, createdMs) => {
    if (document.id.startsWith('_.')) return 'system'
    if (isAsset(document) || /^sanity\.\w+Asset$/.test(document.type)) return 'asset'
    if (verdictOn(document) !== 'keep') return 'filtered'
    return createdMs >= takenMs && createdMs <= finishedMs ? 'newer' : undefined
  }
}
