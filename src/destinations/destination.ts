import type { SnapshotFolder } from '../snapshot/folder.ts'

/** A snapshot that is written, complete, and waits to be stored. */
export type FinishedSnapshot = {
  readonly folder: SnapshotFolder
  /** The manifest's bytes, as written. */
  readonly manifestBytes: Buffer
}

/** What a destination says of a snapshot that it stored. */
export type Stored =
  | { readonly kind: 'artifact'; readonly name: string; readonly id: number; readonly url: string; readonly sizeBytes: number }
  | { readonly kind: 'directory'; readonly folder: string; readonly manifest: string }

/** A place where snapshots are stored. */
export type Destination = {
  readonly kind: Stored['kind']
  /**
   * Throws if it can be known already that `store` is going to fail, or must not be tried. Called once, before anything is fetched; changes
   * nothing.
   */
  readonly check: () => Promise<void>
  /**
   * Stores a snapshot. Called at most once. When it returns, the whole snapshot was read back from where it is stored and agrees with its
   * manifest. When it throws, nothing of the snapshot is left at the destination. It leaves the bytes in the folder as they are.
   */
  readonly store: (snapshot: FinishedSnapshot) => Promise<Stored>
}
