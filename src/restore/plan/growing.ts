/** Lists of numbers that grow as they are filled, at the size of their numbers alone: a dataset may have millions of documents. */

/** Whole numbers of 32 bits; what was never set is 0. */
export function growingInts(): { readonly at: (index: number) => number; readonly set: (index: number, value: number) => void } {
  let values = new Int32Array(1024)
  return {
    at: (index) => values[index] ?? 0,
    set: (index, value) => {
      if (index >= values.length) values = enlarged(values, new Int32Array(roomFor(index)))
      values[index] = value
    },
  }
}

/** Digests of `bytes` bytes each; what was never set is all zeros. */
export function growingDigests(bytes: number): {
  readonly set: (index: number, digest: Buffer) => void
  readonly same: (index: number, other: ReturnType<typeof growingDigests>) => boolean
  readonly at: (index: number) => Uint8Array
} {
  let values = new Uint8Array(1024 * bytes)
  const at = (index: number) => values.subarray(index * bytes, (index + 1) * bytes)
  return {
    at,
    set: (index, digest) => {
      const end = (index + 1) * bytes
      if (end > values.length) values = enlarged(values, new Uint8Array(roomFor(end)))
      values.set(digest, index * bytes)
    },
    same: (index, other) => {
      const [mine, theirs] = [at(index), other.at(index)]
      return mine.length === bytes && theirs.length === bytes && mine.every((byte, place) => byte === theirs[place])
    },
  }
}

function enlarged<List extends Int32Array | Uint8Array>(values: List, larger: List): List {
  larger.set(values)
  return larger
}

function roomFor(index: number): number {
  return Math.ceil((index + 1) * 1.5)
}
