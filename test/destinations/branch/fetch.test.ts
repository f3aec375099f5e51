import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { branchReader, commitReader, datasetsOn } from '../../../src/destinations/branch/read.ts'
import { currentState } from '../../../src/destinations/branch/session.ts'
import type { Found, SnapshotReader } from '../../../src/destinations/destination.ts'
import { joinDocument } from '../../../src/format/document-file.ts'
import { printManifest } from '../../../src/format/manifest/manifest.ts'
import { digestOf, sumDigest } from '../../../src/streams/digest.ts'
import { startGit } from '../../doubles/git/git.ts'
import { exampleManifest } from '../../support/example.ts'
import { rejection } from '../../support/feed.ts'
import { makeTempFolder } from '../../support/process.ts'
import { branch, folder, openSession, startScene } from './scene.ts'

async function foundBy(reader: SnapshotReader): Promise<Found[]> {
  return (await Array.fromAsync(reader.newestFirst())) as Found[]
}

describe('a snapshot on a branch', () => {
  it('is fetched with its documents straight from git, as they were stored, also out of the history', async () => {
    await using scene = await startScene()
    const first = await scene.snapshot(1, { texts: ['one', 'two'] })
    await scene.store(first)
    await scene.store(await scene.snapshot(2, { texts: ['one', 'two', 'three'] }))
    using session = openSession(scene)
    const found = await foundBy(branchReader(session))
    expect(found.map(({ manifest }) => manifest.takenAt)).toEqual(['2026-11-22T02:00:00Z', '2026-11-22T01:00:00Z'])
    for (const [index, { manifest, fetch }] of found.entries()) {
      const { documents, odd, listed } = await fetch(join(scene.temp, `fetched-${index}`), { level: 'data' })
      const sum = sumDigest()
      let count = 0
      for await (const { path, content } of documents?.files() ?? []) {
        expect(path).toMatch(/^documents\/post\/[0-9a-f]{2}\/id-\d\.json$/)
        sum.add(joinDocument(content))
        count++
      }
      expect({ count, contentDigest: sum.result() }).toEqual({
        count: manifest.documents.count,
        contentDigest: manifest.documents.contentDigest,
      })
      expect(odd).toEqual([])
      expect(listed.map(({ path }) => path)).toEqual(['.gitattributes', 'manifest.json'])
    }
    expect(await readdir(join(scene.temp, 'fetched-1'))).toEqual(['manifest.json'])
    expect(await readFile(join(scene.temp, 'fetched-1', 'manifest.json'))).toEqual(found[1]?.manifestBytes)
  })

  it('costs none of its documents at the level structure, and their names are known', async () => {
    await using scene = await startScene()
    await scene.store(await scene.snapshot(1))
    using session = openSession(scene)
    const [found] = await foundBy(branchReader(session))
    const { documents } = (await found?.fetch(join(scene.temp, 'fetched'), { level: 'structure' })) ?? {}
    expect(await Array.fromAsync(documents?.paths() ?? [])).toHaveLength(3)
    // What was not fetched is not there: it would be asked for now.
    await expect(Array.fromAsync(documents?.files() ?? [])).rejects.toThrow(/does not have an object/)
  })

  it('is fetched with its files where it is compressed', async () => {
    await using scene = await startScene()
    const snapshot = await scene.snapshot(1)
    const { commit, manifest } = await scene.store(snapshot, { layout: 'compressed' })
    using session = openSession(scene)
    const [found] = await foundBy(commitReader(session, commit))
    const into = join(scene.temp, 'fetched')
    const fetched = await found?.fetch(into, { level: 'data' })
    expect(fetched).toMatchObject({ odd: [], folder: into })
    expect(fetched?.documents).toBeUndefined()
    expect(digestOf(await readFile(join(into, 'data.ndjson.gz')))).toBe(manifest.files[0]?.digest)
  })

  it('is not taken from a commit that the branch does not hold', async () => {
    await using scene = await startScene()
    await scene.store(await scene.snapshot(1))
    const other = scene.git.commit('from-a-fork', { [`${folder}/manifest.json`]: printManifest(exampleManifest).toString() }).trim()
    using session = openSession(scene)
    expect(await rejection(foundBy(commitReader(session, other)))).toMatchObject({
      code: 'snapshot-missing',
      title: 'The branch does not hold this commit',
    })
  })

  it('brings no file that the manifest does not list, and none that is larger than it says, and tells of both', async () => {
    await using temp = await makeTempFolder('branch')
    await using git = await startGit()
    const content = 'x'.repeat(100)
    const files = [{ path: 'data.ndjson.gz', sizeBytes: 99, digest: digestOf(Buffer.from(content)) }]
    const manifest = printManifest({ ...exampleManifest, files }).toString()
    git.commit(branch, {
      [`${folder}/manifest.json`]: manifest,
      [`${folder}/data.ndjson.gz`]: content,
      [`${folder}/notes/mine.txt`]: 'mine',
    })
    using session = openSession({ git, temp: temp.path })
    const [found] = await foundBy(branchReader(session))
    const fetched = await found?.fetch(join(temp.path, 'fetched'), { level: 'data' })
    expect(fetched?.odd).toMatchObject([
      { kind: 'size-differs', path: 'data.ndjson.gz', message: 'has 100 bytes instead of 99, and was not fetched' },
      { kind: 'file-unexpected', path: 'notes/mine.txt' },
    ])
    expect(await readdir(join(temp.path, 'fetched'))).toEqual(['manifest.json'])
  })
})

it('names the datasets on a branch: those that have a manifest', async () => {
  await using temp = await makeTempFolder('branch')
  await using git = await startGit()
  git.commit(branch, {
    'abc12345/production/manifest.json': '{}',
    'abc12345/staging/manifest.json': '{}',
    'abc12345/notes/readme.txt': 'mine',
    'docs/a/b/manifest.json': '{}',
    'README.md': 'x',
  })
  using session = openSession({ git, temp: temp.path })
  await currentState(session)
  expect(await datasetsOn(session, undefined)).toEqual(['abc12345/production', 'abc12345/staging'])
})
