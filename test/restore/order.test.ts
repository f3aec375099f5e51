import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { alone, checkedOrder } from './order/checked.ts'
import { datasetOf } from './order/dataset.ts'
import { anyLimits, anyRows } from './order/random.ts'

const ample = { bytes: 1e9, documents: 1e9, levels: 1e9 }

/** Puts a list into an order that depends on `seed` alone. */
function shuffledBy(seed: number): <T>(list: readonly T[]) => T[] {
  let state = seed
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state
  }
  return (list) =>
    list
      .map((each) => [next(), each] as const)
      .toSorted(([a], [b]) => a - b)
      .map(([, each]) => each)
}

describe('any dataset', () => {
  it('is written without a refusal, within the limits, and ends as the snapshot has it', () => {
    const property = fc.property(anyRows(12), anyLimits, fc.nat(), (rows, limits, seed) => {
      checkedOrder(datasetOf(rows), limits, shuffledBy(seed))
    })
    fc.assert(property, { seed: 20_261_128, numRuns: 6000 })
  })

  it('is never seen cleared where a batch holds everything', () => {
    const property = fc.property(anyRows(12), fc.nat(), (rows, seed) => {
      expect(alone(checkedOrder(datasetOf(rows), ample, shuffledBy(seed)))).toEqual([])
    })
    fc.assert(property, { seed: 20_261_128, numRuns: 2000 })
  })
})
