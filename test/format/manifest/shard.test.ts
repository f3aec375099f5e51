import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { isInShard } from '../../../src/format/manifest/shard.ts'

const sha1 = '0a4d55a8d778e5022fab701977c5d840bbc486d0'

describe('isInShard', () => {
  it('is true for exactly one shard', () => {
    const hash = fc.array(fc.constantFrom(...'0123456789abcdef'), { minLength: 40, maxLength: 40 }).map((digits) => digits.join(''))
    fc.assert(
      fc.property(
        fc.oneof(
          hash.map((each) => `file-${each}-pdf`),
          fc.stringMatching(/^file-[A-Za-z0-9]{24}-pdf$/),
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
