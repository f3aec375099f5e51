import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { RestoreOutcome } from '../../../src/commands/restore/outcome.ts'
import { answers } from '../../doubles/sanity/answers.ts'
import { contentOf, type Scene, startScene } from './scene.ts'

/** Documents are d0 … d15; a reference leads to one of them. */
const count = 16
/** Types seldom change: a document that nobody is to touch keeps what it refers to from that. */
const types = [...Array.from({ length: 9 }, () => 'page'), 'author']

type Made = { readonly type: string; readonly to: readonly number[]; readonly title: string }
/** A document on both sides; undefined where it is not there. */
type Sides = { readonly before: Made | undefined; readonly after: Made | undefined }

const anyMade = fc.record(
  {
    type: fc.constantFrom(...types),
    to: fc.array(fc.nat(count - 1), { maxLength: 3 }),
    title: fc.constantFrom('one', 'two', 'three'),
  },
  { noNullPrototype: true },
)

const maybe = fc.option(anyMade, { nil: undefined, freq: 4 })
const anySides = fc.array(
  fc.oneof(
    // Half of the documents stay as they are.
    maybe.map((before) => ({ before, after: before })),
    fc.record({ before: maybe, after: maybe }, { noNullPrototype: true }),
  ),
  { minLength: count, maxLength: count },
)

const prefixes = ['', 'drafts.'] as const
const idOf = (index: number) => `${prefixes[index % 5 === 4 ? 1 : 0]}d${index}`

/** The documents of one side. What is not there is not referred to. */
function documentsOf(all: readonly Sides[], side: keyof Sides) {
  return all.flatMap((sides, index) => {
    const made = sides[side]
    if (made === undefined) return []
    const to = made.to.filter((target) => all[target]?.[side] !== undefined)
    const references = to.map((target, key) => ({ _type: 'reference', _key: `k${key}`, _ref: idOf(target) }))
    const _createdAt = `2026-01-01T00:00:${String(index).padStart(2, '0')}Z`
    return [{ _id: idOf(index), _type: made.type, _createdAt, _updatedAt: '2026-01-02T00:00:00Z', title: made.title, references }]
  })
}

/** Makes the dataset hold these documents, whatever it refused an editor. */
function fill({ sanity }: Scene, documents: ReturnType<typeof documentsOf>): void {
  const store = sanity.store()
  for (const { _id } of store.documents()) store.remove(_id)
  for (const document of documents) store.put({ ...document, _rev: crypto.randomUUID() })
}

/** A restore that ends after so many transactions, if it has as many. */
async function stopped({ sanity, apply }: Scene, after: number, inputs: Readonly<Record<string, string>>): Promise<RestoreOutcome> {
  let turns = 0
  sanity.fault('mutate', { answer: answers.sessionNotFound, when: ({ query }) => query['dryRun'] !== 'true' && turns++ >= after })
  const outcome = await apply(inputs)
  sanity.reset()
  return outcome
}

describe.each([{ referenceCheck: 'end' }, { referenceCheck: 'each' }] as const)('checked at the $referenceCheck', (rules) => {
  it('a mirror brings back any dataset, whatever became of it, and wherever it was stopped first', async () => {
    const seen = { whole: 0, blocked: 0 }
    await fc.assert(
      fc.asyncProperty(anySides, fc.nat(4), async (all, stopsAfter) => {
        await using scene = await startScene({ rules })
        fill(scene, documentsOf(all, 'before'))
        const wanted = contentOf(scene)
        await scene.backUp({ 'min-documents': '0' })
        fill(scene, documentsOf(all, 'after'))
        const revisions = new Map(
          scene.sanity
            .store()
            .documents()
            .map(({ _id, _rev }) => [_id, _rev]),
        )
        const inputs = { mirror: 'true', 'on-blocked': 'warn' }
        const { plan } = await stopped(scene, stopsAfter, inputs)
        expect((await scene.apply(inputs)).failure).toBeUndefined()
        const blocked = plan.rows.filter(({ action }) => action === 'blocked')
        for (const { id, reason } of blocked) {
          expect(reason).toMatch(/so that it must keep its type$|which cannot be restored$|which stays, refers to it/)
          wanted.delete(id)
        }
        const there = contentOf(scene)
        for (const { id } of blocked) there.delete(id)
        expect(there).toEqual(wanted)
        const written = new Set(plan.rows.map(({ id }) => id))
        for (const { _id, _rev } of scene.sanity.store().documents()) expect(written.has(_id) || revisions.get(_id) === _rev).toBe(true)
        expect((await scene.plan({ mirror: 'true' })).toSorted()).toEqual(blocked.map(({ id }) => `blocked ${id}`).toSorted())
        seen[blocked.length > 0 ? 'blocked' : 'whole']++
      }),
      { seed: 20261128, numRuns: 12 },
    )
    expect(seen.whole).toBeGreaterThan(5)
  })
})
