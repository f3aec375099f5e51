import { afterEach, describe, expect, it } from '@jest/globals'
import type { SanityOptions } from '../../../doubles/sanity/sanity.ts'
import { contentOf, type Scene, startScene } from '../scene.ts'

const strong = (id: string) => ({ _type: 'reference', _ref: id })
const times = { _createdAt: '2026-01-01T00:00:00Z', _updatedAt: '2026-01-02T00:00:00Z' }
const page = (id: string, more: object = {}) => ({ _id: id, _type: 'page', ...times, ...more })
/** A document refers to the other: they can come back together only. */
const cycle = [page('one', { next: strong('two') }), page('two', { next: strong('one') })]

let scene: Scene
afterEach(async () => await scene[Symbol.asyncDispose]())

/** A snapshot of these documents, and what became of the dataset since. */
async function spoiled(documents: readonly object[], edits: readonly object[], options: SanityOptions = {}): Promise<Scene> {
  scene = await startScene({ documents: documents as never, ...options })
  await scene.backUp()
  await scene.sanity.edit(edits)
  return scene
}

/** Lets an editor write right before the first batch is carried out; the dry runs before it are not counted. */
function meanwhile({ sanity }: Scene, edits: readonly object[]): void {
  const hook = () =>
    sanity.meanwhile('mutate', async () => {
      if (sanity.of('mutate').at(-1)?.query['dryRun'] === 'true') hook()
      else await sanity.edit(edits)
    })
  hook()
}

const set = (id: string, title: string) => ({ patch: { id, set: { title } } })

describe.each([{ referenceCheck: 'end' }, { referenceCheck: 'each' }] as const)('checked at the $referenceCheck', (rules) => {
  it.each([
    {
      name: 'changes what is to be replaced',
      edits: [set('a', 'Spoiled'), set('b', 'Spoiled')],
      others: [set('a', 'Theirs')],
      why: 'a: somebody changed it after the plan was made',
      there: { a: { title: 'Theirs' }, b: { title: 'B' } },
    },
    {
      name: 'deletes what is to be replaced',
      edits: [set('a', 'Spoiled'), set('b', 'Spoiled')],
      others: [{ delete: { id: 'a' } }],
      why: 'a: somebody deleted it after the plan was made',
      there: { a: undefined, b: { title: 'B' } },
    },
    {
      name: 'makes what is to be made',
      edits: [{ delete: { id: 'a' } }, set('b', 'Spoiled')],
      others: [{ create: page('a', { title: 'Theirs' }) }],
      why: 'a: somebody made it after the plan was made',
      there: { a: { title: 'Theirs' }, b: { title: 'B' } },
    },
    {
      name: 'changes what is to be deleted',
      edits: [{ create: page('added') }, set('b', 'Spoiled')],
      others: [set('added', 'Theirs')],
      why: 'added: somebody changed it after the plan was made',
      there: { added: { title: 'Theirs' }, b: { title: 'B' } },
    },
    {
      name: 'deletes and makes again what is to be deleted',
      edits: [{ create: page('added') }, set('b', 'Spoiled')],
      others: [{ delete: { id: 'added' } }, { create: page('added', { title: 'Theirs' }) }],
      why: 'added: somebody changed it after the plan was made',
      there: { added: { title: 'Theirs' }, b: { title: 'B' } },
    },
    {
      name: 'refers to what is to be deleted',
      edits: [{ create: page('added') }, set('b', 'Spoiled')],
      others: [{ create: page('theirs', { to: strong('added') }) }],
      why: 'added: theirs refers to it by now',
      there: { added: {}, b: { title: 'B' }, theirs: {} },
    },
    {
      name: 'deletes what a document refers to',
      edits: [{ patch: { id: 'c', unset: ['to'] } }, set('b', 'Spoiled')],
      others: [{ delete: { id: 'a' } }],
      why: 'c: it refers to a, which is not there',
      there: { c: { title: 'C' }, b: { title: 'B' }, a: undefined },
    },
  ])('an editor who $name keeps that, all else is written, and a second run finishes it', async ({ edits, others, why, there }) => {
    const documents = [page('a', { title: 'A' }), page('b', { title: 'B' }), page('c', { title: 'C', to: strong('a') })]
    const own = documents.filter(({ _id }) => _id !== 'c' || why.startsWith('c:'))
    const { sanity, apply, plan } = await spoiled(own, edits, { rules })
    const wanted = new Map(own.map((document) => [document._id, document]))
    meanwhile(scene, others)
    const { status, failure, applied } = await apply({ mirror: 'true' })
    expect({ status, code: failure?.code }).toEqual({ status: 'restored', code: 'restore-failed' })
    expect(failure?.message).toContain(why)
    expect(failure?.message).toMatch(/changed by others meanwhile/)
    const held = Object.fromEntries(Object.keys(there).map((id) => [id, sanity.store().find(id)]))
    expect(held).toMatchObject(there)
    expect(applied?.proof?.differs.map(({ id }) => id)).toContain(why.split(':')[0])
    expect(await apply({ mirror: 'true' })).toMatchObject({ failure: undefined })
    expect(contentOf(scene)).toEqual(new Map([...wanted].map(([id, { _updatedAt, ...content }]) => [id, content])))
    expect(await plan({ mirror: 'true' })).toEqual([])
  })

  it('an editor in the middle of a cycle keeps the document, and the others of the cycle come', async () => {
    const { sanity, apply } = await spoiled(
      cycle,
      [{ patch: { id: 'one', unset: ['next'] } }, { delete: { id: 'two' } }, { delete: { id: 'one' } }],
      { rules },
    )
    meanwhile(scene, [{ create: page('one', { title: 'Theirs' }) }])
    const { failure } = await apply()
    expect(failure?.message).toContain('one: somebody made it after the plan was made')
    expect(sanity.store().find('one')).toMatchObject({ title: 'Theirs' })
    expect(sanity.store().find('two')).toMatchObject(cycle[1] ?? {})
    expect((await apply()).failure).toBeUndefined()
    expect(sanity.store().find('one')).toMatchObject(cycle[0] ?? {})
  })

  it('a cycle that is to be deleted stays where an editor has changed one of it, and goes the next time', async () => {
    const { sanity, apply } = await spoiled([page('a')], [{ create: page('one') }, { create: cycle[1] }, { createOrReplace: cycle[0] }], {
      rules,
    })
    meanwhile(scene, [set('one', 'Theirs')])
    const { failure } = await apply({ mirror: 'true' })
    expect(failure?.message).toContain('one: somebody changed it after the plan was made')
    expect(sanity.store().find('one')).toMatchObject({ title: 'Theirs', next: { _ref: 'two' } })
    expect(sanity.store().find('two')).toMatchObject(cycle[1] ?? {})
    expect((await apply({ mirror: 'true' })).failure).toBeUndefined()
    expect([...contentOf(scene).keys()]).toEqual(['a'])
  })
})

