import type { BackupError } from '../errors.ts'
import type { Fetched, Found, Level } from './destination.ts'

/** The snapshot that a user meant. */
export type Chosen = {
  /** The snapshot, or each shard of it that is there, by their numbers. Never empty. */
  readonly parts: readonly [Found, ...Found[]]
  /** Of how many shards it is made; undefined for a whole one. A shard that is not among `parts` is missing. */
  readonly shards: number | undefined
  /** The part that holds the documents; the first one there is where that shard is missing. */
  readonly main: Found
  /** Newer ones that could not be read, and why. */
  readonly passedOver: readonly BackupError[]
  /** Fetches all parts, each into a folder of its own below `into`, in the order of `parts`. */
  readonly fetch: (into: string, options: { readonly level: Level }) => Promise<readonly Fetched[]>
}
