import { crc32, deflateRawSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { type ReadRange, readZipEntry } from '../../src/destinations/zip.ts'
import { rejection } from '../streams/feed.ts'

type Parts = { readonly name: string; readonly content: Buffer; readonly deflated?: boolean }

/** A zip as PKWARE APPNOTE 4.3 has it; with `wide` its sizes and places in the fields of zip64. */
function zip(parts: readonly Parts[], { wide = false, comment = '' } = {}): Buffer {
  const files: Buffer[] = []
  const entries: Buffer[] = []
  let offset = 0
  for (const { name, content, deflated = false } of parts) {
    const stored = deflated ? deflateRawSync(content) : content
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50, 0)
    local.writeUInt16LE(name.length, 26)
    const extra = Buffer.alloc(wide ? 28 : 0)
    if (wide) {
      extra.writeUInt16LE(1, 0)
      extra.writeUInt16LE(24, 2)
      for (const [index, value] of [content.length, stored.length, offset].entries()) extra.writeBigUInt64LE(BigInt(value), 4 + index * 8)
    }
    const entry = Buffer.alloc(46)
    entry.writeUInt32LE(0x02014b50, 0)
    entry.writeUInt16LE(deflated ? 8 : 0, 10)
    entry.writeUInt32LE(crc32(content), 16)
    entry.writeUInt32LE(wide ? 0xffffffff : stored.length, 20)
    entry.writeUInt32LE(wide ? 0xffffffff : content.length, 24)
    entry.writeUInt16LE(name.length, 28)
    entry.writeUInt16LE(extra.length, 30)
    entry.writeUInt32LE(wide ? 0xffffffff : offset, 42)
    files.push(local, Buffer.from(name), stored)
    entries.push(entry, Buffer.from(name), extra)
    offset += 30 + name.length + stored.length
  }
  const directory = Buffer.concat(entries)
  return Buffer.concat([...files, directory, ...ending(parts.length, directory.length, offset, wide), Buffer.from(comment)])
}

function ending(count: number, bytes: number, start: number, wide: boolean): Buffer[] {
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(count, 10)
  end.writeUInt32LE(wide ? 0xffffffff : bytes, 12)
  end.writeUInt32LE(wide ? 0xffffffff : start, 16)
  if (!wide) return [end]
  const end64 = Buffer.alloc(56)
  end64.writeUInt32LE(0x06064b50, 0)
  end64.writeBigUInt64LE(BigInt(bytes), 40)
  end64.writeBigUInt64LE(BigInt(start), 48)
  const locator = Buffer.alloc(20)
  locator.writeUInt32LE(0x07064b50, 0)
  locator.writeBigUInt64LE(BigInt(start + bytes), 8)
  return [end64, locator, end]
}

function reader(bytes: Buffer): { read: ReadRange; ranges: [number, number][] } {
  const ranges: [number, number][] = []
  return {
    ranges,
    read: async (start, end) => {
      ranges.push([start, end])
      return bytes.subarray(start, end)
    },
  }
}

const manifest = { name: 'manifest.json', content: Buffer.from('{"a":1}') }
const large = { name: 'data.ndjson.gz', content: Buffer.alloc(1_000_000, 7) }

describe('readZipEntry', () => {
  it.each([
    { name: 'stored', parts: [large, manifest], options: {} },
    { name: 'deflated', parts: [large, { ...manifest, deflated: true }], options: {} },
    { name: 'in a zip64', parts: [large, manifest], options: { wide: true } },
    { name: 'in a zip with a comment', parts: [large, manifest], options: { comment: 'PK or not' } },
  ])('reads a file that is $name, with one short read', async ({ parts, options }) => {
    const bytes = zip(parts, options)
    const { read, ranges } = reader(bytes)
    expect((await readZipEntry(read, bytes.length, 'manifest.json'))?.toString()).toBe('{"a":1}')
    expect(ranges).toEqual([[bytes.length - 128 * 1024, bytes.length]])
  })

  it('reads a file at the front of a large zip with three reads, never the whole', async () => {
    const bytes = zip([manifest, large])
    const { read, ranges } = reader(bytes)
    expect((await readZipEntry(read, bytes.length, 'manifest.json'))?.toString()).toBe('{"a":1}')
    expect(ranges).toHaveLength(3)
    expect(ranges.reduce((sum, [start, end]) => sum + end - start, 0)).toBeLessThan(140_000)
  })

  it('gives nothing for a file that is not there', async () => {
    const bytes = zip([large])
    expect(await readZipEntry(reader(bytes).read, bytes.length, 'manifest.json')).toBeUndefined()
  })

  it('throws for every cut of a zip, and never hangs', async () => {
    const whole = zip([{ name: 'a', content: Buffer.from('a') }, manifest])
    for (let length = 0; length < whole.length; length++) {
      const bytes = whole.subarray(0, length)
      expect(Error.isError(await rejection(readZipEntry(reader(bytes).read, length, 'manifest.json')))).toBe(true)
    }
  })

  it('gives the content, nothing, or an error for a zip with any one byte changed', async () => {
    const whole = zip([{ ...manifest, deflated: true }])
    for (let at = 0; at < whole.length; at++) {
      const bytes = whole.with(at, (whole[at] ?? 0) ^ 0xff) as Buffer
      const result = readZipEntry(reader(Buffer.from(bytes)).read, whole.length, 'manifest.json')
      const kind = await result.then(
        () => 'ended',
        (error: unknown) => (Error.isError(error) ? 'ended' : 'something else was thrown'),
      )
      expect(kind).toBe('ended')
    }
  })
})
