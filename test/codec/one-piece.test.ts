import { gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { codecs } from '../../src/codec/codecs.ts'
import { onePiece } from '../../src/codec/one-piece.ts'

const content = Buffer.from('{"_id":"a"}\n'.repeat(50))
const second = Buffer.from('{"_id":"b"}\n')

describe.each([
  { name: 'gzip', codec: codecs.gzip, pack: (bytes: Buffer) => gzipSync(bytes) },
  { name: 'zstd', codec: codecs.zstd, pack: (bytes: Buffer) => zstdCompressSync(bytes) },
])('a file of $name', ({ codec, pack }) => {
  const wrongWith = (stored: Buffer, shown: Buffer, step: number) => {
    const piece = onePiece(codec)
    for (let at = 0; at < stored.length; at += step) piece.stored(stored.subarray(at, at + step))
    piece.content(shown)
    return piece.findWrong()
  }

  it.each([1, 7, 1_000_000])('is one piece, shown %i bytes at a time', (step) => {
    expect(wrongWith(pack(content), content, step)).toBeUndefined()
  })

  it.each([
    { what: 'a second piece', tail: pack(second), more: second },
    { what: 'zeros', tail: Buffer.alloc(9), more: Buffer.alloc(0) },
    { what: 'anything else', tail: Buffer.from('x'), more: Buffer.alloc(0) },
  ])('is told from one with $what behind it', ({ tail, more }) => {
    for (const step of [1, 7, 1_000_000]) {
      expect(wrongWith(Buffer.concat([pack(content), tail]), Buffer.concat([content, more]), step)).toMatch(/goes on behind its end/)
    }
  })
})
