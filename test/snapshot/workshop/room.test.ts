import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { type Manifest, printManifest } from '../../../src/format/manifest.ts'
import { checkRoom, diskFull, isDiskFull } from '../../../src/snapshot/workshop/room.ts'
import { exampleManifest } from '../../support/example.ts'
import { rejection } from '../../support/feed.ts'
import { makeTempFolder } from '../../support/process.ts'

const kind = { ...exampleManifest, includeAssets: false }

describe('checkRoom', () => {
  it('tells the size of the newest whole snapshot of the dataset, and what is free', async () => {
    await using temp = await makeTempFolder()
    await snapshot(temp.path, 'abc12345-production-20261120T081500Z', 111)
    await snapshot(temp.path, 'abc12345-production-20261121T081500Z', 222)
    await snapshot(temp.path, 'abc12345-production-de-20261122T081500Z', 333)
    await mkdir(join(temp.path, 'abc12345-production-20261122T081500Z.partial'))
    const { previousBytes, freeBytes } = await checkRoom(temp.path, kind)
    expect(previousBytes).toBe(222)
    expect(freeBytes).toBeGreaterThan(0)
  })

  it('knows no size where there is no snapshot yet', async () => {
    await using temp = await makeTempFolder()
    expect(await checkRoom(temp.path, kind)).toMatchObject({ previousBytes: undefined })
  })

  it.each<{ name: string; change: Partial<Manifest> }>([
    { name: 'other filters', change: { filters: { ...exampleManifest.filters, types: ['post'] } } },
    { name: 'the files of assets', change: { assets: { ...exampleManifest.assets, included: true } } },
    { name: 'one shard', change: { shard: { index: 1, of: 8 } } },
  ])('takes no size from a snapshot of $name', async ({ change }) => {
    await using temp = await makeTempFolder()
    await snapshot(temp.path, 'abc12345-production-20261120T081500Z', 111)
    await snapshot(temp.path, 'abc12345-production-20261121T081500Z', 9_000_000_000_000_000, change)
    expect(await checkRoom(temp.path, kind)).toMatchObject({ previousBytes: 111 })
  })

  it('refuses to begin what cannot be finished, and says what is needed and what is there', async () => {
    await using temp = await makeTempFolder()
    await snapshot(temp.path, 'abc12345-production-20261121T081500Z', 9_000_000_000_000_000)
    expect(await rejection(checkRoom(temp.path, kind))).toMatchObject({
      code: 'disk-full',
      message: expect.stringMatching(/takes 9000\.0 TB, and only .* are free/),
    })
  })
})

describe('a full disk', () => {
  it.each(['ENOSPC', 'EDQUOT'])('is known by %s, also as the cause of another error', (code) => {
    expect(isDiskFull(Object.assign(new Error('x'), { code }))).toBe(true)
    expect(isDiskFull(new Error('x', { cause: Object.assign(new Error('y'), { code }) }))).toBe(true)
  })

  it('is not any other failure', () => {
    expect(isDiskFull(Object.assign(new Error('x'), { code: 'EACCES' }))).toBe(false)
  })

  it('is told with what is needed, and without what is there where the system does not say', async () => {
    const error = await diskFull(new Error('x'), '/nowhere/at/all', { neededBytes: 1_500_000, keptBytes: 0 })
    expect(error).toMatchObject({
      code: 'disk-full',
      message: expect.stringMatching(/more than 1\.5 MB in "\/nowhere\/at\/all", and there is no more room\.$/),
    })
  })
})

async function snapshot(path: string, name: string, sizeBytes: number, change: Partial<Manifest> = {}): Promise<void> {
  const [file] = exampleManifest.files
  if (!file) throw new Error('the example has no file')
  await mkdir(join(path, name))
  await writeFile(
    join(path, name, 'manifest.json'),
    printManifest({ ...exampleManifest, snapshot: name, files: [{ ...file, sizeBytes }], ...change }),
  )
}
