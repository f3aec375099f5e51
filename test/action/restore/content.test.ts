import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Sanity, type SanityOptions, startSanity } from '../../doubles/sanity/sanity.ts'
import { makeTempFolder } from '../../support/process.ts'
import { backUp } from '../support.ts'
import { applying, restoreInto } from './support.ts'

let temp: Awaited<ReturnType<typeof makeTempFolder>>

beforeAll(async () => {
  temp = await makeTempFolder('restore-content')
})

afterAll(async () => await temp[Symbol.asyncDispose]())

let count = 0

/** Saves one dataset, and gives another one with the folder of that snapshot. */
async function scene(then: SanityOptions, now: SanityOptions): Promise<{ sanity: Sanity; path: string }> {
  const path = `${temp.path}/${++count}`
  await using source = await startSanity(then)
  await using run = await backUp({ sanity: source }, { path })
  expect(run.code).toBeUndefined()
  return { sanity: await startSanity(now), path }
}

const at = '"_createdAt":"2026-01-01T00:00:00Z"'
const times = { _createdAt: '2026-01-01T00:00:00Z', _updatedAt: '2026-01-01T00:00:00Z' }
const post = (id: string, more: object = {}) => ({ _id: id, _type: 'post', _rev: 'r1', ...times, ...more })
const to = (id: string) => ({ _type: 'reference', _ref: id })

it('what is equal is not touched, however it is spelled, and what is written keeps its bytes', async () => {
  const then = [
    `{"_id":"a-spelled","_type":"t","_rev":"x",${at},"n":[1,0.5,100,12345678901234567890],"s":"é\\n/ \\ud800"}`,
    `{"_id":"b-number","_type":"t","_rev":"x",${at},"n":12345678901234567890}`,
    `{"_id":"c-new","_type":"t","_rev":"x",${at},"n":0.1234567890123456789,"s":"\\ud800 ☃","_updatedAt":"2020-01-01T00:00:00Z"}`,
    `{"_id":"d-array","_type":"t","_rev":"x",${at},"n":[1,2]}`,
  ]
  const now = [
    `{ "s":"\\u00e9\\u000a\\/ \\uD800", "n":[1.0,5e-1,1e2,12345678901234567890.0],${at},"_type":"t","_id":"a-spelled","_rev":"kept","_system":{"group":"g"}}`,
    `{"_id":"b-number","_type":"t","_rev":"y",${at},"n":12345678901234567891}`,
    `{"_id":"d-array","_type":"t","_rev":"y",${at},"n":[2,1]}`,
  ]
  const { sanity, path } = await scene({ lines: then }, { lines: now })
  await using _ = sanity
  await using run = await restoreInto({ sanity }, { inputs: { path, ...applying() } })
  expect(run.error).toBeUndefined()
  expect(run.plan.map(({ action, id }) => `${action} ${id}`)).toEqual(['create c-new', 'replace b-number', 'replace d-array'])
  expect(sanity.store().lineOf('a-spelled')?.toString()).toBe(now[0])
  expect(sanity.store().lineOf('b-number')?.toString()).toContain('"n":12345678901234567890')
  expect(sanity.store().lineOf('c-new')?.toString()).toMatch(/"n":0\.1234567890123456789.*"s":"\\ud800 ☃"/)
  expect(sanity.store().find('c-new')).toMatchObject({ _createdAt: '2026-01-01T00:00:00Z', _updatedAt: '2020-01-01T00:00:00Z' })
  // Sanity adds its own member to all documents: that is no difference.
  sanity.migrate()
  await using again = await restoreInto({ sanity }, { inputs: { path, ...applying() } })
  expect(again.outputs).toMatchObject({ status: 'unchanged', 'unchanged-count': '4' })
})

const release = (name: string, state: string, more: object = {}) => ({
  _id: `_.releases.${name}`,
  _type: 'system.release',
  _rev: 'r1',
  ...times,
  name,
  state,
  metadata: { title: name, releaseType: 'undecided' },
  ...more,
})

