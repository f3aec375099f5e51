import { crc32, inflateRawSync } from 'node:zlib'

/** Reads some bytes of a file that lies elsewhere: from `start` up to, but not including, `end`. */
export type ReadRange = (start: number, end: number) => Promise<Buffer>

/** What is read first: the end of the zip, with its list of files and, as a rule, the last file. */
const tailBytes = 128 * 1024
/** Nobody's list of files or manifest is larger. */
const mostBytes = 64 * 1024 * 1024

/** What a zip says of one of its files. Nothing of it is certain. */
export type ZipEntry = {
  readonly name: string
  readonly method: number
  readonly crc: number
  readonly compressedBytes: number
  readonly sizeBytes: number
  /** Where its header begins. */
  readonly offset: number
  /** Whether it is a link, or anything else that is no ordinary file. */
  readonly odd: boolean
}

/** The size of the header of a file, without its names. */
export const headerBytes = 30

/**
 * Reads one file out of a zip without reading the rest of it; undefined if it is not in it. Throws if this is no zip, or one of a kind that nobody
 * makes. The format: PKWARE APPNOTE 4.3, zip64 included.
 */
export async function readZipEntry(read: ReadRange, sizeBytes: number, name: string): Promise<Buffer | undefined> {
  const { bytes, entries } = await openZip(read, sizeBytes)
  const entry = entries.find((each) => each.name === name)
  if (entry === undefined) return undefined
  const from = contentStart(entry, await bytes(entry.offset, entry.offset + headerBytes))
  const stored = await bytes(from, from + entry.compressedBytes)
  if (entry.method !== 0 && entry.method !== 8) throw new Error('the zip is of an unknown kind')
  const content = entry.method === 0 ? stored : inflateRawSync(stored, { maxOutputLength: mostBytes })
  if (crc32(content) !== entry.crc) throw new Error('the zip is damaged')
  return content
}

/** Reads the list of the files in a zip, in its own order. Throws as {@link readZipEntry} does. */
export async function readZipList(read: ReadRange, sizeBytes: number): Promise<readonly ZipEntry[]> {
  return (await openZip(read, sizeBytes)).entries
}

/** Where the content of a file begins. Throws if this is no header of a file. */
export function contentStart({ offset }: ZipEntry, header: Buffer): number {
  if (header.length < headerBytes || header.readUInt32LE(0) !== localSignature) throw new Error('the zip is damaged')
  return offset + headerBytes + header.readUInt16LE(26) + header.readUInt16LE(28)
}

async function openZip(read: ReadRange, sizeBytes: number): Promise<{ readonly bytes: ReadRange; readonly entries: readonly ZipEntry[] }> {
  const tailStart = Math.max(0, sizeBytes - tailBytes)
  const tail = await read(tailStart, sizeBytes)
  const bytes: ReadRange = async (start, end) => {
    if (!(start >= 0 && start <= end && end <= sizeBytes && end - start <= mostBytes)) throw new Error('the zip is damaged')
    return start >= tailStart ? tail.subarray(start - tailStart, end - tailStart) : await read(start, end)
  }
  const { start, end } = directoryOf(tail, tailStart)
  return { bytes, entries: entriesIn(await bytes(start, end)) }
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

function entriesIn(directory: Buffer): ZipEntry[] {
  const entries: ZipEntry[] = []
  for (let at = 0; at + 46 <= directory.length; ) {
    if (directory.readUInt32LE(at) !== entrySignature) throw new Error('the zip is damaged')
    const nameEnd = at + 46 + directory.readUInt16LE(at + 28)
    const extraEnd = nameEnd + directory.readUInt16LE(at + 30)
    entries.push(
      entryAt(directory, at, { name: directory.toString('utf8', at + 46, nameEnd), extra: directory.subarray(nameEnd, extraEnd) }),
    )
    at = extraEnd + directory.readUInt16LE(at + 32)
  }
  return entries
}

/** The kind of a file in the modes of Unix: an ordinary one, or none where the zip was made elsewhere. */
const ordinaryKinds = [0, 0o100000]

function entryAt(directory: Buffer, at: number, { name, extra }: { readonly name: string; readonly extra: Buffer }): ZipEntry {
  const narrow = [directory.readUInt32LE(at + 24), directory.readUInt32LE(at + 20), directory.readUInt32LE(at + 42)]
  // Field 1 holds, in this order, those of the values that did not fit.
  let next = wideField(extra)
  const [sizeBytes = 0, compressedBytes = 0, offset = 0] = narrow.map((value) => {
    if (value !== 0xffffffff || next.length < 8) return value
    const wide = Number(next.readBigUInt64LE(0))
    next = next.subarray(8)
    return wide
  })
  const kind = directory.readUInt16LE(at + 40) & 0o170000
  return {
    name,
    method: directory.readUInt16LE(at + 10),
    crc: directory.readUInt32LE(at + 16),
    compressedBytes,
    sizeBytes,
    offset,
    odd: !ordinaryKinds.includes(kind),
  }
}

function wideField(extra: Buffer): Buffer {
  for (let at = 0; at + 4 <= extra.length; at += 4 + extra.readUInt16LE(at + 2)) {
    if (extra.readUInt16LE(at) === 1) return extra.subarray(at + 4, at + 4 + extra.readUInt16LE(at + 2))
  }
  return Buffer.alloc(0)
}
