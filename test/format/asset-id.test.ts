import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { findAssetName, findNameAtHost, otherAssets } from '../../src/format/asset-id.ts'

const sha1 = '0a4d55a8d778e5022fab701977c5d840bbc486d0'

describe('findAssetName', () => {
  it.each([
    { id: `image-${sha1}-1x1-png`, path: `assets/images/${sha1}-1x1.png` },
    { id: `image-${sha1}-4000x3000-tiff2`, path: `assets/images/${sha1}-4000x3000.tiff2` },
    { id: `file-${sha1}-mp4`, path: `assets/files/${sha1}.mp4` },
    { id: `file-${sha1}-7z`, path: `assets/files/${sha1}.7z` },
    { id: `file-${sha1}-PDF`, path: `assets/files/${sha1}.PDF` },
    { id: `file-${sha1}-code-workspace`, path: `assets/files/${sha1}.code-workspace` },
    { id: `drafts.file-${sha1}-pdf`, path: `assets/files/${sha1}.pdf` },
    { id: `versions.r1.image-${sha1}-1x1-png`, path: `assets/images/${sha1}-1x1.png` },
  ])('names the file of $id', ({ id, path }) => {
    expect(findAssetName(id)).toMatchObject({ sha1, path, isOfId: true })
  })

  it.each([
    { id: 'image-G3i4emG6B8JnTmGoN0UjgAp8-300x450-jpg', path: 'assets/images/G3i4emG6B8JnTmGoN0UjgAp8-300x450.jpg' },
    { id: 'file-Tb9Ew8CXIwaY6R1kjMvI0uRR-pdf', path: 'assets/files/Tb9Ew8CXIwaY6R1kjMvI0uRR.pdf' },
    { id: `file-${sha1.slice(1)}-pdf`, path: `assets/files/${sha1.slice(1)}.pdf` },
    { id: `image-${sha1.toUpperCase()}-1x1-png`, path: `assets/images/${sha1.toUpperCase()}-1x1.png` },
  ])('names the file of an old id, which tells no SHA-1: $id', ({ id, path }) => {
    expect(findAssetName(id)).toMatchObject({ sha1: undefined, path, isOfId: true })
  })

  it.each([
    'image-../../x',
    `image-${sha1}-1x1-png/../../x`,
    `image-${sha1}-1x1-`,
    `image-${sha1}-png`,
    `image-${sha1}-1x1-a.b`,
    `image-${sha1}0-1x1-png`,
    `image-${sha1.slice(0, 23)}-1x1-png`,
    `image-${sha1.slice(1)}_-1x1-png`,
    `file-${sha1}-`,
    `file-${sha1}--`,
    `file-${sha1}-a/b`,
    `file-${sha1}-a\\b`,
    `file-${sha1}-a\0`,
    `file-${sha1}-a\n`,
    `file-${sha1}-${'x'.repeat(33)}`,
    `other-${sha1}-pdf`,
    '',
  ])('names no file after "%s"', (id) => {
    expect(findAssetName(id)).toBeUndefined()
  })

  it('never leads out of its two folders, whatever the id is', () => {
    const piece = fc.constantFrom('image-', 'file-', sha1, '-1x1', '-', '.', '..', '/', '\\', 'png', 'drafts.', '\0', '\n', '%2e')
    const ids = fc.oneof(
      fc.string(),
      fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
    )
    fc.assert(
      fc.property(ids, (id) => {
        const path = findAssetName(id)?.path ?? `assets/files/${sha1}.x`
        expect(path).toMatch(/^assets\/(images|files)\/[A-Za-z0-9]{24,40}(-\d+x\d+)?\.[A-Za-z0-9_-]+$/)
      }),
      { numRuns: 10_000 },
    )
  })
})

describe('findNameAtHost', () => {
  const at = (name: string) => `https://cdn.sanity.io/images/abc12345/production/${name}`
  it.each([
    { type: 'sanity.imageAsset', address: at(`${sha1}-1x1.png`), path: `assets/images/${sha1}-1x1.png` },
    { type: 'sanity.fileAsset', address: at(`${sha1}.pdf?dl=a.pdf`), path: `assets/files/${sha1}.pdf` },
    { type: 'sanity.imageAsset', address: at('G3i4emG6B8JnTmGoN0UjgAp8-3x4.jpg'), path: 'assets/images/G3i4emG6B8JnTmGoN0UjgAp8-3x4.jpg' },
  ])('names a file after $address', ({ type, address, path }) => {
    expect(findNameAtHost(type, address)).toMatchObject({ path, isOfId: false })
  })

  it.each(['', 'x', at('logo.png'), at(''), at(`${sha1}-1x1.p%2fg`), at(`${sha1}.png`), at(`..%2f${sha1}-1x1.png`)])(
    'names no image after "%s"',
    (address) => {
      expect(findNameAtHost('sanity.imageAsset', address)).toBeUndefined()
    },
  )
})

it('otherAssets counts the types of assets whose files are not saved, and nothing else', () => {
  const byType = { 'sanity.imageAsset': 5, 'sanity.videoAsset': 2, 'sanity.fileAsset': 1, 'sanity.xAsset': 1, 'my.videoAsset': 1, post: 3 }
  expect(otherAssets(Object.entries(byType))).toEqual([
    ['sanity.videoAsset', 2],
    ['sanity.xAsset', 1],
  ])
})
