import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { type AssetName, findAssetName } from '../../../src/format/asset-id.ts'
import { findProof, makeAssetFolder, UnprovenError } from '../../../src/snapshot/assets/folder.ts'
import { chunks, rejection, source } from '../../support/feed.ts'
import { makeTempFolder } from '../../support/process.ts'

const hex = (algorithm: string, text: string) => createHash(algorithm).update(text).digest('hex')
const nameOf = (text: string, extension: string) => findAssetName(`file-${hex('sha1', text)}-${extension}`) as AssetName
const bytesOf = (text: string) => ({ sha1: hex('sha1', text), md5: hex('md5', text), sizeBytes: text.length })

describe('findProof', () => {
  const [stored, other] = ['stored', 'other!']
  const claim = (md5: string | undefined, sha1: string | undefined) => ({
    md5: md5 && hex('md5', md5),
    sha1: sha1 && hex('sha1', sha1),
  })

  it.each([
    {
      name: 'the sha1 of the id, whatever else is said',
      uploaded: stored,
      extension: 'jpg',
      claims: claim(other, other),
      size: 1,
      proof: 'sha1',
    },
    { name: 'nothing, when nobody else was asked', uploaded: other, extension: 'svg', claims: undefined, size: 6, proof: undefined },
    { name: 'the md5 of an svg', uploaded: other, extension: 'svg', claims: claim(stored, other), size: 6, proof: 'x-sanity-md5' },
    {
      name: 'the md5 of an svg whose size is that of the uploaded file',
      uploaded: other,
      extension: 'SVG',
      claims: claim(stored, other),
      size: 9,
      proof: 'x-sanity-md5',
    },
    {
      name: 'the md5 and the size of anything else',
      uploaded: other,
      extension: 'jpg',
      claims: claim(stored, undefined),
      size: 6,
      proof: 'x-sanity-md5',
    },
    { name: 'no md5 with another size', uploaded: other, extension: 'jpg', claims: claim(stored, stored), size: 7, proof: undefined },
    { name: 'no md5 without a size', uploaded: other, extension: 'jpg', claims: claim(stored, stored), size: undefined, proof: undefined },
    { name: 'no sha1 against the md5', uploaded: other, extension: 'svg', claims: claim(other, stored), size: 6, proof: undefined },
    {
      name: 'the sha1 where there is no md5',
      uploaded: other,
      extension: 'jpg',
      claims: claim(undefined, stored),
      size: 6,
      proof: 'x-sanity-sha1',
    },
    { name: 'nothing, when both are wrong', uploaded: other, extension: 'svg', claims: claim(other, other), size: 6, proof: undefined },
    {
      name: 'nothing, when nothing is said',
      uploaded: other,
      extension: 'svg',
      claims: claim(undefined, undefined),
      size: 6,
      proof: undefined,
    },
  ])('takes $name', ({ uploaded, extension, claims, size, proof }) => {
    expect(findProof(bytesOf(stored), { name: nameOf(uploaded, extension), sha1hash: undefined, sizeBytes: size, claims })).toBe(proof)
  })
})

it('findProof takes nothing for an svg without a byte', () => {
  const claims = { md5: hex('md5', ''), sha1: hex('sha1', '') }
  expect(findProof(bytesOf(''), { name: nameOf('other', 'svg'), sha1hash: undefined, sizeBytes: 6, claims })).toBeUndefined()
})

describe('findProof of an old name, which holds no SHA-1', () => {
  const old = findAssetName('image-G3i4emG6B8JnTmGoN0UjgAp8-300x450-jpg') as AssetName
  const { sha1, md5 } = bytesOf('stored')
  it.each([
    { name: 'the sha1hash of the document', sha1hash: sha1, claims: undefined, proof: 'sha1hash' },
    { name: 'nothing, where that is another one', sha1hash: hex('sha1', 'other!'), claims: undefined, proof: undefined },
    { name: 'what the host says', sha1hash: undefined, claims: { md5, sha1: undefined }, proof: 'x-sanity-md5' },
    { name: 'nothing, where nobody says anything', sha1hash: undefined, claims: { md5: undefined, sha1: undefined }, proof: undefined },
  ])('takes $name', ({ sha1hash, claims, proof }) => {
    expect(findProof(bytesOf('stored'), { name: old, sha1hash, sizeBytes: 6, claims })).toBe(proof)
  })

  it('takes no sha1hash where the name holds another SHA-1', () => {
    expect(findProof(bytesOf('stored'), { name: nameOf('other!', 'jpg'), sha1hash: sha1, sizeBytes: 6, claims: undefined })).toBeUndefined()
  })
})

describe('an asset folder', () => {
  const expected = (text: string) => ({ name: nameOf(text, 'txt'), sha1hash: undefined, sizeBytes: text.length, claims: undefined })

  it('gives a file its name when its bytes are proven, and tells its digest', async () => {
    await using temp = await makeTempFolder()
    const folder = await makeAssetFolder(temp.path, { signal: new AbortController().signal })
    const saved = await folder.save(chunks('he', 'llo'), expected('hello'))
    await folder.sync()
    const path = `assets/files/${hex('sha1', 'hello')}.txt`
    const entry = { path, sizeBytes: 5, digest: `sha256:${hex('sha256', 'hello')}` }
    expect(saved).toEqual({ ...entry, provenBy: 'sha1', entry })
    expect(await readFile(join(temp.path, path), 'utf8')).toBe('hello')
  })

  it.each([
    { what: 'are other ones', body: () => chunks('jello') },
    { what: 'are too few', body: () => chunks('hell') },
    { what: 'are none', body: () => chunks() },
  ])('keeps nothing of bytes that $what', async ({ body }) => {
    await using temp = await makeTempFolder()
    const folder = await makeAssetFolder(temp.path, { signal: new AbortController().signal })
    expect(await rejection(folder.save(body(), expected('hello')))).toBeInstanceOf(UnprovenError)
    expect(await readdir(join(temp.path, 'assets/files'))).toEqual([])
  })

  it('does not fill the disk with bytes that have no end', async () => {
    await using temp = await makeTempFolder()
    const folder = await makeAssetFolder(temp.path, { signal: new AbortController().signal })
    let pieces = 0
    const endless = async function* () {
      for (;;) {
        pieces++
        yield Buffer.alloc(1024 * 1024)
      }
    }
    expect(await rejection(folder.save(endless(), expected('hello')))).toBeInstanceOf(UnprovenError)
    expect(pieces).toBeLessThan(20)
    expect(await readdir(join(temp.path, 'assets/files'))).toEqual([])
  })

  it('keeps nothing of bytes that break off, and throws what the source threw', async () => {
    await using temp = await makeTempFolder()
    const folder = await makeAssetFolder(temp.path, { signal: new AbortController().signal })
    const error = new RangeError('cut')
    expect(await rejection(folder.save(source([Buffer.from('hello')], error).items, expected('hello')))).toBe(error)
    expect(await readdir(join(temp.path, 'assets/files'))).toEqual([])
  })
})