it('what somebody brings back in the same moment counts as done', async () => {
  const { apply } = await spoiled([page('a', { title: 'A' }), page('b', { title: 'B' })], [{ delete: { id: 'a' } }, set('b', 'Spoiled')])
  meanwhile(scene, [{ create: page('a', { title: 'A' }) }])
  expect(await apply()).toMatchObject({ failure: undefined, applied: { left: [], proof: { equal: 2 } } })
})

it('what somebody changed that the plan had nothing to do with makes the run red, and is said to be theirs', async () => {
  const { sanity, apply } = await spoiled([page('a', { title: 'A' }), page('b', { title: 'B' })], [set('b', 'Spoiled')])
  meanwhile(scene, [set('a', 'Theirs')])
  const { failure, applied } = await apply()
  expect(failure?.message).toBe('1 document differs, changed by others meanwhile, after the restore:\na: somebody changed it')
  expect(applied?.proof?.differs).toMatchObject([{ id: 'a', byOthers: true }])
  expect(sanity.store().find('b')).toMatchObject({ title: 'B' })
})

it('what somebody makes while a mirror is written makes the run red, and the next plan shows it', async () => {
  const { sanity, apply, plan } = await spoiled([page('a', { title: 'A' }), page('b', { title: 'B' })], [set('b', 'Spoiled')])
  meanwhile(scene, [{ create: page('new', { title: 'Theirs' }) }, { delete: { id: 'a' } }])
  const { failure } = await apply({ mirror: 'true' })
  expect(failure?.message).toBe(
    '2 documents differ, changed by others meanwhile, after the restore:\na: somebody deleted it\nnew: somebody made it',
  )
  expect(sanity.store().find('new')).toMatchObject({ title: 'Theirs' })
  expect((await plan({ mirror: 'true' })).toSorted()).toEqual(['create a', 'delete new'])
})

it('what somebody changed that was not chosen does not count', async () => {
  const { apply } = await spoiled([page('a', { title: 'A' }), page('b', { title: 'B' })], [set('b', 'Spoiled')])
  meanwhile(scene, [set('a', 'Theirs'), { create: page('new') }])
  expect((await apply({ ids: 'b' })).failure).toBeUndefined()
})

it('a script that changes all documents meanwhile costs a few requests for each batch, not one for each document', async () => {
  const documents = Array.from({ length: 300 }, (_, index) => page(`p${index}`, { title: 'A' }))
  const { sanity, apply } = await spoiled(
    documents,
    documents.map(({ _id }) => set(_id, 'Spoiled')),
  )
  sanity.reset()
  meanwhile(
    scene,
    documents.slice(0, 250).map(({ _id }) => set(_id, 'Theirs')),
  )
  const { failure } = await apply()
  expect(failure?.message).toMatch(/^250 documents differ, changed by others meanwhile/)
  expect(sanity.count('mutate')).toBeLessThan(5)
  expect(sanity.count('doc')).toBeLessThan(5)
})
