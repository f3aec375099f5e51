import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { orderWrites, type Step } from '../../../src/restore/order/order.ts'
import { alone, checkedOrder } from './checked.ts'
import { datasetOf, type Row, shown } from './dataset.ts'
import { anyLimits, anyRows } from './random.ts'

const create = (...snapshot: number[]): Row => ({ is: 'creates', snapshot })
const replace = (snapshot: number[], target: number[] = []): Row => ({ is: 'replaces', snapshot, target })
const retype = (snapshot: number[] = [], target: number[] = []): Row => ({ is: 'retypes', snapshot, target })
const remove = (...target: number[]): Row => ({ is: 'deletes', target })

type Example = { readonly name: string; readonly rows: readonly Row[]; readonly steps: readonly string[] }

/** Two documents to a batch, three levels. */
const tight = { bytes: 1000, documents: 2, levels: 3 }
const roomy = { bytes: 1000, documents: 10, levels: 10 }
const ample = { bytes: 1e9, documents: 1e9, levels: 1e9 }

describe('creates', () => {
  it.each<Example>([
    {
      name: 'come after what they refer to',
      rows: [create(1, 2), create(2), create()],
      steps: ['create: create 2', 'create: create 1', 'create: create 0'],
    },
    {
      name: 'share a step if they refer to the same',
      rows: [create(2), create(2), create()],
      steps: ['create: create 2', 'create: create 0, create 1'],
    },
    {
      name: 'come before what is replaced, and need not wait for it',
      rows: [replace([1]), create(0)],
      steps: ['create: create 1', 'replace: replace 0'],
    },
    {
      name: 'are stubs first if they refer to one another',
      rows: [create(1), create(0), create(0)],
      steps: ['create: stub 1, stub 0, fill 1, fill 0', 'create: create 2'],
    },
    { name: 'are a stub first if they refer to themselves', rows: [create(0)], steps: ['create: stub 0, fill 0'] },
    {
      name: 'begin weak if they refer to what changes its type',
      rows: [create(1), retype([2]), create()],
      steps: ['create: weak 0 to 1, create 2', 'replace: replace 1', 'replace: replace 0'],
    },
  ])('$name', ({ rows, steps }) => {
    expect(shown(orderWrites(datasetOf(rows).needs, roomy))).toEqual(steps)
  })

  it.each<Example>([
    {
      name: 'the hub of a cycle too large for a batch',
      rows: [create(1, 2, 3), create(0), create(0), create(0)],
      steps: ['create: weak 0 to 1+2+3', 'create: create 3, create 2 | create 1', 'replace: replace 0'],
    },
    {
      name: 'one document of a ring too large for a batch',
      rows: [create(1), create(2), create(0)],
      steps: ['create: weak 2 to 0', 'create: create 1', 'create: create 0', 'replace: replace 2'],
    },
    {
      name: 'the first of each new run of levels',
      rows: [create(), create(0), create(1), create(2), create(3)],
      steps: ['create: create 0, weak 3 to 2', 'create: create 1, create 4', 'create: create 2', 'replace: replace 3'],
    },
  ])('begin weak where they must: $name', ({ rows, steps }) => {
    expect(shown(orderWrites(datasetOf(rows).needs, tight))).toEqual(steps)
  })
})

describe('replaces', () => {
  it.each<Example>([
    {
      name: 'go in one step, whatever they refer to',
      rows: [replace([1]), replace([0]), replace([2])],
      steps: ['replace: replace 0, replace 1, replace 2'],
    },
    {
      name: 'wait for a type to change only if they refer to it',
      rows: [replace([2]), replace([], [2]), retype()],
      steps: ['replace: replace 1', 'replace: replace 2', 'replace: replace 0'],
    },
  ])('$name', ({ rows, steps }) => {
    expect(shown(orderWrites(datasetOf(rows).needs, roomy))).toEqual(steps)
  })
})

