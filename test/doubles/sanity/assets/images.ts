export type ImageSize = { readonly width: number; readonly height: number; readonly extension: string }

/** Width, height and kind of an image, from its first bytes. Undefined if it is none that the emulated server can read. */
export function sizeOfImage(bytes: Buffer): ImageSize | undefined {
  if (bytes.subarray(0, 8).toString('latin1') === '\x89PNG\r\n\x1a\n' && bytes.length >= 24) {
    return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20), extension: 'png' }
  }
  if (bytes.subarray(0, 4).toString('latin1') === 'GIF8' && bytes.length >= 10) {
    return { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8), extension: 'gif' }
  }
  if (bytes.length >= 4 && bytes.readUInt16BE(0) === 0xffd8) return sizeOfJpeg(bytes)
  if (bytes.subarray(0, 4).toString('latin1') === 'RIFF' && bytes.subarray(8, 12).toString('latin1') === 'WEBP') return sizeOfWebp(bytes)
  const svg = /<svg[^>]*\bwidth="(\d+)"[^>]*\bheight="(\d+)"/.exec(bytes.subarray(0, 1000).toString('latin1'))
  return svg ? { width: Number(svg[1]), height: Number(svg[2]), extension: 'svg' } : undefined
}

/** ITU-T T.81, B.2.2: the frame header SOF0 to SOF15, but for DHT, JPG and DAC, which share the range. */
function sizeOfJpeg(bytes: Buffer): ImageSize | undefined {
  let at = 2
  while (at + 9 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1] ?? 0
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      return { width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5), extension: 'jpg' }
    }
    at += 2 + bytes.readUInt16BE(at + 2)
  }
  return undefined
}

/** RFC 9649: lossy (VP8), lossless (VP8L) and extended (VP8X) files. */
function sizeOfWebp(bytes: Buffer): ImageSize | undefined {
  if (bytes.length < 30) return undefined
  const chunk = bytes.subarray(12, 16).toString('latin1')
  if (chunk === 'VP8X') return { width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1, extension: 'webp' }
  if (chunk === 'VP8 ') {
    return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff, extension: 'webp' }
  }
  if (chunk !== 'VP8L') return undefined
  const bits = bytes.readUInt32LE(21)
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1, extension: 'webp' }
}

/**
 * What is stored of an SVG: its scripts are taken out after the hash was made, so that the stored bytes belong to another id (sanity-io/sanity
 * issues 3297 and 2321). INFERRED: what is clean already stays as it is.
 */
export function sanitizeSvg(bytes: Buffer): Buffer {
  const text = bytes.toString('utf8')
  const clean = text.replace(/<\?xml[^>]*\?>\s*|<!DOCTYPE[^>]*>\s*|<!--.*?-->|<script\b.*?<\/script>/gs, '').replace(/\son\w+="[^"]*"/g, '')
  return clean === text ? bytes : Buffer.from(clean)
}
