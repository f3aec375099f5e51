import { describe, expect, it } from '@jest/globals'
import type { Manifest } from '../../../../src/format/manifest/manifest.ts'
import { makeKeys } from '../../../codec/age-files.ts'
import { startSanity } from '../../../doubles/sanity/sanity.ts'
import { backUp, sha256, threeDocuments, threeLines } from '../../support.ts'
import { add, png } from '../assets/support.ts'
import { ann, bob, filesBelow, openWithEach, unpack } from './support.ts'

const both = `# Ann\n${ann.recipient}\n\n  ${bob.recipient}  # Bob`.replace('  # Bob', '')

describe('an encrypted snapshot', () => {
  it.each(['gzip', 'zstd'])('opens with the key of each recipient alone, byte for byte: %s', async (compression) => {
    await using sanity = await startSanity({ documents: threeDocuments })
    await using run = await backUp({ sanity }, { inputs: { 'encrypt-to': both, compression } })
    expect(run.exitCode).toBe(0)
    const files = await filesBelow(run.path)
    const data = `data.ndjson.${compression === 'gzip' ? 'gz' : 'zst'}.age`
    expect([...files.keys()].toSorted()).toEqual([data, 'details.json.age', 'manifest.json'])
    const stored = files.get(data) ?? Buffer.alloc(0)
    const content = unpack(data, await openWithEach(stored))
    expect(String(content)).toBe(threeLines.map((line) => `${line}\n`).join(''))
    const manifest = JSON.parse(String(files.get('manifest.json'))) as Manifest
    expect(manifest.files[0]).toEqual({
      path: data,
      sizeBytes: stored.length,
      digest: sha256(stored),
      contentBytes: content.length,
      contentDigest: sha256(content),
    })
    expect(manifest.encryption).toEqual({ format: 'age/v1', recipients: [ann.recipient, bob.recipient] })
    expect(run.outputs['digest']).toBe(sha256(stored))
    expect(run.summary).toContain(`age -d -i key.txt -o ./${manifest.snapshot}/${data.slice(0, -4)} ./${manifest.snapshot}/${data}`)
  })

  it('says nothing of ids, types and URLs outside its encrypted files', async () => {
    const documents = [
      { _id: 'the-id', _type: 'secretType' },
      { _id: 'gone', _type: 'otherType' },
    ]
    await using sanity = await startSanity({ documents })
    const inputs = { 'encrypt-to': ann.recipient, 'exclude-types': 'otherType' }
    await using run = await backUp({ sanity }, { inputs })
    const files = await filesBelow(run.path)
    const manifest = JSON.parse(String(files.get('manifest.json')))
    expect(manifest.documents).toMatchObject({ count: 1, excluded: 1, byType: {} })
    expect(manifest.filters).toEqual({
      includeDrafts: true,
      types: 0,
      excludeTypes: 1,
      excludeIds: 4,
      digest: expect.stringMatching(/^sha256:/),
    })
    expect(manifest.assets.missing).toBe(0)
    expect(`${files.get('manifest.json')}${run.summary}`).not.toMatch(/secretType|otherType|the-id/)
    expect(JSON.parse(String(await openWithEach(files.get('details.json.age') ?? Buffer.alloc(0), [ann])))).toMatchObject({
      filters: { excludeTypes: ['otherType'] },
      byType: { secretType: 1 },
      missing: [],
    })
  })

  it('has its assets encrypted one by one, and the ledger; the cache stays in the clear', async () => {
    await using sanity = await startSanity({ documents: threeDocuments })
    const assets = [add(sanity, 'images', png(1, 1000)), add(sanity, 'files', Buffer.from('%PDF'), 'a.pdf')]
    const inputs = { 'encrypt-to': both, 'include-assets': 'true' }
    await using run = await backUp({ sanity }, { inputs })
    expect(run.exitCode).toBe(0)
    const files = await filesBelow(run.path)
    const manifest = JSON.parse(String(files.get('manifest.json'))) as Manifest
    for (const { path, bytes } of assets) {
      const stored = files.get(`${path}.age`) ?? Buffer.alloc(0)
      expect((await openWithEach(stored)).equals(bytes)).toBe(true)
      expect(manifest.files).toContainEqual({
        path: `${path}.age`,
        sizeBytes: stored.length,
        digest: sha256(stored),
        contentBytes: bytes.length,
        contentDigest: sha256(bytes),
      })
    }
    const ledger = unpack('.gz', await openWithEach(files.get('assets.ndjson.gz.age') ?? Buffer.alloc(0)))
    const lines = String(ledger)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.map(({ path }) => path).toSorted()).toEqual(assets.map(({ path }) => path).toSorted())
    expect(lines.find(({ path }) => path === assets[0]?.path)).toMatchObject({ sizeBytes: 1000, digest: sha256(assets[0]?.bytes ?? '') })
    expect([...files.keys()].filter((path) => !path.endsWith('.age'))).toEqual(['manifest.json'])
  })

  it('can be for holders of hybrid keys', async () => {
    const key = await makeKeys('hybrid')
    await using sanity = await startSanity({ documents: threeDocuments })
    await using run = await backUp({ sanity }, { inputs: { 'encrypt-to': key.recipient } })
    const files = await filesBelow(run.path)
    const stored = files.get('data.ndjson.gz.age') ?? Buffer.alloc(0)
    expect(String(unpack('.gz', await openWithEach(stored, [key])))).toBe(threeLines.map((line) => `${line}\n`).join(''))
    expect(JSON.parse(String(files.get('manifest.json'))).encryption.recipients).toEqual([`${key.recipient.slice(0, 32)}…`])
  })

  it('is compared with the one before, and a change of recipients is a warning that names it', async () => {
    await using sanity = await startSanity({ documents: threeDocuments })
    await using first = await backUp({ sanity }, { inputs: { 'encrypt-to': both } })
    await using same = await backUp(
      { sanity },
      { path: first.path, inputs: { 'encrypt-to': `${bob.recipient}\n${ann.recipient}`, label: 'b' } },
    )
    expect(same.warnings).toEqual([])
    expect(same.summary).toContain('| last backup (')
    await using other = await backUp({ sanity }, { path: first.path, inputs: { 'encrypt-to': ann.recipient, label: 'c' } })
    expect(other.warnings).toEqual([expect.stringMatching(new RegExp(`other recipients\\. Gone: .?${bob.recipient}`))])
    await using plain = await backUp({ sanity }, { path: first.path, inputs: { label: 'd' } })
    expect(plain.warnings).toEqual([expect.stringContaining('is encrypted, and this one is not')])
  })
})
