import { type Catalog, makeCatalog } from '../../../src/restore/plan/catalog.ts'
import type { Choice, MirrorRules } from '../../../src/restore/plan/choice.ts'
import type { AssetSource } from '../../../src/restore/plan/intents.ts'
import { lookAt } from '../../../src/restore/plan/look.ts'
import { makePlan, type Plan } from '../../../src/restore/plan/plan.ts'
import { isRelease, type Release, releaseIn } from '../../../src/restore/plan/release.ts'

export type Doc = { readonly _id: string; readonly _type: string; readonly [key: string]: unknown }

type Given = {
  readonly snapshot?: readonly Doc[]
  readonly target?: readonly Doc[]
  readonly choice?: Partial<Choice>
  readonly mirror?: MirrorRules
  /** Where the file of an asset is that the target lacks, by its id. */
  readonly assets?: Readonly<Record<string, AssetSource>>
  readonly newIds?: Readonly<Record<string, string>>
  readonly sameDataset?: boolean
  /** Ids of documents that a plan which was carried out had. */
  readonly again?: readonly string[]
}

/** A strong reference. */
export const to = (id: string) => ({ _type: 'reference', _ref: id })

/** Makes a plan of two datasets, as a restore does: the target is noted first. */
export function planOf({
  snapshot = [],
  target = [],
  choice,
  mirror,
  assets = {},
  newIds = {},
  sameDataset = true,
  again = [],
}: Given): Plan {
  const catalog = makeCatalog()
  const names = new Map(Object.entries(newIds))
  const releases = { snapshot: new Map<number, Release>(), target: new Map<number, Release>() }
  const note = (side: 'snapshot' | 'target', documents: readonly Doc[]) => {
    for (const document of documents) {
      const line = Buffer.from(JSON.stringify(document))
      catalog.note(side, lookAt({ id: document._id, type: document._type, bytes: line }, side, { sameDataset, newIds: names }))
      if (isRelease(document._id)) releases[side].set(catalog.numberFor(document._id), releaseIn(line))
    }
  }
  note('target', target)
  note('snapshot', snapshot)
  return makePlan({
    catalog,
    choice: { types: [], excludeTypes: [], ids: [], excludeIds: [], ...choice },
    mirror,
    assets: byNumber(catalog, assets),
    newIds: new Map([...names].map(([old, anew]) => [catalog.numberFor(old), catalog.numberFor(anew)])),
    releases,
    again: new Set(again.map(catalog.numberFor)),
    takenMs: Date.parse('2026-11-20T03:00:00Z'),
    unwritable: new Map(),
  })
}

function byNumber<Value>(catalog: Catalog, values: Readonly<Record<string, Value>>): Map<number, Value> {
  return new Map(Object.entries(values).map(([id, value]) => [catalog.numberFor(id), value]))
}

/** The rows as words: `create a`, `blocked b: refers to …`. */
export function rowsIn({ rows }: Plan): string[] {
  return rows.map(({ action, id, reason }) => (reason === undefined ? `${action} ${id}` : `${action} ${id}: ${reason}`))
}

/** A mirror of a snapshot of everything, long ago. */
export const mirrorOfAll: MirrorRules = {
  filters: { includeDrafts: true, types: [], excludeTypes: [], excludeIds: [] },
  takenMs: Date.parse('2026-11-20T03:00:00Z'),
  finishedMs: Date.parse('2026-11-20T03:01:00Z'),
}
