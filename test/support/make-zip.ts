import { crc32, deflateRawSync } from 'node:zlib'

type Parts = { readonly name: string; readonly content: Buffer; readonly deflated?: boolean }

/** A zip as PKWARE APPNOTE 4.3 has it; with `wide` its sizes and places in the fields of zip64. */
export function makeZip(parts: readonly Parts[], { wide = false, comment = '' } = {}): Buffer {
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
