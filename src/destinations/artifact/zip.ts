import { crc32, inflateRawSync } from 'node:zlib'

/** Reads some bytes of a file that lies elsewhere: from `start` up to, but not including, `end`. */
export type ReadRange = (start: number, end: number) => Promise<Buffer>

/** What is read first: the end of the zip, with its list of files and, as a rule, the last file. */
const tailBytes = 128 * 1024
/** Nobody's list of files or manifest is larger. */
const mostBytes = 64 * 1024 * 1024

/**
 * Reads one file out of a zip without reading the rest of it; undefined if it is not in it. Throws if this is no zip, or one of a kind that nobody
 * makes. The format: PKWARE APPNOTE 4.3, zip64 included.
 */
export async function readZipEntry(read: ReadRange, sizeBytes: number, name: string): Promise<Buffer | undefined> {
  const tailStart = Math.max(0, sizeBytes - tailBytes)
  const tail = await read(tailStart, sizeBytes)
  const bytes: ReadRange = async (start, end) => {
    if (!(start >= 0 && start <= end && end <= sizeBytes && end - start <= mostBytes)) throw new Error('the zip is damaged')
    return start >= tailStart ? tail.subarray(start - tailStart, end - tailStart) : await read(start, end)
  }
  const { start, end } = directoryOf(tail, tailStart)
  const entry = findEntry(await bytes(start, end), name)
  if (entry === undefined) return undefined
  const header = await bytes(entry.offset, entry.offset + 30)
  if (header.length < 30 || header.readUInt32LE(0) !== localSignature) throw new Error('the zip is damaged')
  const from = entry.offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28)
  const stored = await bytes(from, from + entry.compressedBytes)
  if (entry.method !== 0 && entry.method !== 8) throw new Error('the zip is of an unknown kind')
  const content = entry.method === 0 ? stored : inflateRawSync(stored, { maxOutputLength: mostBytes })
  if (crc32(content) !== entry.crc) throw new Error('the zip is damaged')
  return content
}

const localSignature = 0x04034b50
const entrySignature = 0x02014b50
const endSignature = Buffer.from('504b0506', 'hex')
const locatorSignature = 0x07064b50
const end64Signature = 0x06064b50

/** Where the list of the files is. */
function directoryOf(tail: Buffer, tailStart: number): { start: number; end: number } {
  const at = tail.lastIndexOf(endSignature)
  if (at === -1 || at + 22 > tail.length) throw new Error('it is no zip')
  const bytes = tail.readUInt32LE(at + 12)
  const start = tail.readUInt32LE(at + 16)
  if (start !== 0xffffffff && bytes !== 0xffffffff) return { start, end: start + bytes }
  const locator = at - 20
  if (locator < 0 || tail.readUInt32LE(locator) !== locatorSignature) throw new Error('the zip is damaged')
  const end64 = Number(tail.readBigUInt64LE(locator + 8)) - tailStart
  if (!(end64 >= 0 && end64 + 56 <= tail.length) || tail.readUInt32LE(end64) !== end64Signature) throw new Error('the zip is damaged')
  const start64 = Number(tail.readBigUInt64LE(end64 + 48))
  return { start: start64, end: start64 + Number(tail.readBigUInt64LE(end64 + 40)) }
}

type ZipEntry = { readonly method: number; readonly crc: number; readonly compressedBytes: number; readonly offset: number }

function findEntry(directory: Buffer, name: string): ZipEntry | undefined {
  for (let at = 0; at + 46 <= directory.length; ) {
    if (directory.readUInt32LE(at) !== entrySignature) throw new Error('the zip is damaged')
    const nameEnd = at + 46 + directory.readUInt16LE(at + 28)
    const extraEnd = nameEnd + directory.readUInt16LE(at + 30)
    if (directory.toString('utf8', at + 46, nameEnd) === name) return entryAt(directory, at, directory.subarray(nameEnd, extraEnd))
    at = extraEnd + directory.readUInt16LE(at + 32)
  }
  return undefined
}

function entryAt(directory: Buffer, at: number, extra: Buffer): ZipEntry {
  const method = directory.readUInt16LE(at + 10)
  const narrow = [directory.readUInt32LE(at + 24), directory.readUInt32LE(at + 20), directory.readUInt32LE(at + 42)]
  // Field 1 holds, in this order, those of the values that did not fit.
  let next = wideField(extra)
  const [, compressedBytes = 0, offset = 0] = narrow.map((value) => {
    if (value !== 0xffffffff || next.length < 8) return value
    const wide = Number(next.readBigUInt64LE(0))
    next = next.subarray(8)
    return wide
  })
  return { method, crc: directory.readUInt32LE(at + 16), compressedBytes, offset }
}

function wideField(extra: Buffer): Buffer {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) === 1) return extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2))
  }
  return Buffer.alloc(0)
}
