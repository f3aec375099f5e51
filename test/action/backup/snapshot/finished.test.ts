import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { type Sanity, startSanity } from '../../../doubles/sanity/sanity.ts'
import { type BackupRun, backUp, readSnapshot, sha256, sumSha256, threeDocuments } from '../../support.ts'
import { run } from './support.ts'

describe('a finished snapshot', () => {
  const inputs = { label: 'pre-deploy', compression: 'zstd' }
  const documents = [...threeDocuments, { _id: 'drafts.a', _type: 'post' }, { _id: 'secrets.x', _type: 'key' }]

  async function backUpLabelled(sanity: Sanity): Promise<BackupRun> {
    return await backUp({ sanity }, { inputs, env: { GITHUB_RUN_ID: '7', GITHUB_RUN_ATTEMPT: '3', GITHUB_EVENT_NAME: 'push' } })
  }

  it.concurrent('has a manifest with all values, its keys in the order of the format', async () => {
    await using sanity = await startSanity({ documents })

    await using done = await backUpLabelled(sanity)

    const { manifest, data, stored, lines } = await readSnapshot(done)
    const expected = {
      format: 'sanity-backup/1',
      snapshot: expect.stringMatching(/^abc12345-production-\d{8}T\d{6}Z-pre-deploy$/),
      label: 'pre-deploy',
      shard: null,
      takenAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      finishedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      complete: true,
      source: { projectId: 'abc12345', dataset: 'production', apiVersion: '2025-02-19', mode: 'stream' },
      tool: { name: 'sanity-backup', version: expect.stringMatching(/^\d+\.\d+\.\d+/) },
      run: { repository: 'acme/site', runId: '7', runAttempt: 3, event: 'push', sha: '0123456789abcdef0123456789abcdef01234567' },
      filters: {
        includeDrafts: true,
        types: [],
        excludeTypes: [],
        excludeIds: ['secrets.**', '*.secrets', '*.secret', 'sanity-preview-url-secret.**'],
      },
      documents: {
        count: 4,
        drafts: 1,
        versions: 0,
        excluded: 1,
        byType: { author: 1, post: 3 },
        liveCountBefore: 5,
        liveCountAfter: 5,
        contentDigest: sumSha256(lines),
      },
      assets: { included: false, count: 0, sizeBytes: 0, reused: 0, missing: [] },
      access: { fullRead: true },
      encryption: null,
      recent: [],
      files: [
        {
          path: 'data.ndjson.zst',
          sizeBytes: stored.length,
          digest: sha256(stored),
          contentBytes: data.length,
          contentDigest: sha256(data),
        },
      ],
    }
    expect(manifest).toEqual(expected)
    expect(keysOf(manifest)).toEqual(keysOf(expected))
  })

  it.concurrent('is named after the time at which it was taken', async () => {
    await using sanity = await startSanity({ documents })

    await using done = await backUpLabelled(sanity)

    const { manifest } = await readSnapshot(done)
    expect(manifest.snapshot).toBe(`abc12345-production-${manifest.takenAt.replaceAll(/[-:]/g, '')}-pre-deploy`)
    expect(manifest.finishedAt >= manifest.takenAt).toBe(true)
  })

  it.concurrent('is printed as two-space JSON', async () => {
    await using sanity = await startSanity({ documents })

    await using done = await backUpLabelled(sanity)

    const { manifest, folder } = await readSnapshot(done)
    const { stdout } = await run('cat', [join(folder, 'manifest.json')])
    expect(stdout).toBe(`${JSON.stringify(manifest, null, 2)}\n`)
  })

  it.concurrent('says no run outside of GitHub Actions', async () => {
    await using sanity = await startSanity({ documents })

    await using done = await backUp({ sanity }, { env: { GITHUB_ACTIONS: '' } })

    expect((await readSnapshot(done)).manifest.run).toBeNull()
  })

  it.concurrent('lies in its folder with nothing beside it, for its owner only', async () => {
    await using sanity = await startSanity({ documents })

    await using done = await backUpLabelled(sanity)

    const { files, folder, manifest } = await readSnapshot(done)
    const { stdout } = await run('stat', ['-c', '%a %n', folder, join(folder, 'manifest.json'), join(folder, 'data.ndjson.zst')])
    expect(files).toEqual(['data.ndjson.zst', 'manifest.json'])
    expect(folder).toBe(join(done.path, manifest.snapshot))
    expect(stdout.match(/^\d+/gm)).toEqual(['700', '600', '600'])
  })

  it.concurrent('sets every output', async () => {
    await using sanity = await startSanity({ documents })

    await using done = await backUpLabelled(sanity)

    const { folder, manifest, stored } = await readSnapshot(done)
    const { stdout } = await run('stat', ['-c', '%s', join(folder, 'manifest.json')])
    expect(done.outputs).toEqual({
      status: 'stored',
      snapshot: manifest.snapshot,
      path: folder,
      manifest: join(folder, 'manifest.json'),
      'document-count': '4',
      'asset-count': '0',
      'missing-asset-count': '0',
      'size-bytes': String(stored.length + Number(stdout)),
      digest: sha256(stored),
      'artifact-id': '',
      'artifact-url': '',
      branch: '',
      'commit-sha': '',
    })
  })

  it.concurrent('has a name of its own when two are made in one second', async () => {
    await using sanity = await startSanity({ documents })
    await using first = await backUp({ sanity })

    const others = await Promise.all([1, 2].map(() => backUp({ sanity }, { inputs: { path: first.path } })))

    expect(others.map(({ exitCode }) => exitCode)).toEqual([0, 0])
    const names = [first, ...others].map(({ outputs }) => outputs['snapshot'])
    expect(new Set(names).size).toBe(3)
    await Promise.all(others.map((other) => other[Symbol.asyncDispose]()))
  })

  it.concurrent.each(['v2025-02-19', '2025-02-19', 'vX', '1'])('is asked for under the API version %s', async (version) => {
    await using sanity = await startSanity({ documents })

    await using done = await backUp({ sanity }, { inputs: { 'api-version': version } })

    const bare = version.replace(/^v/, '')
    expect(sanity.of('export').map(({ path }) => path)).toEqual([`/v${bare}/data/export/production`])
    expect((await readSnapshot(done)).manifest.source.apiVersion).toBe(bare)
  })
})

/** The keys of a value at every depth, in their order. */
function keysOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(keysOf)
  if (typeof value !== 'object' || value === null || '$$typeof' in value) return 'value'
  return Object.entries(value).map(([key, inner]) => [key, keysOf(inner)])
}
