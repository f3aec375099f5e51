import type { Stopwatch } from '../../stopwatch.ts'
import type { SavedDocuments } from './documents/save.ts'

/**
 * How long the stages took that one waits for. `downloadMs` is the time in which there was nothing to do but wait for Sanity, `compressMs` the
 * rest of the export: reading, checking and compressing what had come; `assetsMs` the time after it until all files of assets were there.
 */
export type Stages = {
  readonly downloadMs: number
  readonly compressMs: number
  readonly assetsMs: number
  readonly uploadMs: number
  readonly verifyMs: number
}

/** Tells the stages apart, from the time that the export and the storing took in all, and what was waited for meanwhile. */
export function stagesOf(
  { exportMs, waitedMs }: SavedDocuments,
  { storeMs, totalMs }: { storeMs: number; totalMs: Stopwatch['totalMs'] },
): Stages {
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
