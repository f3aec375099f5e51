import type { TypeChanges } from '../format/compare.ts'
import type { Manifest } from '../format/manifest.ts'
import type { Previous } from '../snapshot/read/newest-first.ts'
import type { SnapshotFolder } from '../snapshot/workshop/workshop.ts'

/** A snapshot that is written, complete, and waits to be stored. */
export type FinishedSnapshot = {
  readonly folder: SnapshotFolder
  readonly manifest: Manifest
  /** The manifest's bytes, as written. */
  readonly manifestBytes: Buffer
}

/** What a destination says of a snapshot that it stored. */
export type Stored =
  | { readonly kind: 'artifact'; readonly name: string; readonly id: number; readonly url: string; readonly sizeBytes: number }
  | { readonly kind: 'directory'; readonly folder: string; readonly manifest: string }
  | StoredOnBranch

/** `unchanged`: the branch held the same documents and assets already, and nothing was stored. Then all is said of the snapshot that lies there. */
export type StoredOnBranch = {
  readonly kind: 'branch'
  readonly unchanged: boolean
  /** It was not stored: the snapshots that are kept are all newer. Then no commit holds it, and all else is said of the snapshot itself. */
  readonly notKept?: boolean
  readonly repository: string
  readonly branch: string
  readonly commit: string
  /** The manifest as it lies there. */
  readonly manifest: Manifest
  /** All files of the snapshot. */
  readonly sizeBytes: number
  /** Of the data file; undefined where each document has a file of its own. */
  readonly digest: string | undefined
  /** What became of the documents since the snapshot before; undefined where only their numbers are known. */
  readonly byType: ReadonlyMap<string, TypeChanges> | undefined
}

/** `nothing`: why there is nothing to compare with, if that is so, as a part of a sentence. */
export type Found = Previous & { readonly nothing: string }

/** A place where snapshots are stored. */
export type Destination = Disposable & {
  readonly kind: Stored['kind']
  /**
   * Throws if it can be known already that `store` must not be tried. Called once, before anything is fetched; changes nothing.
   */
  readonly check: () => Promise<void>
  /**
   * Finds the manifest of the newest snapshot here that can be compared with the one that is going to be stored: of the same project, dataset and
   * filters. Throws a `BackupError` that says why it could not be looked up, and what to do.
   */
  readonly findPrevious: () => Promise<Found>
  /** Throws if a finished snapshot cannot be stored here. Called once before anything is stored anywhere; changes nothing at the destination. */
  readonly prepare: (snapshot: FinishedSnapshot) => Promise<void>
  /**
   * Stores the prepared snapshot. Called at most once. When it returns, the whole snapshot was read back from where it is stored and agrees with its
   * manifest. When it throws, nothing of the snapshot is left at the destination. It leaves the bytes in the folder as they are.
   */
  readonly store: (snapshot: FinishedSnapshot) => Promise<Stored>
}
