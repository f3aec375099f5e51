import { describe, expect, it } from '@jest/globals'
import { readSnapshot, sha256, startHoneypot } from '../../support.ts'
import { add, backUpAssets, change, edit, hashOf, png, readLedger } from './support.ts'

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
    expect(made.run.maskedLog).not.toMatch(/Try \d of/)
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
