import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it } from '@jest/globals'
import { type Sanity, startSanity } from '../../doubles/sanity/sanity.ts'
import { makeTempFolder } from '../../support/process.ts'
import { startWorld } from '../backup/branch/support.ts'
import { backUp, threeDocuments } from '../support.ts'
import { applying, restoreInto } from './support.ts'

/** The target: it has nothing of its own that a snapshot would not have. */
let sanity: Sanity
let temp: Awaited<ReturnType<typeof makeTempFolder>>
beforeAll(async () => {
  temp = await makeTempFolder('restore-source')
  sanity = await startSanity({ documents: threeDocuments })
})

afterAll(async () => {
  await sanity[Symbol.asyncDispose]()
  await temp[Symbol.asyncDispose]()
})

beforeEach(() => sanity.reset())

it('a damaged snapshot is refused before the target is asked for anything', async () => {
  const path = join(temp.path, 'damaged')
  await using backup = await backUp({ sanity }, { path, inputs: { compression: 'zstd' } })
  const data = join(path, backup.outputs['snapshot'] ?? '', 'data.ndjson.zst')
  await writeFile(data, Buffer.concat([await readFile(data), Buffer.from('more')]))
  sanity.reset()
  await using run = await restoreInto({ sanity }, { inputs: { path, ...applying() } })
  expect(run.code).toBe('verification-failed')
  expect(run.error?.message).toContain('size-differs')
  expect(sanity.requests).toEqual([])
})

it('shards are one snapshot', async () => {
  const path = join(temp.path, 'shards')
  for (const shard of ['1/2', '2/2']) {
    await using run = await backUp({ sanity }, { path, inputs: { shard, 'include-assets': 'true' }, env: { GITHUB_RUN_ID: '77' } })
    expect(run.code).toBeUndefined()
  }
  sanity.reset()
  await using whole = await restoreInto({ sanity }, { inputs: { path } })
  expect(whole.outputs).toMatchObject({
    status: 'planned',
    'unchanged-count': '3',
    snapshot: expect.stringMatching(/^abc12345-production-\d+T\d+Z$/),
  })
})

it.each(['text', 'compressed'])('a branch in the layout %s, at its tip and in its history', async (layout) => {
  await using world = await startWorld()
  const night = async (count: number) =>
    await world.night(threeDocuments.slice(0, count), { inputs: { 'branch-layout': layout, 'max-shrink-percent': '100' } })
  const first = await night(2)
  await night(3)
  const inputs = { branch: 'sanity-backups' }
  await using tip = await restoreInto({ sanity }, { inputs, env: world.git.env })
  expect(tip.outputs).toMatchObject({ status: 'planned', 'unchanged-count': '3' })
  await using old = await restoreInto({ sanity }, { inputs: { ...inputs, commit: first.outputs['commit-sha'] ?? '' }, env: world.git.env })
  expect(old.outputs).toMatchObject({ status: 'planned', 'unchanged-count': '2', snapshot: first.outputs['snapshot'] })
})

it('an alias, and an input that there is not, are refused before any request', async () => {
  const inputs = { path: '/nowhere', dataset: '~production' }
  await using run = await restoreInto({ sanity }, { inputs, env: { INPUT_MIROR: 'true' } })
  expect(run.code).toBe('input-invalid')
  expect(run.error?.message).toContain('is an alias: name the dataset that it stands for')
  expect(run.error?.message).toContain('mirror')
  expect(sanity.requests).toEqual([])
})
