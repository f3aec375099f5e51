import { readFile } from 'node:fs/promises'
import { afterEach, expect, it } from '@jest/globals'
import { answers } from '../../../doubles/sanity/answers.ts'
import type { SanityOptions } from '../../../doubles/sanity/sanity.ts'
import type { Fault } from '../../../doubles/sanity/types.ts'
import { contentOf, type Scene, startScene } from '../scene.ts'

let scene: Scene
afterEach(async () => await scene[Symbol.asyncDispose]())

/** A snapshot with three files, and with what people wrote about them. */
async function withFiles(tokens: SanityOptions['tokens'] = {}): Promise<Scene & { readonly ids: readonly string[] }> {
  scene = await startScene({ tokens })
  const { sanity } = scene
  const ids = ['one', 'two', 'three'].map(
    (name) => sanity.addAsset({ kind: 'files', bytes: Buffer.from(name), filename: `${name}.txt` })._id,
  )
  await sanity.edit(ids.map((id) => ({ patch: { id, set: { title: 'Ours' } } })))
  await scene.backUp({ 'include-assets': 'true' })
  sanity.reset()
  return { ...scene, ids }
}

const titles = ({ sanity }: Scene, ids: readonly string[]) => ids.map((id) => sanity.store().find(id)?.['title'])

it.each<{ name: string; fault: Fault }>([
  { name: 'a reset', fault: { lost: 'reset', times: 2 } },
  { name: 'the end of the connection', fault: { lost: 'close', times: 2 } },
  { name: 'a proxy', fault: { lost: answers.badGateway, times: 2 } },
  { name: 'a limit', fault: { answer: { status: 429, headers: { 'retry-after': '1' } }, times: 5 } },
])('an upload whose answer is lost to $name is sent again, and the journal has the revision of each file once', async ({ fault }) => {
  const { sanity, apply, plan, ids } = await withFiles()
  const before = contentOf(scene)
  await sanity.edit(ids.map((id) => ({ delete: { id } })))
  sanity.fault('upload', fault)
  const { failure, applied } = await apply()
  expect(failure).toBeUndefined()
  expect(titles(scene, ids)).toEqual(['Ours', 'Ours', 'Ours'])
  expect([...contentOf(scene).keys()]).toEqual([...before.keys()])
  expect(await plan()).toEqual([])
  const journal = (await readFile(applied?.journalPath ?? '', 'utf8')).trim().split('\n')
  const entries = journal.map((line) => JSON.parse(line) as { transactionId: string; ids: string[] })
  expect(entries.flatMap((entry) => entry.ids).toSorted()).toEqual([...ids, ...ids].toSorted())
  const made = new Set(sanity.store().history.transactions.map(({ id }) => id))
  expect(entries.filter(({ transactionId }) => !made.has(transactionId))).toEqual([])
})

it('what somebody writes about an asset after the plan stays, and the run says so', async () => {
  const { sanity, apply, ids } = await withFiles()
  const [one = ''] = ids
  await sanity.edit(ids.map((id) => ({ patch: { id, set: { title: 'Spoiled' } } })))
  // The documents of assets are looked at right before they are patched.
  sanity.meanwhile('doc', async () => await sanity.edit([{ patch: { id: one, set: { title: 'Theirs' } } }]))
  const { failure } = await apply()
  expect(failure?.message).toContain(`${one}: somebody changed it after the plan was made`)
  expect(titles(scene, ids)).toEqual(['Theirs', 'Ours', 'Ours'])
  expect((await apply()).failure).toBeUndefined()
  expect(titles(scene, ids)).toEqual(['Ours', 'Ours', 'Ours'])
})

it('a file that somebody uploads after the plan keeps what they wrote about it', async () => {
  const { sanity, apply, ids } = await withFiles()
  const [one = ''] = ids
  await sanity.edit(ids.map((id) => ({ delete: { id } })))
  sanity.meanwhile('doc', async () => {
    sanity.addAsset({ kind: 'files', bytes: Buffer.from('one'), filename: 'one.txt' })
    await sanity.edit([{ patch: { id: one, set: { title: 'Theirs' } } }])
  })
  const { failure } = await apply()
  expect(failure?.message).toContain(`${one}: somebody made it after the plan was made`)
  expect(titles(scene, ids)).toEqual(['Theirs', 'Ours', 'Ours'])
})

it('an asset that is deleted after the plan is listed', async () => {
  const { sanity, apply, ids } = await withFiles()
  const [one = ''] = ids
  await sanity.edit(ids.map((id) => ({ patch: { id, set: { title: 'Spoiled' } } })))
  sanity.meanwhile('doc', async () => await sanity.edit([{ delete: { id: one } }]))
  const { failure, applied } = await apply()
  expect(failure?.message).toContain(`${one}: somebody deleted it after the plan was made`)
  expect(applied?.proof?.differs).toMatchObject([{ id: one, byOthers: true }])
  expect((await apply()).failure).toBeUndefined()
})

it('a token that may not change assets is found before anything is written', async () => {
  const { sanity, apply, ids } = await withFiles({
    skOnlyCreatesAbcdefghijklmnopqrstuvwxyz: { role: 'editor', may: (operation) => operation !== 'update' },
  })
  await sanity.edit(ids.map((id) => ({ patch: { id, set: { title: 'Spoiled' } } })))
  const { failure, applied } = await apply({ token: 'skOnlyCreatesAbcdefghijklmnopqrstuvwxyz' })
  expect({ code: failure?.code, applied }).toEqual({ code: 'sanity-forbidden', applied: undefined })
})
