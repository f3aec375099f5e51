import type { Transform } from 'node:stream'

/** The compressions, by the names that the input `compression` takes. */
export type Compression = 'gzip' | 'zstd'

/** Called for each piece of memory, in order, once it may be used for something else. Until then it must not be changed. */
export type Release = (bytes: Buffer) => void

/** How blocks are compressed. */
export type Packing = {
  readonly level: number
  /** The CRC-32 of all blocks together. Called once all have come, if the format has a place for it: unpacking the file compares it. */
  readonly checksum: () => number
  readonly release: Release
}

/** One compression: bytes in, bytes out. */
export type Codec = {
  /** What a file's name ends in. */
  readonly extension: 'gz' | 'zst'
  readonly levels: { readonly default: number; readonly highest: number }
  /**
   * Compresses to one gzip member or one zstd frame: some readers stop after the first and say nothing. The same blocks at the same level give the
   * same bytes, whenever they come. Holds at most {@link mostBlocksHeld} blocks.
   */
  readonly compress: (blocks: AsyncIterable<Buffer>, packing: Packing) => AsyncGenerator<Buffer>
  /** Gives the content back. Throws for input that is damaged or cut off. */
  readonly decompress: (chunks: AsyncIterable<Buffer>) => AsyncGenerator<Buffer>
  /** The same as a stream, for a file that is unpacked while it is still being made. */
  readonly decompressor: () => Transform
}

/** So many blocks are held at most until the first of them is released, by any compression. gzip holds that many, zstd two. */
export const mostBlocksHeld = 6
