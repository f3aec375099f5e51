import { BackupError } from '../errors.ts'
import { type Comparable, isComparable } from '../format/compare.ts'
import type { StoredManifest } from '../format/manifest/manifest.ts'
import type { Found } from './destination.ts'

/** Snapshots, the newest first, of which no more than the manifests is wanted. */
type Newest = { readonly newestFirst: () => AsyncIterable<Pick<Found, 'manifest' | 'keptUntil'> | BackupError> }

/** What a search for the snapshot before has found. */
export type PreviousSnapshot = {
  /** Undefined if there is nothing to compare with. */
  readonly manifest: StoredManifest | undefined
  /** Until when that one is kept; undefined where nothing removes it, or the place does not tell. */
  readonly keptUntil?: string | undefined
  /** Newer ones that could not be read, and why. Without a `manifest`, one to compare with might be among them. */
  readonly passedOver: readonly BackupError[]
}

/**
 * Finds the newest snapshot whose counts can be compared with those of another. One that lacks files of assets is as good as any: its documents are
 * whole. Throws what the reader throws: a `BackupError` that says why nothing could be looked up, and what to do.
 */
export async function findPrevious(reader: Newest, of: Comparable): Promise<PreviousSnapshot> {
  const passedOver: BackupError[] = []
  for await (const each of reader.newestFirst()) {
    if (each instanceof BackupError) passedOver.push(each)
    else if (isComparable(each.manifest, of)) return { manifest: each.manifest, keptUntil: each.keptUntil, passedOver }
  }
  return { manifest: undefined, passedOver }
}
