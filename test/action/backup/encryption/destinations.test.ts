import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { startSanity } from '../../../doubles/sanity/sanity.ts'
import { backUp, failureOf, sha256, threeDocuments, threeLines } from '../../support.ts'
import { backUpInRun } from '../artifact/support.ts'
import { add, png } from '../assets/support.ts'
import { branch, folder, manifestOn, startWorld } from '../branch/support.ts'
import { ann, bob, filesBelow, openWithEach, unpack } from './support.ts'

const content = threeLines.map((line) => `${line}\n`).join('')

describe('an encrypted snapshot as an artifact', () => {
  it.each(['private', 'public'] as const)('is stored in a %s repository, without allow-public', async (visibility) => {
    const { run, stored } = await backUpInRun({ visibility, inputs: { 'encrypt-to': ann.recipient } })
    expect(failureOf(run)).toMatchObject({ exitCode: 0 })
    expect(stored).toHaveLength(1)
  })
})

describe('an encrypted snapshot on a branch', () => {
  const inputs = { 'branch-layout': 'compressed', 'encrypt-to': `${ann.recipient}\n${bob.recipient}` }

  it('opens with the key of each recipient, and is unchanged as long as its documents and its recipients are', async () => {
    await using world = await startWorld()
    const run = await world.night(threeDocuments, { inputs })
    const stored = world.git.bytes(`${branch}:${folder}/data.ndjson.gz.age`)
    expect(failureOf(run)).toMatchObject({ exitCode: 0 })
    expect(String(unpack('.gz', await openWithEach(stored)))).toBe(content)
    expect(run.outputs['digest']).toBe(sha256(stored))
    expect(manifestOn(world.git).files.map(({ path }) => path)).toEqual(['data.ndjson.gz.age', 'details.json.age'])

    const again = await world.night(threeDocuments.toReversed(), { inputs })
    expect(again.outputs).toMatchObject({ status: 'unchanged', 'commit-sha': run.outputs['commit-sha'] })

    const other = await world.night(threeDocuments, { inputs: { ...inputs, 'encrypt-to': ann.recipient } })
    expect(other.outputs['status']).toBe('stored')
    expect(other.warnings).toEqual([expect.stringContaining(`Gone: `)])
    expect(manifestOn(world.git).encryption?.recipients).toEqual([ann.recipient])
  })

  it('takes the place of one in the clear, and its commit names no type', async () => {
    await using world = await startWorld()
    await world.night(threeDocuments, { inputs: { 'branch-layout': 'compressed' } })
    const run = await world.night(threeDocuments, { inputs })
    expect(run.outputs['status']).toBe('stored')
    expect(world.git.paths(branch).filter((path) => path.startsWith(`${folder}/`))).toEqual([
      `${folder}/.gitattributes`,
      `${folder}/data.ndjson.gz.age`,
      `${folder}/details.json.age`,
      `${folder}/manifest.json`,
    ])
    for (const { _type } of threeDocuments) expect(world.git.run('log', '-1', '--format=%B', branch)).not.toContain(`- ${_type}`)
  })

  it('is refused when it has lost more documents than allowed', async () => {
    await using world = await startWorld()
    await world.night(threeDocuments, { inputs })
    const run = await world.night(threeDocuments.slice(0, 1), { inputs })
    expect(failureOf(run)).toMatchObject({ code: 'dataset-shrunk' })
  })
})

describe('encrypted shards', () => {
  it('each open with every key, and only the first has documents', async () => {
    await using sanity = await startSanity({ documents: threeDocuments })
    const assets = Array.from({ length: 6 }, (_, index) => add(sanity, 'images', png(index + 1, 500 + index)))
    const found = new Map<string, Buffer>()
    for (const index of [1, 2]) {
      const inputs = { 'encrypt-to': `${ann.recipient}\n${bob.recipient}`, 'include-assets': 'true', shard: `${index}/2` }
      await using run = await backUp({ sanity }, { inputs })
      expect(failureOf(run)).toMatchObject({ exitCode: 0 })
      const files = await filesBelow(run.path)
      expect(files.has('data.ndjson.gz.age')).toBe(index === 1)
      for (const [path, bytes] of files) if (path.startsWith('assets/')) found.set(path, await openWithEach(bytes))
    }
    expect(new Map([...found].toSorted())).toEqual(new Map(assets.map(({ path, bytes }) => [`${path}.age`, bytes] as const).toSorted()))
  })
})

describe('the cache of assets', () => {
  it('stays in the clear beside an encrypted snapshot, and is used again', async () => {
    const cache = await mkdtemp(join(tmpdir(), 'cache-'))
    try {
      await using sanity = await startSanity({ documents: threeDocuments })
      const asset = add(sanity, 'images', png(3, 700))
      const inputs = { 'encrypt-to': ann.recipient, 'include-assets': 'true', 'asset-cache': cache }
      await using first = await backUp({ sanity }, { inputs })
      await using again = await backUp({ sanity }, { inputs })
      expect([first, again].map((run) => failureOf(run).exitCode)).toEqual([0, 0])
      expect(sanity.count('asset')).toBe(1)
      const stored = (await filesBelow(again.path)).get(`${asset.path}.age`) ?? Buffer.alloc(0)
      expect((await openWithEach(stored, [ann])).equals(asset.bytes)).toBe(true)
    } finally {
      await rm(cache, { recursive: true })
    }
  })
})

describe('an encrypted snapshot that lacks files of assets', () => {
  it('is kept as an artifact of its own, and names no document in the log', async () => {
    const cure = { 'include-assets': 'true', 'encrypt-to': ann.recipient }
    const documents = [
      ...threeDocuments,
      { _id: 'referrer-of-it', _type: 'post', main: { _ref: 'image-0123456789012345678901234567890123456789-1x1-png' } },
      {
        _id: 'image-0123456789012345678901234567890123456789-1x1-png',
        _type: 'sanity.imageAsset',
        path: 'images/abc12345/production/0123456789012345678901234567890123456789-1x1.png',
        url: 'https://cdn.sanity.io/images/abc12345/production/0123456789012345678901234567890123456789-1x1.png',
      },
    ]
    const { run, stored } = await backUpInRun({ documents, visibility: 'public', inputs: cure })
    expect(failureOf(run)).toMatchObject({ exitCode: 1, code: 'asset-missing' })
    expect(stored.map(({ name }) => name)).toEqual([expect.stringMatching(/-incomplete$/)])
    expect(run.seen).not.toContain('referrer-of-it')
  })
})
