import { crc32, inflateRawSync } from 'node:zlib'

/** What one gzip member is made of (RFC 1952), and what lies behind it. */
export type GzipMember = {
  readonly content: Buffer
  readonly checksumIsRight: boolean
  readonly sizeIsRight: boolean
  readonly bytesBehind: number
}

/** Walks the first member of a gzip file: no reader of whole files can tell one member from several. */
export function walkGzip(file: Buffer): GzipMember {
  const header = { magic: file.readUInt16BE(0), method: file[2], flags: file[3] }
  if (header.magic !== 0x1f8b || header.method !== 8 || header.flags !== 0)
    throw new Error(`not a plain gzip header: ${JSON.stringify(header)}`)
  const inflated = inflateRawSync(file.subarray(10), { info: true }) as unknown as { buffer: Buffer; engine: { bytesWritten: number } }
  const trailer = 10 + inflated.engine.bytesWritten
  return {
    content: inflated.buffer,
    checksumIsRight: file.readUInt32LE(trailer) === crc32(inflated.buffer),
    sizeIsRight: file.readUInt32LE(trailer + 4) === inflated.buffer.length,
    bytesBehind: file.length - trailer - 8,
  }
}

/** What one zstd frame is made of (RFC 8878, 3.1.1), and what lies behind it. */
export type ZstdFrame = {
  readonly hasChecksum: boolean
  readonly hasDictionary: boolean
  readonly blocks: number
  readonly bytesBehind: number
}

/** Walks the first frame of a zstd file, block by block, without decompressing. */
export function walkZstd(file: Buffer): ZstdFrame {
  if (file.readUInt32LE(0) !== 0xfd2fb528) throw new Error('not a zstd frame')
  const descriptor = file.readUInt8(4)
  const singleSegment = (descriptor & 0x20) !== 0
  const hasChecksum = (descriptor & 0x04) !== 0
  const sizeField = [singleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0
  let at = 5 + (singleSegment ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] ?? 0) + sizeField
  let blocks = 0
  for (let last = false; !last; blocks++) {
    const block = file.readUIntLE(at, 3)
    last = (block & 1) === 1
    const isRepeatedByte = ((block >> 1) & 3) === 1
    at += 3 + (isRepeatedByte ? 1 : block >> 3)
  }
  return { hasChecksum, hasDictionary: (descriptor & 3) !== 0, blocks, bytesBehind: file.length - at - (hasChecksum ? 4 : 0) }
}
