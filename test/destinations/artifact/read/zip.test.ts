import { describe, expect, it } from '@jest/globals'
import { type ReadRange, readZipEntry } from '../../../../src/destinations/artifact/read/zip.ts'
import { rejection } from '../../../support/feed.ts'
import { makeZip } from '../../../support/make-zip.ts'

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
    const bytes = makeZip(parts, options)
    const { read, ranges } = reader(bytes)
    expect((await readZipEntry(read, bytes.length, 'manifest.json'))?.toString()).toBe('{"a":1}')
    expect(ranges).toEqual([[bytes.length - 128 * 1024, bytes.length]])
  })

  it('reads a file at the front of a large zip with three reads, never the whole', async () => {
    const bytes = makeZip([manifest, large])
    const { read, ranges } = reader(bytes)
    expect((await readZipEntry(read, bytes.length, 'manifest.json'))?.toString()).toBe('{"a":1}')
    expect(ranges).toHaveLength(3)
    expect(ranges.reduce((sum, [start, end]) => sum + end - start, 0)).toBeLessThan(140_000)
  })

  it('gives nothing for a file that is not there', async () => {
    const bytes = makeZip([large])
    expect(await readZipEntry(reader(bytes).read, bytes.length, 'manifest.json')).toBeUndefined()
  })

  it('throws for every cut of a zip, and never hangs', async () => {
    const whole = makeZip([{ name: 'a', content: Buffer.from('a') }, manifest])
    for (let length = 0; length < whole.length; length++) {
      const bytes = whole.subarray(0, length)
      expect(Error.isError(await rejection(readZipEntry(reader(bytes).read, length, 'manifest.json')))).toBe(true)
    }
  })

  it.each([true, false])('gives the content, nothing, or an error for a zip with any one byte changed (deflated: %s)', async (deflated) => {
    const whole = makeZip([{ ...manifest, deflated }])
    for (let at = 0; at < whole.length; at++) {
      const bytes = whole.with(at, (whole[at] ?? 0) ^ 0xff) as Buffer
      const result = readZipEntry(reader(Buffer.from(bytes)).read, whole.length, 'manifest.json')
      const told = await result.then(
        (content) => content?.toString() ?? 'nothing',
        (error: unknown) => (Error.isError(error) ? 'an error' : 'something else was thrown'),
      )
      expect(['{"a":1}', 'nothing', 'an error']).toContain(told)
    }
  })
})
