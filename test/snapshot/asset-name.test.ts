import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { findAssetName, isInShard } from '../../src/snapshot/asset-name.ts'

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
    expect(findAssetName(id)).toMatchObject({ sha1, path })
  })

  it.each([
    'image-../../x',
    `image-${sha1}-1x1-png/../../x`,
    `image-${sha1}-1x1-`,
    `image-${sha1}-png`,
    `image-${sha1}-1x1-a.b`,
    `image-${sha1.toUpperCase()}-1x1-png`,
    `image-${sha1.slice(1)}-1x1-png`,
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
        expect(path).toMatch(/^assets\/(images|files)\/[0-9a-f]{40}(-\d+x\d+)?\.[A-Za-z0-9_-]+$/)
      }),
      { numRuns: 10_000 },
    )
  })
})

describe('isInShard', () => {
  it('is true for exactly one shard', () => {
    const hash = fc.array(fc.constantFrom(...'0123456789abcdef'), { minLength: 40, maxLength: 40 }).map((digits) => digits.join(''))
    fc.assert(
      fc.property(
        fc.oneof(
          hash.map((each) => `file-${each}-pdf`),
          fc.string(),
        ),
        fc.integer({ min: 1, max: 256 }),
        (id, of) => {
          const shards = (each: string) => Array.from({ length: of }, (_, index) => isInShard(each, { index: index + 1, of }))
          expect(shards(id).filter(Boolean)).toHaveLength(1)
        },
      ),
    )
  })

  it('is the same for all ids of one file', () => {
    const shards = [`file-${sha1}-txt`, `drafts.file-${sha1}-txt`, `image-${sha1}-1x1-png`].map((id) =>
      Array.from({ length: 8 }, (_, index) => isInShard(id, { index: index + 1, of: 8 })),
    )
    expect(new Set(shards.map(String)).size).toBe(1)
  })

  it('is what docs/format.md says', () => {
    expect(isInShard(`file-${sha1}-txt`, { index: 1 + (0x0a4d55a8d778 % 8), of: 8 })).toBe(true)
  })
})
