import { afterEach, expect, it } from '@jest/globals'
import { answers } from '../../../doubles/sanity/answers.ts'
import { act } from '../../../doubles/sanity/calls.ts'
import type { Fault } from '../../../doubles/sanity/types.ts'
import { type Scene, startScene } from '../scene.ts'

let scene: Scene
afterEach(async () => await scene[Symbol.asyncDispose]())

const id = '_.releases.r1'
const version = { _id: 'versions.r1.a', _type: 'page', _createdAt: '2026-01-01T00:00:00Z', title: 'Next' }

const titleOf = ({ sanity }: Scene) => (sanity.store().find(id)?.['metadata'] as Record<string, unknown> | undefined)?.['title']

async function edit({ sanity }: Scene, title: string): Promise<void> {
  const { status } = await act(sanity, [{ actionType: 'release.edit', releaseId: 'r1', patch: { set: { 'metadata.title': title } } }])
  expect(status).toBe(200)
}

async function withRelease(): Promise<Scene> {
  scene = await startScene({})
  const { sanity } = scene
  await act(sanity, [{ actionType: 'release.create', releaseId: 'r1', metadata: { title: 'Spring', releaseType: 'undecided' } }])
  await sanity.edit([{ create: version }])
  await scene.backUp()
  sanity.reset()
  return scene
}

it.each<{ name: string; fault: Fault }>([
  { name: 'a reset', fault: { lost: 'reset', times: 2 } },
  { name: 'a proxy', fault: { lost: answers.badGateway, times: 2 } },
  { name: 'another transaction', fault: { answer: answers.transactionConflict, times: 3 } },
])('a release whose action meets $name is changed once', async ({ fault }) => {
  const { sanity, apply, plan } = await withRelease()
  await edit(scene, 'Spoiled')
  sanity.reset()
  let turns = 0
  // The first one is a dry run.
  sanity.fault('actions', { ...fault, when: () => turns++ > 0 })
  expect((await apply()).failure).toBeUndefined()
  expect(titleOf(scene)).toBe('Spring')
  expect(await plan()).toEqual([])
})

it('a release that somebody changes after the plan keeps that, and a second run brings it back', async () => {
  const { sanity, apply } = await withRelease()
  await edit(scene, 'Spoiled')
  sanity.meanwhile('doc', async () => await edit(scene, 'Theirs'))
  const { failure } = await apply()
  expect(failure?.message).toContain(`${id}: somebody changed it after the plan was made`)
  expect(titleOf(scene)).toBe('Theirs')
  expect((await apply()).failure).toBeUndefined()
  expect(titleOf(scene)).toBe('Spring')
})

it('a release and its versions that are gone come back, and one that somebody makes meanwhile is left', async () => {
  const { sanity, apply, plan } = await withRelease()
  await act(sanity, [{ actionType: 'release.archive', releaseId: 'r1' }])
  await act(sanity, [{ actionType: 'release.delete', releaseId: 'r1' }])
  expect(sanity.store().find(id)).toBeUndefined()
  let turns = 0
  const hook = (): void =>
    sanity.meanwhile('actions', async () => {
      if (turns++ === 0) return hook()
      await act(sanity, [{ actionType: 'release.create', releaseId: 'r1', metadata: { title: 'Theirs', releaseType: 'undecided' } }])
    })
  hook()
  const { failure } = await apply()
  expect(failure?.message).toContain(`${id}: somebody made it after the plan was made`)
  expect(titleOf(scene)).toBe('Theirs')
  expect(sanity.store().find(version._id)).toMatchObject(version)
  expect((await apply()).failure).toBeUndefined()
  expect(await plan()).toEqual([])
})
