import fc from 'fast-check'
import type { Row } from './dataset.ts'

const roles = ['creates', 'replaces', 'retypes', 'deletes', 'stays'] as const

/** What `document` refers to among `count` in a graph of a certain form. */
const forms: Readonly<Record<string, (document: number, count: number) => number[]>> = {
  none: () => [],
  itself: (document) => [document],
  chain: (document, count) => (document + 1 < count ? [document + 1] : []),
  backwards: (document) => (document > 0 ? [document - 1] : []),
  ring: (document, count) => [(document + 1) % count],
  pairs: (document, count) => [Math.min(document ^ 1, count - 1)],
  star: () => [0],
  hub: (document, count) => (document === 0 ? Array.from({ length: count }, (_, each) => each) : [0]),
  diamonds: (document, count) => [document * 2 + 1, document * 2 + 2].filter((each) => each < count),
}

const form = fc.constantFrom(...Object.keys(forms))

/** Any roles with any references, as far as a snapshot and a target can have them. */
export const anyRows = (most: number): fc.Arbitrary<Row[]> =>
  fc.integer({ min: 1, max: most }).chain((count) => {
    const few = fc.array(fc.nat(count - 1), { maxLength: 2 })
    const some = fc.uniqueArray(fc.constantFrom(...roles), { minLength: 1 })
    const row = (is: fc.Arbitrary<Row['is']>): fc.Arbitrary<Row> =>
      fc.record({ is, snapshot: few, target: few, size: fc.integer({ min: 1, max: 9 }) }, { noNullPrototype: true })
    const rows = some.chain((used) => fc.array(row(fc.constantFrom(...used)), { minLength: count, maxLength: count }))
    return fc.tuple(rows, form, form, fc.boolean()).map(([all, inSnapshot, inTarget, loose]) =>
      all.map((each, document) =>
        possible(all, each, {
          snapshot: [...(forms[inSnapshot]?.(document, count) ?? []), ...(loose ? (each.snapshot ?? []) : [])],
          target: [...(forms[inTarget]?.(document, count) ?? []), ...(loose ? (each.target ?? []) : [])],
        }),
      ),
    )
  })

/** Leaves out the references that can not be: to what is not on that side, and from what stays to what changes its type. */
function possible(all: readonly Row[], row: Row, { snapshot, target }: { snapshot: number[]; target: number[] }): Row {
  const not = (documents: readonly number[], ...refused: Row['is'][]): number[] =>
    documents.filter((document) => !refused.includes(all[document]?.is as Row['is']))
  if (row.is === 'stays') return { ...row, snapshot: [], target: not(target, 'creates', 'deletes', 'retypes') }
  return {
    ...row,
    snapshot: row.is === 'deletes' ? [] : not(snapshot, 'deletes'),
    target: row.is === 'creates' ? [] : not(target, 'creates'),
  }
}

export const anyLimits = fc.record({
  bytes: fc.integer({ min: 1, max: 60 }),
  documents: fc.integer({ min: 1, max: 8 }),
  levels: fc.integer({ min: 1, max: 5 }),
})
