import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { startArtifacts } from '../doubles/artifacts.ts'
import { startGit } from '../doubles/git.ts'
import { startGithubRest } from '../doubles/github.ts'
import { startSanity } from '../doubles/sanity.ts'
import { until } from '../support/process.ts'
import { readZip } from '../support/zip.ts'
import { add, addMany, backUpAssets, change, edit, hashOf, png, readLedger, type TestAsset } from './assets-support.ts'
import { backUp, failureOf, readSnapshot, sha256, startHoneypot } from './support.ts'

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
    expect(run.summary).toMatch(/\| Assets \| 7 \(.*\), none missing \|/)
    expect(run.summary).not.toContain('Asset files (images and other files)')
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

describe('an SVG that Sanity has cleaned', () => {
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"><script>alert(1)</script></svg>')
  const clean = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"></svg>')

  it('is saved, since its bytes are those that the asset host says it has', async () => {
    await using made = await backUpAssets((sanity) => {
      const asset = add(sanity, 'images', svg)
      change(sanity, asset, () => ({ bytes: clean, md5: hashOf('md5', clean) }))
      return asset
    })
    const snapshot = await readSnapshot(made.run)
    const [line] = await readLedger(snapshot)
    expect(line).toMatchObject({ id: made.filled.id, provenBy: 'x-sanity-md5', sizeBytes: clean.length, digest: sha256(clean) })
    expect(made.run.outputs['status']).toBe('stored')
    expect(made.run.maskedLog).toMatch(/1 asset differed from the SHA-1 in the id/)
  })

  it('is missing when its bytes fit nothing that is known of them', async () => {
    await using made = await backUpAssets(
      (sanity) => change(sanity, add(sanity, 'images', svg), () => ({ bytes: clean, md5: hashOf('md5', 'other') })),
      { inputs: { 'on-missing-asset': 'warn' } },
    )
    expect(made.run.outputs).toMatchObject({ status: 'incomplete', 'missing-asset-count': '1' })
  })
})

describe('the token', () => {
  it('goes to no other host, whatever the documents and the asset host say', async () => {
    await using honeypot = await startHoneypot()
    const places = [
      `${honeypot.url}/images/abc12345/production/x.png`,
      honeypot.url.replace('127.0.0.1', 'cdn.sanity.io@127.0.0.1'),
      'https://cdn.sanity.io.evil.example/x.png',
      'http://cdn.sanity.io/x.png',
      'blob:https://cdn.sanity.io/x.png',
      'file:///etc/passwd',
      'http://169.254.169.254/latest/meta-data',
      'http://localhost/x.png',
      'not a url',
      undefined,
    ]
    await using made = await backUpAssets(
      (sanity) => {
        for (const [index, url] of places.entries()) edit(sanity, add(sanity, 'images', png(index + 1)), { url, path: undefined })
        const moved = add(sanity, 'images', png(50))
        sanity.fault('asset', { answer: { status: 302, headers: { location: `${honeypot.url}/moved.png` } } })
        return moved
      },
      { inputs: { 'on-missing-asset': 'warn' } },
    )
    expect(honeypot.requests).toEqual([])
    const { manifest } = await readSnapshot(made.run)
    expect(manifest.assets).toMatchObject({ count: 0 })
    expect(manifest.assets.missing.map(({ status }) => status).toSorted()).toEqual([...places.map(() => 0), 302].toSorted())
    expect(made.sanity.of('asset').map(({ path }) => path)).toEqual([new URL(made.filled.url).pathname])
    expect(made.run.maskedLog).not.toContain('cannot be reached')
    expect(made.run.durationMs).toBeLessThan(20_000)
  })

  it('is not in the manifest when a url holds it', async () => {
    await using made = await backUpAssets(
      (sanity) => edit(sanity, add(sanity, 'images', png(1)), { url: `https://evil.example/?${sanity.token}`, path: undefined }),
      { inputs: { 'on-missing-asset': 'warn' } },
    )
    expect(made.run.outputs['status']).toBe('incomplete')
  })
})

describe('ids that lead elsewhere', () => {
  it('name no file: they are missing, and nothing is written', async () => {
    const sha1 = 'a'.repeat(40)
    const ids = [
      'image-../../x',
      `image-${sha1}-1x1-png/../../../x`,
      `file-${sha1}-../../x`,
      `file-${sha1}-`,
      `image-${sha1}-png`,
      `file-${sha1}-a.b`,
    ]
    await using made = await backUpAssets(
      (sanity) => {
        for (const _id of ids)
          sanity.store().put({ _id, _type: 'sanity.imageAsset', url: `${sanity.url}/images/abc12345/production/x.png` })
      },
      { inputs: { 'on-missing-asset': 'ignore' } },
    )
    const { manifest, files } = await readSnapshot(made.run)
    expect(manifest.assets.missing.map(({ id }) => id)).toEqual(ids.toSorted())
    expect(made.sanity.count('asset')).toBe(0)
    expect(files).toEqual(['assets', 'assets.ndjson.gz', 'data.ndjson.gz', 'manifest.json'])
    expect(made.run.warnings).toEqual([expect.stringMatching(/^6 documents of assets lack .*`assetId`/)])
  })
})
