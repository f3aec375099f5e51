import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { type Manifest, printManifest } from '../../../src/format/manifest/manifest.ts'
import { findLastBytes } from '../../../src/snapshot/read/newest-first.ts'
import { exampleManifest } from '../../support/example.ts'
import { makeTempFolder } from '../../support/process.ts'

const kind = { ...exampleManifest, includeAssets: false }

describe('findLastBytes', () => {
  it('tells the size of the newest whole snapshot of the dataset', async () => {
    await using temp = await makeTempFolder()
    await snapshot(temp.path, 'abc12345-production-20261120T081500Z', 111)
    await snapshot(temp.path, 'abc12345-production-20261121T081500Z', 222)
    await snapshot(temp.path, 'abc12345-production-de-20261122T081500Z', 333)
    await mkdir(join(temp.path, 'abc12345-production-20261122T081500Z.partial'))
    expect(await findLastBytes(temp.path, kind)).toBe(222)
  })

  it('knows no size where there is no snapshot yet', async () => {
    await using temp = await makeTempFolder()
    expect(await findLastBytes(temp.path, kind)).toBeUndefined()
  })

  it.each<{ name: string; change: Partial<Manifest> }>([
    { name: 'other filters', change: { filters: { ...exampleManifest.filters, types: ['post'] } } },
    { name: 'the files of assets', change: { assets: { ...exampleManifest.assets, included: true } } },
    { name: 'one shard', change: { shard: { index: 1, of: 8 } } },
  ])('takes no size from a snapshot of $name', async ({ change }) => {
    await using temp = await makeTempFolder()
    await snapshot(temp.path, 'abc12345-production-20261120T081500Z', 111)
    await snapshot(temp.path, 'abc12345-production-20261121T081500Z', 9_000_000_000_000_000, change)
    expect(await findLastBytes(temp.path, kind)).toBe(111)
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