describe('retypes', () => {
  it.each<Example>([
    {
      name: 'are replaces if nothing refers to them',
      rows: [retype([1]), replace([])],
      steps: ['replace: replace 1', 'replace: replace 0'],
    },
    {
      name: 'take what refers to them along',
      rows: [retype(), replace([0], [0]), replace([0], [0])],
      steps: ['replace: clear 1, clear 2, replace 0, fill 1, fill 2'],
    },
    {
      name: 'join if one document refers to both',
      rows: [retype(), retype(), replace([0, 1], [0, 1])],
      steps: ['replace: clear 2, replace 0, replace 1, fill 2'],
    },
    { name: 'let go of themselves first', rows: [retype([], [0])], steps: ['replace: clear 0, fill 0'] },
    {
      name: 'come after those that they will refer to',
      rows: [retype([1], [1]), retype([2], [2]), retype()],
      steps: ['replace: clear 0, clear 1, replace 2, fill 1, fill 0'],
    },
    {
      name: 'are made anew if they will refer to one another',
      rows: [retype([1], [1]), retype([0])],
      steps: ['replace: clear 0, delete 1, delete 0, stub 1, stub 0, fill 1, fill 0'],
    },
    { name: 'are made anew if they will refer to themselves', rows: [retype([0])], steps: ['replace: delete 0, stub 0, fill 0'] },
    {
      name: 'take along what is deleted, and what refers to that',
      rows: [retype(), remove(0), remove(1), remove()],
      steps: ['replace: clear 1, clear 2, delete 1, delete 2, replace 0', 'delete: delete 3'],
    },
    {
      name: 'and deletes may refer to one another',
      rows: [retype([], [1]), remove(0)],
      steps: ['replace: clear 0, clear 1, delete 1, fill 0'],
    },
  ])('$name', ({ rows, steps }) => {
    expect(shown(orderWrites(datasetOf(rows).needs, roomy))).toEqual(steps)
  })

  it.each<Example>([
    {
      name: 'what refers to them begins weak',
      rows: [retype(), replace([0], [0]), replace([0], [0])],
      steps: ['replace: weak 1 to 0, weak 2 to 0', 'replace: replace 0', 'replace: replace 1, replace 2'],
    },
    {
      name: 'what is to be deleted is cleared',
      rows: [retype(), replace([0], [0]), remove(0)],
      steps: ['replace: weak 1 to 0, clear 2', 'replace: replace 0', 'replace: replace 1', 'delete: delete 2'],
    },
    {
      name: 'those that refer to others come first',
      rows: [retype([1], [1]), retype([2], [2]), retype()],
      steps: ['replace: weak 0 to 1', 'replace: weak 1 to 2', 'replace: replace 2', 'replace: replace 0, replace 1'],
    },
    {
      name: 'those that refer to one another are cleared',
      rows: [retype([1], [1]), retype([2], [2]), retype([0], [0])],
      steps: [
        'replace: clear 2, clear 1 | clear 0',
        'replace: weak 2 to 0, weak 1 to 2 | weak 0 to 1',
        'replace: replace 2, replace 1 | replace 0',
      ],
    },
  ])('too many for a batch: $name', ({ rows, steps }) => {
    expect(shown(orderWrites(datasetOf(rows).needs, tight))).toEqual(steps)
  })
})

describe('deletes', () => {
  it.each<Example>([
    {
      name: 'begin with what nothing refers to',
      rows: [remove(1, 2), remove(2), remove()],
      steps: ['delete: delete 0', 'delete: delete 1', 'delete: delete 2'],
    },
    {
      name: 'come when what is replaced has let go',
      rows: [remove(), replace([], [0])],
      steps: ['replace: replace 1', 'delete: delete 0'],
    },
    {
      name: 'are cleared first if they refer to one another',
      rows: [remove(1), remove(0)],
      steps: ['delete: clear 1, clear 0, delete 1, delete 0'],
    },
    { name: 'are cleared first if they refer to themselves', rows: [remove(0)], steps: ['delete: clear 0, delete 0'] },
    {
      name: 'are cleared in a step of its own if they are too many',
      rows: [remove(1), remove(2), remove(0)],
      steps: ['delete: clear 2, clear 1 | clear 0', 'delete: delete 2, delete 1 | delete 0'],
    },
    {
      name: 'are cleared where there are too many levels',
      rows: [remove(1), remove(2), remove(3), remove(4), remove()],
      steps: ['delete: clear 2', 'delete: delete 0, delete 3', 'delete: delete 1, delete 4', 'delete: delete 2'],
    },
  ])('$name', ({ rows, steps }) => {
    expect(shown(orderWrites(datasetOf(rows).needs, tight))).toEqual(steps)
  })
})

