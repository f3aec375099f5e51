/** What was found and the content that it must equal, whichever comes first. */
export type Comparison = {
  /** Adds a block of content. Throws for the first byte that differs. */
  readonly expect: (block: ArrayBuffer, bytes: number) => void
  /** Adds a piece of what was found. Throws for the first byte that differs. */
  readonly found: (piece: Buffer) => void
  /** How many bytes were compared. */
  readonly bytes: () => number
  /** Whether more was found than there is content. */
  readonly tooMuch: () => boolean
}

/** Makes a {@link Comparison}. `release` gets each block once all of its content was compared. */
export function makeComparison(release: (block: ArrayBuffer) => void): Comparison {
  const contents: { readonly block: ArrayBuffer; rest: Buffer }[] = []
  const pieces: { readonly piece: Buffer; rest: Buffer }[] = []
  let compared = 0
  const compare = () => {
    for (let [expected, found] = [contents[0], pieces[0]]; expected && found; [expected, found] = [contents[0], pieces[0]]) {
      const size = Math.min(expected.rest.length, found.rest.length)
      if (!expected.rest.subarray(0, size).equals(found.rest.subarray(0, size)))
        throw new Error(`it is another one from byte ${compared} on`)
      compared += size
      expected.rest = expected.rest.subarray(size)
      found.rest = found.rest.subarray(size)
      if (expected.rest.length === 0) {
        contents.shift()
        release(expected.block)
      }
      if (found.rest.length === 0) {
        pieces.shift()
        free(found.piece)
      }
    }
  }
  return {
    expect: (block, bytes) => {
      contents.push({ block, rest: Buffer.from(block, 0, bytes) })
      compare()
    },
    found: (piece) => {
      pieces.push({ piece, rest: piece })
      compare()
    },
    bytes: () => compared,
    tooMuch: () => pieces.length > 0,
  }
}

/** Frees memory at once if the piece is the last, or all, of it: zlib fills a buffer from its beginning, sometimes piece by piece. */
function free({ buffer, byteOffset, length }: Buffer): void {
  if (byteOffset + length === buffer.byteLength && !(buffer as ArrayBuffer).detached) (buffer as ArrayBuffer).transfer(0)
}
