import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { startArtifacts } from '../../../doubles/artifacts/artifacts.ts'
import { startGit } from '../../../doubles/git/git.ts'
import { startGithubRest } from '../../../doubles/github/github.ts'
import { startSanity } from '../../../doubles/sanity/sanity.ts'
import { until } from '../../../support/process.ts'
import { readZip } from '../../../support/zip.ts'
import { backUp, failureOf, readSnapshot, sha256 } from '../../support.ts'
import { add, addMany, backUpAssets, edit, png, readLedger, type TestAsset } from './support.ts'

describe('include-assets', () => {
  it('saves the file of every image and file under a name made from its id, listed and proven', async () => {
    await using made = await backUpAssets((sanity) => addMany(sanity, 7))
    const { run, filled } = made
    expect(failureOf(run)).toMatchObject({ exitCode: 0, title: '', message: '' })
    const { folder, manifest } = await readSnapshot(run)
    for (const { path, bytes } of filled) expect((await readFile(join(folder, path))).equals(bytes)).toBe(true)

    const sorted = filled.toSorted((a, b) => (a.path < b.path ? -1 : 1))
    const entries = sorted.map(({ path, bytes }) => ({ path, sizeBytes: bytes.length, digest: sha256(bytes) }))
    expect(manifest.files.slice(2)).toEqual(entries)
    expect(manifest.files.slice(0, 2).map(({ path }) => path)).toEqual(['data.ndjson.gz', 'assets.ndjson.gz'])
    expect(await readLedger({ folder })).toEqual(sorted.map(({ id }, index) => ({ id, ...entries[index], provenBy: 'sha1' })))
    expect(filled.map(({ path }) => path)).toEqual(expect.arrayContaining([expect.stringMatching(/^assets\/files\/[0-9a-f]{40}\.mp4$/)]))
    const sizeBytes = filled.reduce((sum, { bytes }) => sum + bytes.length, 0)
    expect(manifest).toMatchObject({ complete: true, shard: null, assets: { included: true, count: 7, sizeBytes, reused: 0, missing: [] } })
    expect(run.outputs).toMatchObject({ status: 'stored', 'asset-count': '7', 'missing-asset-count': '0' })
    expect(Number(run.outputs['size-bytes'])).toBeGreaterThan(sizeBytes)
    expect(run.summary).toMatch(/\| Image and file assets \| 7 \|/)
    expect(run.summary).not.toContain('image and file assets (')
  })

  it.each(['true', 'false'])(
    'warns once of asset documents that the stock importer will not take, with their number: %s',
    async (wanted) => {
      await using made = await backUpAssets(
        (sanity) => {
          const [first, second] = addMany(sanity, 3)
          edit(sanity, first as TestAsset, { metadata: undefined })
          edit(sanity, second as TestAsset, { size: undefined })
        },
        { inputs: { 'include-assets': wanted } },
      )

      expect(made.run).toMatchObject({ exitCode: 0, outputs: { status: 'stored' } })
      expect(made.run.warnings).toEqual([
        expect.stringMatching(/^2 documents of assets lack what `sanity dataset import` asks for \(`[^)]*`\)\. The snapshot is whole/),
      ])
      expect(made.run.warnings[0]).toMatch(/`size`/)
      expect(made.run.warnings[0]).toMatch(/`metadata\.dimensions`/)
    },
  )

  it('asks for originals of images with the token, and for files without', async () => {
    await using made = await backUpAssets((sanity) => addMany(sanity, 2))
    const asked = made.sanity.of('asset')
    expect(asked.map(({ path, query, authorization }) => [path.split('/')[1], query, authorization]).toSorted()).toEqual([
      ['files', {}, undefined],
      ['images', { dlRaw: 'true' }, `Bearer ${made.sanity.token}`],
    ])
  })

  it('stores them in the artifact, uncompressed, and reads them back', async () => {
    await using artifacts = await startArtifacts()
    await using github = await startGithubRest({ artifacts })
    const run = artifacts.newRun()
    await using made = await backUpAssets((sanity) => addMany(sanity, 3), { services: { artifacts, github, run } })
    expect(failureOf(made.run)).toMatchObject({ exitCode: 0, message: '' })
    const zip = readZip(await artifacts.fetchBytes(Number(made.run.outputs['artifact-id'])))
    expect(zip.map(({ name }) => name).toSorted()).toEqual(
      ['assets.ndjson.gz', 'data.ndjson.gz', 'manifest.json', ...made.filled.map(({ path }) => path)].toSorted(),
    )
    expect(zip.every(({ stored }) => stored)).toBe(true)
  })

  it('stores them on a branch too, each once for ever, and makes a commit only when there is something to store or to mend', async () => {
    await using sanity = await startSanity({ documents: [{ _id: 'first', _type: 'post' }] })
    await using github = await startGithubRest()
    await using git = await startGit()
    const night = async () => {
      await using run = await backUp({ sanity, github, git }, { inputs: { 'include-assets': 'true', destination: 'branch' } })
      expect(failureOf(run)).toMatchObject({ exitCode: 0, message: '' })
      return run.outputs
    }
    const blobs = () =>
      git
        .run('ls-tree', '-r', 'sanity-backups')
        .split('\n')
        .filter((line) => line.includes('production/assets/'))
    addMany(sanity, 3)
    expect(await night()).toMatchObject({ status: 'stored', 'asset-count': '3' })
    const before = blobs()
    expect(await night()).toMatchObject({ status: 'unchanged', 'asset-count': '3' })
    add(sanity, 'images', png(77))
    expect(await night()).toMatchObject({ status: 'stored', 'asset-count': '4' })
    expect(blobs()).toHaveLength(4)
    expect(blobs()).toEqual(expect.arrayContaining(before))
    const whole = blobs()
    git.commit('sanity-backups', { [whole[0]?.split('\t')[1] ?? '']: 'damaged' })
    expect(await night()).toMatchObject({ status: 'stored', 'asset-count': '4' })
    expect(blobs()).toEqual(whole)
  })

  it.each(['published', 'draft'])('saves a file where another document says that it is, when the %s leads nowhere', async (wrong) => {
    await using made = await backUpAssets((sanity) => {
      const asset = add(sanity, 'images', png(3))
      const document = sanity.store().find(asset.id) ?? { _id: '', _type: '' }
      const elsewhere = { ...document, url: 'https://example.com/images/abc12345/production/file.png', path: undefined }
      sanity.store().put({ ...(wrong === 'draft' ? elsewhere : document), _id: `drafts.${asset.id}` })
      sanity.store().put(wrong === 'draft' ? document : elsewhere)
      return asset
    })
    const { manifest, folder } = await readSnapshot(made.run)
    expect(manifest.assets).toMatchObject({ count: 2, missing: [] })
    expect((await readLedger({ folder })).map(({ path }) => path)).toEqual([made.filled.path, made.filled.path])
  })

  it.each(['published', 'draft'])(
    'saves a file once that a draft and a published document share, of which the %s has no url',
    async (without) => {
      await using made = await backUpAssets((sanity) => {
        const asset = add(sanity, 'images', png(5))
        const document = sanity.store().find(asset.id) ?? { _id: '', _type: '' }
        const { url, path, ...bare } = document
        // A draft of it comes first.
        sanity.store().put({ ...(without === 'draft' ? bare : document), _id: `drafts.${asset.id}` })
        sanity.store().put(without === 'draft' ? document : bare)
        return { url, asset }
      })
      const { manifest, folder } = await readSnapshot(made.run)
      expect(manifest.assets).toMatchObject({ count: 2, missing: [] })
      expect((await readLedger({ folder })).map(({ path }) => path)).toEqual([made.filled.asset.path, made.filled.asset.path])
      expect(made.sanity.count('asset')).toBe(1)
    },
  )

  it('warns when the documents that describe files are left out', async () => {
    await using made = await backUpAssets((sanity) => addMany(sanity, 2), { inputs: { types: 'post' } })
    expect(made.run.outputs).toMatchObject({ status: 'stored', 'asset-count': '0' })
    expect(made.run.warnings).toEqual([
      expect.stringMatching(/No files are saved, although `include-assets` asks for them: .*sanity\.imageAsset/),
    ])
  })

  it('has an empty ledger for a dataset without assets, and none when they are not wanted', async () => {
    await using without = await backUpAssets(() => undefined)
    const { folder, manifest } = await readSnapshot(without.run)
    expect(await readLedger({ folder })).toEqual([])
    expect(manifest.assets).toEqual({ included: true, count: 0, sizeBytes: 0, reused: 0, missing: [] })

    await using unwanted = await backUpAssets((sanity) => addMany(sanity, 2), { inputs: { 'include-assets': 'false' } })
    expect((await readSnapshot(unwanted.run)).files).toEqual(['data.ndjson.gz', 'manifest.json'])
    expect(unwanted.sanity.count('asset')).toBe(0)
  })

  it.each([
    { filter: 'types', inputs: { types: 'post,sanity.fileAsset' }, kinds: ['files'] },
    { filter: 'exclude-types', inputs: { 'exclude-types': 'sanity.fileAsset' }, kinds: ['images'] },
    { filter: 'exclude-ids', inputs: { 'exclude-ids': 'image-*' }, kinds: ['files'] },
  ])('saves only what the snapshot has documents of ($filter)', async ({ inputs, kinds }) => {
    await using made = await backUpAssets((sanity) => addMany(sanity, 2), { inputs })
    const { folder, manifest } = await readSnapshot(made.run)
    expect(manifest.assets.count).toBe(1)
    expect((await readLedger({ folder })).map(({ path }) => path.split('/')[1])).toEqual(kinds)
    expect(made.sanity.count('asset')).toBe(1)
  })

  it('keeps one file for two ids that share it', async () => {
    await using made = await backUpAssets((sanity) => {
      const asset = add(sanity, 'images', png(3))
      sanity.store().put({ _id: `drafts.${asset.id}`, _type: 'sanity.imageAsset', url: asset.url, size: asset.bytes.length })
      return asset
    })
    const { folder, manifest } = await readSnapshot(made.run)
    const { id, path } = made.filled
    expect((await readLedger({ folder })).map((line) => [line.id, line.path])).toEqual([
      [`drafts.${id}`, path],
      [id, path],
    ])
    expect(manifest.files.filter((file) => file.path === path)).toHaveLength(1)
    expect(manifest.assets).toMatchObject({ count: 2, sizeBytes: made.filled.bytes.length })
    expect(made.sanity.count('asset')).toBe(1)
  })

  it('loses and doubles nothing when the stream is cut and made again, or fetched page by page', async () => {
    await using sanity = await startSanity({ documents: [{ _id: 'first', _type: 'post' }], pageDocuments: 7 })
    const assets = addMany(sanity, 20)
    sanity.fault('export', { stream: { ending: { how: 'reset', afterLines: 30 } }, times: 2 })
    await using run = await backUp({ sanity }, { inputs: { 'include-assets': 'true' } })
    const snapshot = await readSnapshot(run)
    expect(snapshot.manifest.source.mode).toBe('cursor')
    expect((await readLedger(snapshot)).map(({ id }) => id).toSorted()).toEqual(assets.map(({ id }) => id).toSorted())
    expect(sanity.count('asset')).toBe(20)
  })

  it('leaves out an asset that came in a stream that was cut, and not again', async () => {
    await using sanity = await startSanity({ documents: [{ _id: 'first', _type: 'post' }] })
    const [gone, ...rest] = addMany(sanity, 4)
    sanity.fault('export', { stream: { ending: { how: 'reset', afterLines: 5 } }, times: 1 })
    sanity.fault('query', { results: [8, 8, 8], skip: 0 })
    await using run = await backUp(
      { sanity },
      {
        inputs: { 'include-assets': 'true' },
        onStart: async () => {
          await until(() => sanity.count('export') === 1 && sanity.count('asset') > 0)
          sanity.store().remove(gone?.id ?? '')
        },
      },
    )
    const snapshot = await readSnapshot(run)
    expect((await readLedger(snapshot)).map(({ id }) => id).toSorted()).toEqual(rest.map(({ id }) => id).toSorted())
    expect((await readdir(join(snapshot.folder, 'assets'), { recursive: true })).filter((name) => name.includes('.'))).toHaveLength(3)
  })
})