describe('batches', () => {
  const three = [create(), create(), create()]

  it('hold no more documents than they may', () => {
    expect(shown(orderWrites(datasetOf(three).needs, tight))).toEqual(['create: create 0, create 1 | create 2'])
  })

  it('hold no more bytes than they may, a larger document alone', () => {
    const rows = [300, 600, 1500, 400, 700].map((size): Row => ({ is: 'creates', size }))
    const order = orderWrites(datasetOf(rows).needs, { ...roomy, bytes: 1000 })
    expect(shown(order)).toEqual(['create: create 0, create 1 | create 2 | create 3 | create 4'])
  })

  it('hold 256 KiB and 500 documents if nothing else is said', () => {
    const rows = Array.from({ length: 1001 }, (): Row => create())
    const [step] = orderWrites(datasetOf([...rows, { is: 'creates', size: 256 * 1024 }]).needs)
    expect(step?.batches.map(({ writes }) => writes.length)).toEqual([500, 500, 1, 1])
  })
})

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
    fc.assert(property, { seed: 20_261_128, numRuns: 3000 })
  })

  it('is so too when it is larger', () => {
    const limits = fc.record({ bytes: fc.constantFrom(100, 1000), documents: fc.constantFrom(7, 50), levels: fc.constantFrom(4, 32) })
    const property = fc.property(anyRows(150), limits, fc.nat(), (rows, some, seed) => {
      checkedOrder(datasetOf(rows), some, shuffledBy(seed))
    })
    fc.assert(property, { seed: 20_261_128, numRuns: 100 })
  })

  it('is never seen cleared, and weak only before a type changes, where a batch holds everything', () => {
    const property = fc.property(anyRows(12), fc.nat(), (rows, seed) => {
      const steps = checkedOrder(datasetOf(rows), ample, shuffledBy(seed))
      expect(alone(steps)).toEqual([])
      const weak = writesOf(steps).filter(({ kind }) => kind === 'weak')
      const before = rows.flatMap(({ is, snapshot }, each) =>
        is === 'creates' && snapshot?.some((target) => rows[target]?.is === 'retypes') ? [each] : [],
      )
      expect(weak.map(({ document }) => document).toSorted((a, b) => a - b)).toEqual(before)
    })
    fc.assert(property, { seed: 20_261_128, numRuns: 2000 })
  })
})

const writesOf = (steps: readonly Step[]) => steps.flatMap(({ batches }) => batches.flatMap(({ writes }) => writes))

describe('60,010 documents', () => {
  const count = 60_010
  const all = Array.from({ length: count }, (_, each) => each)
  const none = { creates: [], replaces: [], retypes: [], deletes: [], size: () => 1000 }
  const chain = (document: number): number[] => (document + 1 < count ? [document + 1] : [])
  const ring = (document: number): number[] => [(document + 1) % count]
  const star = (document: number): number[] => (document === 0 ? [] : [0])
  const wheel = (document: number): number[] => (document === 0 ? all : [0])

  it.each([
    // Every 32nd document is written twice.
    { name: 'a chain of creates', is: 'creates', refers: chain, steps: 33, writes: count + Math.floor(count / 32) },
    { name: 'a ring of creates', is: 'creates', refers: ring, steps: 33, writes: count + Math.ceil(count / 32) },
    { name: 'a star of creates', is: 'creates', refers: star, steps: 2, writes: count },
    { name: 'a wheel of creates', is: 'creates', refers: wheel, steps: 3, writes: count + 1 },
    { name: 'a ring of replaces', is: 'replaces', refers: ring, steps: 1, writes: count },
    { name: 'a chain of retypes', is: 'retypes', refers: chain, steps: 34, writes: 2 * count - 1 },
    { name: 'a ring of retypes', is: 'retypes', refers: ring, steps: 3, writes: 3 * count },
    { name: 'a chain of deletes', is: 'deletes', refers: chain, steps: 33, writes: count + Math.floor(count / 32) },
    { name: 'a ring of deletes', is: 'deletes', refers: ring, steps: 2, writes: 2 * count },
    { name: 'a star of deletes', is: 'deletes', refers: star, steps: 2, writes: count },
  ])('$name', ({ is, refers, steps, writes }) => {
    const order = orderWrites({ ...none, [is]: all, refersInSnapshot: refers, refersInTarget: refers })
    expect({ steps: order.length, writes: writesOf(order).length }).toEqual({ steps, writes })
  })
})