describe.each(['end', 'each'] as const)('what cannot be restored, references checked at the %s', (referenceCheck) => {
  it('is left out with on-blocked: warn, and the rest comes back: types, large documents, releases and their versions', async () => {
    const large = 'x'.repeat(2_500_000)
    const then = [
      post('chain-1', { next: to('gone') }),
      post('chain-2', { next: to('chain-1') }),
      post('free', { next: to('retyped') }),
      { ...post('retyped', { me: to('retyped') }), _type: 'page' },
      { ...post('held'), _type: 'page' },
      post('large', { b: large, a: large.replaceAll('x', 'y'), next: to('free') }),
      post('too-large', { b: large + large }),
      release('new', 'active'),
      release('planned', 'scheduled', { publishAt: '2026-02-01T00:00:00Z' }),
      release('locked', 'active'),
      post('versions.new.free'),
      post('versions.planned.free'),
      post('versions.locked.free', { title: 'wanted' }),
    ]
    const now = [
      post('free', { next: to('retyped'), spoiled: true }),
      post('retyped'),
      post('held'),
      post('holder', { next: to('held') }),
      release('locked', 'scheduled', { publishAt: '2036-02-01T00:00:00Z' }),
      post('versions.locked.free', { title: 'locked' }),
    ]
    const { sanity, path } = await scene({ documents: then }, { documents: now, rules: { referenceCheck } })
    await using _ = sanity
    await using run = await restoreInto({ sanity }, { inputs: { path, ...applying(), 'on-blocked': 'warn' } })
    expect(run.error).toBeUndefined()
    expect(run.outputs).toMatchObject({ status: 'restored', 'blocked-count': '6', 'create-count': '5', 'replace-count': '2' })
    const blocked = Object.fromEntries(run.plan.filter(({ action }) => action === 'blocked').map(({ id, reason }) => [id, reason]))
    expect(blocked).toEqual({
      'chain-1': 'refers to gone, which is neither in the snapshot nor in the target',
      'chain-2': 'refers to chain-1, which cannot be restored',
      held: 'holder, which stays, refers to it, so that it must keep its type',
      'too-large': 'it is larger than the 4 MB of a mutation, and so is one of its fields',
      '_.releases.locked': 'the release is scheduled in the target and was active: nobody but the Studio can change that',
      'versions.locked.free': 'its release is scheduled in the target: take it off the schedule in the Studio first',
    })
    const store = sanity.store()
    expect(store.find('large')).toMatchObject({ b: large, next: to('free') })
    expect(store.find('retyped')).toMatchObject({ _type: 'page', me: to('retyped') })
    expect(store.find('free')).not.toHaveProperty('spoiled')
    expect(store.find('_.releases.planned')).toMatchObject({ state: 'active', metadata: { title: 'planned' } })
    expect([store.has('versions.new.free'), store.has('versions.planned.free')]).toEqual([true, true])
    expect(store.find('versions.locked.free')).toMatchObject({ title: 'locked', _rev: 'r1' })
    expect(run.warnings).toEqual([expect.stringContaining('6 documents cannot be restored')])
    expect(run.summary).toContain('### Cannot be restored')
  })
})

it('a project that may have no release is told so, and everything else comes back', async () => {
  const then = [release('new', 'active'), post('versions.new.a'), post('a')]
  const { sanity, path } = await scene({ documents: then }, { rules: { releaseLimit: 0 } })
  await using _ = sanity
  await using run = await restoreInto({ sanity }, { inputs: { path, ...applying() } })
  expect(run.code).toBe('restore-failed')
  expect(run.error?.message).toContain('_.releases.new: ')
  expect(run.error?.message).toMatch(/release/i)
  expect(sanity.store().has('a')).toBe(true)
  expect(run.summary).toContain('_.releases.new')
})

it('a token that does not see all of the target is warned of: what is hidden looks missing', async () => {
  const token = 'skHALFabcdefghijklmnopqrstuvwxyz0123456789'
  const documents = [post('a'), { ...post('b'), _type: 'author' }]
  const { sanity, path } = await scene({ documents }, { documents, tokens: { [token]: { role: 'editor', filter: '_type == "author"' } } })
  await using _ = sanity
  await using run = await restoreInto({ sanity }, { inputs: { path, token } })
  expect(run.plan).toEqual([{ action: 'create', id: 'a', type: 'post' }])
  expect(run.warnings).toEqual([expect.stringContaining('cannot read every document of the target')])
})
