import type { BackupError } from '../errors.ts'
import type { TypeChanges } from '../format/compare.ts'
import type { Manifest, StoredManifest } from '../format/manifest.ts'
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

/** A snapshot that lies at a destination. */
export type Found = {
  readonly manifest: StoredManifest
}

/**
 * The reading half of a place where snapshots lie: it changes nothing there. What it gives may come from other runs, other versions and other
 * people, so nothing but the manifest's shape is certain. Laws, which test/contracts/reader.ts holds each of them to:
 */
export type SnapshotReader = {
  /**
   * Goes through the snapshots, newest first, and asks for the next one only when it is wanted; leaving early is allowed, and so is beginning again.
   * - What is no finished snapshot, or is no longer to be had (a folder without a manifest, an artifact that has expired), is passed over.
   * - In the place of a snapshot that cannot be read comes the reason. A search that ends before its end gives such a reason as its last.
   * - Throws a `BackupError` where the place as a whole cannot be looked at, and the reason of the signal when the run is cancelled.
   */
  readonly newestFirst: () => AsyncIterable<Found | BackupError>
  /** Says, as part of a sentence, what is not there: for the words to a user when `newestFirst` gave no snapshot that fits. */
  readonly whyNone: () => Promise<string>
}

/** The writing half of a place where snapshots are stored, with what reads there. Disposing it removes what it keeps on the runner. */
export type Destination = Disposable & {
  readonly kind: Stored['kind']
  readonly reader: SnapshotReader
  /** Throws if it can be known already that `store` must not be tried. Called once, before anything is fetched; changes nothing. */
  readonly check: () => Promise<void>
  /** Throws if a finished snapshot cannot be stored here. Called once before anything is stored anywhere; changes nothing at the destination. */
  readonly prepare: (snapshot: FinishedSnapshot) => Promise<void>
  /**
   * Stores the prepared snapshot. Called at most once. When it returns, the whole snapshot was read back from where it is stored and agrees with its
   * manifest. When it throws, nothing of the snapshot is left at the destination. It leaves the bytes in the folder as they are.
   */
  readonly store: (snapshot: FinishedSnapshot) => Promise<Stored>
}
