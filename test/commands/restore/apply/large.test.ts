import { afterEach, describe, expect, it } from '@jest/globals'
import { answers } from '../../../doubles/sanity/answers.ts'
import type { SanityRequest } from '../../../doubles/sanity/types.ts'
import { contentOf, type Scene, startScene } from '../scene.ts'

const times = { _createdAt: '2026-01-01T00:00:00Z', _updatedAt: '2026-01-02T00:00:00Z' }
const parts = Object.fromEntries(['a', 'b', 'c'].map((name) => [name, name.repeat(2_500_000)]))
/** Three transactions. It refers to itself, and a small one to it. */
const large = { _id: 'large', _type: 'page', ...times, ...parts, self: { _type: 'reference', _ref: 'large' } }
const small = { _id: 'small', _type: 'page', ...times, to: { _type: 'reference', _ref: 'large' } }

const isWrite = ({ query }: SanityRequest) => query['dryRun'] !== 'true'

let scene: Scene
afterEach(async () => await scene[Symbol.asyncDispose]())

async function spoiled(edits: readonly object[], referenceCheck: 'end' | 'each'): Promise<Map<string, object>> {
  scene = await startScene({ documents: [large, small], rules: { referenceCheck } })
  const before = contentOf(scene)
  await scene.backUp()
  await scene.sanity.edit(edits)
  return before
}

describe.each(['end', 'each'] as const)('a document that no mutation can hold, with references checked at the %s', (check) => {
  it.each([
    {
      name: 'is missing',
      edits: [
        { createOrReplace: { _id: 'small', _type: 'page' } },
        { createOrReplace: { _id: 'large', _type: 'page' } },
        { delete: { id: 'large' } },
      ],
    },
    { name: 'was changed', edits: [{ patch: { id: 'large', set: { a: 'Spoiled', d: 'New' } } }] },
  ])('comes back in parts where it $name', async ({ edits }) => {
    const before = await spoiled(edits, check)
    expect((await scene.apply()).failure).toBeUndefined()
    expect(contentOf(scene)).toEqual(before)
    expect(await scene.plan()).toEqual([])
  })

  it('that an editor changes between its parts is theirs, and comes back with the next run', async () => {
    const before = await spoiled([{ patch: { id: 'large', set: { a: 'Spoiled' } } }], check)
    const { sanity, apply } = scene
    let turns = 0
    const hook = (): void =>
      sanity.meanwhile('mutate', async () => {
        if (turns++ < 2) return hook()
        await sanity.edit([{ patch: { id: 'large', set: { title: 'Theirs' } } }])
      })
    hook()
    const { failure, applied } = await apply()
    expect(failure?.message).toBe(
      '1 document differs, changed by others meanwhile, after the restore:\nlarge: somebody changed it after the plan was made',
    )
    expect(applied).toMatchObject({ transactions: 1 })
    expect(sanity.store().find('large')).toMatchObject({ title: 'Theirs' })
    expect((await apply()).failure).toBeUndefined()
    expect(contentOf(scene)).toEqual(before)
  })

  it('whose parts are cut short is finished by the next run', async () => {
    const before = await spoiled([{ patch: { id: 'large', set: { a: 'Spoiled' } } }], check)
    const { sanity, apply } = scene
    let turns = 0
    sanity.fault('mutate', { answer: answers.sessionNotFound, when: (request) => isWrite(request) && turns++ > 0 })
    expect((await apply()).failure).toMatchObject({ code: 'restore-failed' })
    sanity.reset()
    expect((await apply()).failure).toBeUndefined()
    expect(contentOf(scene)).toEqual(before)
  })
})
