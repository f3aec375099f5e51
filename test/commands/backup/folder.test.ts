import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { ensureRoomBelow, makeFolder } from '../../../src/commands/backup/folder.ts'
import { rejection } from '../../streams/feed.ts'
import { makeTempFolder } from '../../support/process.ts'
import { stepTools } from './tools.ts'

const source = { projectId: 'abc12345', dataset: 'production' }
const name = 'abc12345-production-20261122T081500Z'

describe('the folder of a snapshot', () => {
  it.each([
    { label: null, shard: null, expected: name },
    { label: 'before-restore', shard: null, expected: `${name}-before-restore` },
    { label: 'nightly', shard: { index: 2, of: 3 }, expected: `${name}-nightly-shard-2-of-3` },
  ])('has a name of its own, from a label and a shard if there are any: $expected', async ({ label, shard, expected }) => {
    await using temp = await makeTempFolder()
    using place = await makeFolder({ path: temp.path, source, label, shard }, stepTools().tools)
    expect(place).toMatchObject({ name: expected, takenAt: new Date('2026-11-22T08:15:00Z') })
    expect(await readdir(temp.path)).toEqual([`${expected}.partial`])
  })

  it('is named after the next second that no other run has', async () => {
    await using temp = await makeTempFolder()
    await mkdir(join(temp.path, name))
    const { tools } = stepTools()
    let seconds = 0
    const ticking = { ...tools, now: () => new Date(Date.UTC(2026, 10, 22, 8, 15, seconds)), wait: async () => void seconds++ }
    using place = await makeFolder({ path: temp.path, source, label: null, shard: null }, ticking)
    expect(place.name).toBe('abc12345-production-20261122T081501Z')
  })

  it('is not made while every name is taken', async () => {
    await using temp = await makeTempFolder()
    await mkdir(join(temp.path, name))
    const made = makeFolder({ path: temp.path, source, label: null, shard: null }, stepTools().tools)
    expect(await rejection(made)).toMatchObject({ code: 'input-invalid', title: 'The snapshot folder cannot be made' })
  })

  it('is gone when it is disposed', async () => {
    await using temp = await makeTempFolder()
    const place = await makeFolder({ path: temp.path, source, label: null, shard: null }, stepTools().tools)
    place[Symbol.dispose]()
    expect(await readdir(temp.path)).toEqual([])
  })
})

it('says in the log how much room there is', async () => {
  await using temp = await makeTempFolder()
  const { tools, logged } = stepTools()
  const filters = { includeDrafts: true, types: [], excludeTypes: [], excludeIds: [] }
  await ensureRoomBelow(temp.path, { source, filters, shard: null, includeAssets: true }, tools)
  expect(logged).toEqual([expect.stringMatching(/^info: Room for the snapshot: .* are free in ".*"$/)])
})
