import { sumDigest } from '../streams/digest.ts'

/** What a folder on a branch lists: the names of its files' blobs by their paths, whatever their order, in constant memory. */
export type Listing = {
  readonly add: (path: string, name: string) => void
  readonly result: () => Listed
}

/** How many files there are, and a digest of their paths and names. */
export type Listed = { readonly count: number; readonly digest: string }

/** Makes an empty {@link Listing}. Paths are bytes, one a character (latin1). */
export function listing(): Listing {
  const sum = sumDigest()
  let count = 0
  return {
    add: (path, name) => {
      count++
      sum.add(Buffer.from(`${name} ${path}`, 'latin1'))
    },
    result: () => ({ count, digest: sum.result() }),
  }
}

/** The listing of files at hand. */
export function listingOf(files: ReadonlyMap<string, string>): Listed {
  const { add, result } = listing()
  for (const [path, name] of files) add(path, name)
  return result()
}
