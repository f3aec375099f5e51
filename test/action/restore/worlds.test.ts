import { afterAll, beforeAll, expect, it } from '@jest/globals'
import type { SanityDocument } from '../../doubles/sanity/data/store.ts'
import { startSanity } from '../../doubles/sanity/sanity.ts'
import { makeTempFolder } from '../../support/process.ts'
import { backUp } from '../support.ts'
import { applying, restoreInto } from './support.ts'

const count = 600
const at = '2026-01-01T00:00:00Z'
const states = ['active', 'scheduled', 'published', 'active', 'archived']

let temp: Awaited<ReturnType<typeof makeTempFolder>>

beforeAll(async () => {
  temp = await makeTempFolder('worlds')
})

afterAll(async () => await temp[Symbol.asyncDispose]())

type Draw = (limit: number) => number

/** Whole numbers from 0 to below `limit`, the same ones for the same seed. */
function drawing(seed: number): Draw {
  let state = seed
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return (state >>> 8) % limit
  }
}

function idOf(index: number): string {
  if (index % 9 === 3) return `drafts.d${index}`
  return index % 11 === 5 ? `versions.r${index % 4}.d${index}` : `d${index}`
}

/** Three of four documents, some of another type, that refer to one another, and releases in any state. `dangling`: some refer to nothing. */
function world(draw: Draw, { dangling }: { dangling: boolean }): SanityDocument[] {
  const there = new Set(Array.from({ length: count }, (_, index) => index).filter(() => draw(4) > 0))
  const near = (index: number) => Math.min(count - 1, Math.max(0, index + draw(7) - 3))
  const linkOf = (index: number) => (draw(10) === 0 ? index : draw(3) === 0 ? draw(count) : near(index))
  const documents = [...there].map((index): SanityDocument => {
    const targets = Array.from({ length: draw(3) }, () => linkOf(index)).filter(
      (target) => there.has(target) || (dangling && draw(6) === 0),
    )
    const links = targets.map((target) => ({ _type: 'reference', _ref: idOf(target) }))
    const _type = draw(25) === 0 ? `t${draw(4)}` : `t${index % 4}`
    return { _id: idOf(index), _type, _createdAt: at, _rev: `r${index}`, links, n: draw(2) }
  })
  const releases = [0, 1, 2, 3]
    .filter(() => draw(4) > 0)
    .map((number): SanityDocument => {
      const name = `r${number}`
      return {
        _id: `_.releases.${name}`,
        _type: 'system.release',
        _createdAt: at,
        _rev: name,
        name,
        state: states[draw(5)],
        metadata: { title: draw(2) },
      }
    })
  return [...documents, ...releases]
}

// A plan that lets something through which Sanity refuses ends as `restore-failed`, and so does one that leaves something out.
it.each<{ seed: number; referenceCheck: 'end' | 'each'; inputs: Record<string, string> }>([
  { seed: 1, referenceCheck: 'each', inputs: { mirror: 'true' } },
  { seed: 2, referenceCheck: 'end', inputs: { types: 't1,t2' } },
  { seed: 4, referenceCheck: 'each', inputs: { 'exclude-ids': 'd5,d6,d7,d8,d9,d10', types: 't0,t1', mirror: 'true' } },
])('what is not blocked comes back between any two datasets: seed $seed, $inputs, checked at $referenceCheck', async (row) => {
  const draw = drawing(row.seed * 7919)
  const path = `${temp.path}/${row.seed}`
  await using source = await startSanity({ documents: world(draw, { dangling: true }) })
  await using backup = await backUp({ sanity: source }, { path })
  expect(backup.code).toBeUndefined()
  await using sanity = await startSanity({ documents: world(draw, { dangling: false }), rules: { referenceCheck: row.referenceCheck } })
  await using run = await restoreInto({ sanity }, { inputs: { path, ...row.inputs, ...applying(), 'on-blocked': 'warn' } })
  expect(run.error).toBeUndefined()
  expect(run.outputs['status']).toBe('restored')
  expect(Number(run.outputs['blocked-count'])).toBeGreaterThan(0)
})
