import type { Stored } from '../../destinations/destination.ts'
import type { BackupError } from '../../errors.ts'
import type { Manifest } from '../../format/manifest/manifest.ts'
import type { Stopwatch } from '../../stopwatch.ts'
import type { SavedDocuments } from '../documents/save.ts'
import type { MissingAssets } from './assets/missing.ts'
import type { Comparison } from './guards.ts'

/** How a backup ended that stored something. */
export type BackupOutcome = StoredAs & {
  readonly stored: readonly Stored[]
  readonly documents: SavedDocuments
  /** The assets that are missing. */
  readonly missed: MissingAssets
  readonly compared: Comparison
  /** How long the whole run took, in milliseconds. */
  readonly durationMs: number
  readonly stages: StageTimes
  /** Why the run fails although something was stored: files of assets are missing, or one destination failed and another one did not. */
  readonly failure: BackupError | undefined
  /** Takes the snapshot folder away again, if it was left for the next step. */
  readonly withdraw: () => void
}

/** The snapshot as it is stored. */
export type StoredAs = {
  /** `unchanged`: nothing new was stored anywhere, because the branch held the same documents and assets already, or a newer snapshot. */
  readonly status: 'stored' | 'unchanged'
  /** Of the snapshot that was stored, or else of the one that was there already. */
  readonly manifest: Manifest
  /** All files of the snapshot, as they are stored; undefined where one that lies there already does not tell. */
  readonly sizeBytes: number | undefined
  /** Of the data file as it is stored; undefined where each document has a file of its own. */
  readonly digest: string | undefined
}

/** The snapshot as it is stored: `written`, unless it lies on a branch alone, where it is in other files. */
export function storedAs(stored: readonly Stored[], written: Omit<StoredAs, 'status'>): StoredAs {
  const [place, ...others] = stored
  if (place?.kind !== 'branch' || others.length > 0) return { ...written, status: 'stored' }
  const { manifest, sizeBytes, digest, unchanged } = place
  return { status: unchanged ? 'unchanged' : 'stored', manifest, sizeBytes, digest }
}

/**
 * How long the stages took that one waits for, in milliseconds. `downloadMs` is the time in which there was nothing to do but wait for Sanity,
 * `compressMs` the rest of the export: reading, checking and compressing what had come; `assetsMs` the time after it until all files of assets were
 * there.
 */
export type StageTimes = {
  readonly downloadMs: number
  readonly compressMs: number
  readonly assetsMs: number
  readonly uploadMs: number
  readonly verifyMs: number
}

type MeasuredTimes = Pick<SavedDocuments, 'exportMs' | 'waitedMs'> & { readonly storeMs: number }

/** Divides the time that the export and the storing took into stages, by what was waited for meanwhile. */
export function stageTimes({ exportMs, waitedMs, storeMs }: MeasuredTimes, { totalMs }: Pick<Stopwatch, 'totalMs'>): StageTimes {
  const verifyMs = totalMs('verify')
  const left = (allMs: number, partMs: number) => Math.max(0, allMs - partMs)
  return {
    downloadMs: waitedMs,
    compressMs: left(exportMs, waitedMs),
    assetsMs: totalMs('assets'),
    uploadMs: left(storeMs, verifyMs),
    verifyMs,
  }
}
