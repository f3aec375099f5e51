import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from '@jest/globals'
import { directoryDestination } from '../../src/destinations/directory.ts'
import { stopwatch } from '../../src/stopwatch.ts'
import { describeDestination, finishedSnapshot } from '../contracts/destination.ts'
import { exampleManifest } from '../snapshot/example.ts'
import { rejection } from '../streams/feed.ts'
import { makeTempFolder } from '../support/process.ts'

describeDestination('directory', async ({ signal, temp }) => ({
  destination: directoryDestination({ path: join(temp, 'snapshots'), of: exampleManifest, signal, stopwatch: stopwatch() }),
  next: () => directoryDestination({ path: join(temp, 'snapshots'), of: exampleManifest, signal, stopwatch: stopwatch() }),
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
  const destination = directoryDestination({ path: temp.path, of: exampleManifest, signal, stopwatch: stopwatch() })
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
  const destination = directoryDestination({ path: temp.path, of: exampleManifest, signal, stopwatch: stopwatch() })
  expect(await rejection(destination.store(snapshot))).toBe(broken)
  expect(await readdir(join(temp.path, 'snapshots'))).toEqual([`${exampleManifest.snapshot}.partial`])
  expect(await readdir(snapshot.folder.path)).toEqual(['data.ndjson.gz', 'manifest.json'])
})
