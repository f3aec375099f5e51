import type { BackupError } from '../errors.ts'
import type { TypeChanges } from '../format/compare.ts'
import type { Manifest, StoredManifest } from '../format/manifest/manifest.ts'
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

/** `unchanged`: nothing was stored, and all is said of the snapshot that lies there: it has the same documents and assets, or is the newer one. */
export type StoredOnBranch = {
  readonly kind: 'branch'
  readonly unchanged: boolean
  /** A newer snapshot is there, and this one is older than all that are kept. */
  readonly notKept?: boolean
  readonly repository: string
  readonly branch: string
  readonly commit: string
  /** The manifest as it lies there. */
  readonly manifest: Manifest
  /** All files of the snapshot; undefined where that is not known of one that lies there. */
  readonly sizeBytes: number | undefined
  /** Of the data file; undefined where each document has a file of its own. */
  readonly digest: string | undefined
  /** What became of the documents since the snapshot before; undefined where only their numbers are known. */
  readonly byType: ReadonlyMap<string, TypeChanges> | undefined
}

/** A snapshot that lies at a destination. It is fetched only when it is asked for. */
export type Found = {
  readonly manifest: StoredManifest
  /** The manifest's bytes, as they lie there. */
  readonly manifestBytes: Buffer
  /** Where it lies, as the end of a sentence: `in the artifact "…" of …`. Harmless in every log. */
  readonly where: string
  /** A page that shows it. */
  readonly link?: string
  /** When it will be gone (ISO 8601); undefined if it stays, or nobody says. */
  readonly keptUntil?: string
  /**
   * Brings it to a folder that is empty. Streams, so that memory stays bounded; at the level `structure` no data is fetched. What lies there is not
   * trusted: only files that the manifest lists are written, no larger than a byte above what it says. What was not written is told as `odd`.
   */
  readonly fetch: (into: string, options: { readonly level: Level }) => Promise<Fetched>
}

/** How much of a snapshot is looked at: its manifest, names and sizes, or every byte. */
export type Level = 'structure' | 'data'

/** A snapshot that was fetched. */
export type Fetched = {
  /** Holds `manifest.json` and, at the level `data`, the files that the manifest lists. A snapshot in a folder is not copied: then it is that folder. */
  readonly folder: string
  /** Every file that lies at the destination, but for `documents`. */
  readonly listed: readonly ListedFile[]
  /** What is wrong with files, as far as only fetching them could see it. Each is a finding of severity `error`. */
  readonly odd: readonly OddFile[]
  /** Where each document has a file of its own (a branch in the layout `text`): these files, which are not in the folder. */
  readonly documents?: DocumentFiles
}

/** `sizeBytes` is undefined where it cannot be known without fetching the file. */
export type ListedFile = { readonly path: string; readonly sizeBytes: number | undefined }

export type OddFile = {
  readonly kind: 'file-unexpected' | 'size-differs' | 'content-unreadable'
  readonly path: string
  /** As the end of a sentence that begins with the path. */
  readonly message: string
}

/** Documents in files of their own. Both may be gone through as often as one likes, until the run ends. */
export type DocumentFiles = {
  readonly paths: () => AsyncIterable<string>
  /** Only at the level `data`. */
  readonly files: () => AsyncIterable<{ readonly path: string; readonly content: Buffer }>
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
