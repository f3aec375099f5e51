import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { strong } from '../calls.ts'
import { Dataset } from '../data/store.ts'
import { defaultRules } from '../rules.ts'
import { mutate } from './mutate.ts'

const ids = ['a', 'b', 'c', 'd', 'e']
const anId = fc.constantFrom(...ids)

const document = fc
  .record({ _id: anId, targets: fc.uniqueArray(anId, { maxLength: 2 }), _type: fc.constantFrom('post', 'post', 'post', 'page') })
  .map(({ targets, ...rest }) => ({ ...rest, list: targets.map(strong) }))

const mutation = fc.oneof(
  document.map((each) => ({ createOrReplace: each })),
  document.map((each) => ({ create: each })),
  anId.map((id) => ({ delete: { id } })),
  fc.tuple(anId, anId).map(([id, target]) => ({ patch: { id, set: { more: strong(target) } } })),
  anId.map((id) => ({ patch: { id, unset: ['list', 'more'] } })),
)

/** Who refers to whom, by a walk through everything. */
function referrersByWalk(dataset: Dataset): Map<string, string[]> {
  const found = new Map(ids.map((id) => [id, [] as string[]]))
  for (const each of dataset.documents()) {
    const targets = new Set([...JSON.stringify(each).matchAll(/"_ref":"(.)"/g)].map(([, target]) => target ?? ''))
    for (const target of targets) found.get(target)?.push(each._id)
  }
  return found
}

const text = (dataset: Dataset): string[] => dataset.entries.map(({ line }) => line.toString()).sort()

describe.each([{ referenceCheck: 'end' }, { referenceCheck: 'each' }] as const)(
  'transactions at random, checked at the $referenceCheck',
  ({ referenceCheck }) => {
    const writer = { author: 'p', rules: { ...defaultRules, referenceCheck }, may: () => true, existsElsewhere: () => false }

    it('never leave a reference to nothing, write all or nothing, and know all referrers', async () => {
      let accepted = 0
      const property = fc.asyncProperty(
        fc.array(fc.array(mutation, { minLength: 1, maxLength: 4 }), { maxLength: 12 }),
        async (transactions) => {
          const dataset = new Dataset('production', { documents: ids.map((_id) => ({ _id, _type: 'post' })) })
          for (const mutations of transactions) {
            const before = text(dataset)
            const { status } = await mutate(dataset, { mutations }, { query: {}, writer })
            if (status === 200) accepted += 1
            else expect(text(dataset)).toEqual(before)
            for (const [id, referrers] of referrersByWalk(dataset)) {
              expect([...dataset.referrers(id)].sort()).toEqual(referrers.sort())
              if (referrers.length > 0) expect(dataset.has(id)).toBe(true)
            }
          }
        },
      )
      await fc.assert(property, { seed: 19, numRuns: 200 })
      expect(accepted).toBeGreaterThan(100)
    })
  },
)
