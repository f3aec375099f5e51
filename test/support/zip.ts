import { inflateRawSync } from 'node:zlib'

export type ZipEntry = { readonly name: string; readonly sizeBytes: number; readonly stored: boolean; read(): Buffer }

/** Lists a zip from its central directory (PKWARE APPNOTE 4.3), with zip64 sizes. */
export function readZip(zip: Buffer): ZipEntry[] {
  const end = zip.lastIndexOf(Buffer.from('504b0506', 'hex'))
  if (end < 0) throw new Error('Not a zip: no end of central directory')
  const locator = end - 20
  const zip64 = locator >= 0 && zip.readUInt32LE(locator) === 0x07064b50 ? Number(zip.readBigUInt64LE(locator + 8)) : undefined
  const count = zip64 === undefined ? zip.readUInt16LE(end + 10) : Number(zip.readBigUInt64LE(zip64 + 32))
  let at = zip64 === undefined ? zip.readUInt32LE(end + 16) : Number(zip.readBigUInt64LE(zip64 + 48))
  return Array.from({ length: count }, () => {
    if (zip.readUInt32LE(at) !== 0x02014b50) throw new Error('Not a zip: bad central directory')
    const lengths = { name: zip.readUInt16LE(at + 28), extra: zip.readUInt16LE(at + 30), comment: zip.readUInt16LE(at + 32) }
    const name = zip.toString('utf8', at + 46, at + 46 + lengths.name)
    const extra = zip.subarray(at + 46 + lengths.name, at + 46 + lengths.name + lengths.extra)
    const raw = { size: zip.readUInt32LE(at + 24), compressed: zip.readUInt32LE(at + 20), offset: zip.readUInt32LE(at + 42) }
    const { size, compressed, offset } = withZip64(raw, extra)
    const method = zip.readUInt16LE(at + 10)
    at += 46 + lengths.name + lengths.extra + lengths.comment
    return {
      name,
      sizeBytes: size,
      stored: method === 0,
      read() {
        const start = offset + 30 + zip.readUInt16LE(offset + 26) + zip.readUInt16LE(offset + 28)
        const bytes = zip.subarray(start, start + compressed)
        return method === 0 ? Buffer.from(bytes) : inflateRawSync(bytes)
      },
    }
  })
}

type Sizes = { readonly size: number; readonly compressed: number; readonly offset: number }

/** The extra field 0x0001 holds, in this order, those values that did not fit into 32 bits. */
function withZip64(raw: Sizes, extra: Buffer): Sizes {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) !== 0x0001) continue
    let next = at + 4
    const wide = (value: number) => {
      if (value !== 0xffffffff) return value
      next += 8
      return Number(extra.readBigUInt64LE(next - 8))
    }
    return { size: wide(raw.size), compressed: wide(raw.compressed), offset: wide(raw.offset) }
  }
  return raw
}
