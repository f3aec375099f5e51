import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { directoryDestination } from '../../src/destinations/directory.ts'
import { findPrevious } from '../../src/destinations/find-previous.ts'
import { type Manifest, printManifest } from '../../src/format/manifest/manifest.ts'
import { stopwatch } from '../../src/stopwatch.ts'
import { describeDestination, finishedSnapshot } from '../contracts/destination.ts'
import { exampleManifest } from '../support/example.ts'
import { rejection } from '../support/feed.ts'
import { makeTempFolder } from '../support/process.ts'

describeDestination('directory', async ({ signal, temp }) => ({
  destination: directoryDestination({ path: join(temp, 'snapshots'), source: exampleManifest.source, signal, stopwatch: stopwatch() }),
  next: () => directoryDestination({ path: join(temp, 'snapshots'), source: exampleManifest.source, signal, stopwatch: stopwatch() }),
  fetch: async () => {
    const [name] = await readdir(join(temp, 'snapshots')).then((names) => names.filter((entry) => !entry.endsWith('.partial')))
    return name === undefined ? undefined : join(temp, 'snapshots', name)
  },
  damage: async ({ folder }) => {
    const file = join(folder.path, 'data.ndjson.gz')
    const bytes = await readFile(file)
    await writeFile(file, bytes.with(20, (bytes[20] ?? 0) ^ 1))
  },
  [Symbol.asyncDispose]: async () => undefined,
}))

it('gives the folder under its final name, and the path of the manifest in it', async () => {
  await using temp = await makeTempFolder('directory')
  const snapshot = await finishedSnapshot(temp.path)
  const { signal } = new AbortController()
  const folder = join(temp.path, 'snapshots', 'abc12345-production-20261122T081500Z')
  const destination = directoryDestination({ path: temp.path, source: exampleManifest.source, signal, stopwatch: stopwatch() })
  expect(await destination.store(snapshot)).toEqual({
    kind: 'directory',
    folder,
    manifest: join(folder, 'manifest.json'),
  })
})

it('leaves nothing at the final name, and the files to the next destination, when the folder cannot be flushed', async () => {
  await using temp = await makeTempFolder('directory')
  const broken = new RangeError('cannot be flushed')
  const sync = async () => {
    throw broken
  }
  const snapshot = await finishedSnapshot(temp.path, { sync })
  const { signal } = new AbortController()
  const destination = directoryDestination({ path: temp.path, source: exampleManifest.source, signal, stopwatch: stopwatch() })
  expect(await rejection(destination.store(snapshot))).toBe(broken)
  expect(await readdir(join(temp.path, 'snapshots'))).toEqual([`${exampleManifest.snapshot}.partial`])
  expect(await readdir(snapshot.folder.path)).toEqual(['data.ndjson.gz', 'manifest.json'])
})

describe('the previous snapshot in a folder', () => {
  const start = 'abc12345-production-2026'

  async function find(path: string) {
    const { signal } = new AbortController()
    const { reader } = directoryDestination({ path, source: exampleManifest.source, signal, stopwatch: stopwatch() })
    return { ...(await findPrevious(reader, exampleManifest)), whyNone: await reader.whyNone() }
  }

  async function put(path: string, name: string, change: Partial<Manifest> = {}): Promise<void> {
    await mkdir(join(path, name))
    await writeFile(join(path, name, 'manifest.json'), printManifest({ ...exampleManifest, snapshot: name, ...change }))
  }

  it.each<{ name: string; folder?: string; change?: Partial<Manifest> }>([
    { name: 'a shard without documents', folder: `${start}0102T000000Z-shard-2-of-8`, change: { shard: { index: 2, of: 8 } } },
    { name: 'the shard with the documents', folder: `${start}0102T000000Z-shard-1-of-8`, change: { shard: { index: 1, of: 8 } } },
    { name: 'one of other filters', change: { filters: { ...exampleManifest.filters, includeDrafts: false } } },
    { name: 'one that is still being written', folder: `${start}0102T000000Z-nightly.partial` },
    { name: 'one of another dataset', folder: 'abc12345-production-de-20260102T000000Z' },
  ])('is never $name', async ({ folder = `${start}0102T000000Z`, change }) => {
    await using temp = await makeTempFolder('directory')
    await put(temp.path, `${start}0101T000000Z`)
    await put(temp.path, folder, change)
    expect(await find(temp.path)).toMatchObject({ manifest: { snapshot: `${start}0101T000000Z` }, passedOver: [] })
  })

  it('may lack files of assets', async () => {
    await using temp = await makeTempFolder('directory')
    await put(temp.path, `${start}0101T000000Z`)
    await put(temp.path, `${start}0102T000000Z`, { complete: false })
    expect(await find(temp.path)).toMatchObject({ manifest: { snapshot: `${start}0102T000000Z` } })
  })

  it.each([
    { name: 'is empty', there: [`${start}0102T000000Z.partial`], nothing: / is empty, as it always is on a fresh runner$/ },
    {
      name: 'holds others',
      there: ['abc12345-staging-20260102T000000Z'],
      nothing: /holds no earlier snapshot of this dataset with the same filters$/,
    },
  ])('is said to be missing from a folder that $name', async ({ there, nothing }) => {
    await using temp = await makeTempFolder('directory')
    for (const name of there) await put(temp.path, name)
    expect(await find(temp.path)).toMatchObject({ manifest: undefined, passedOver: [], whyNone: expect.stringMatching(nothing) })
  })
})
