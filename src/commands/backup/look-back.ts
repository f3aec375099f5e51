import type { Destination } from '../../destinations/destination.ts'
import { findPrevious, type PreviousSnapshot } from '../../destinations/find-previous.ts'
import { BackupError } from '../../errors.ts'
import type { Comparable } from '../../format/compare.ts'
import type { StoredManifest } from '../../format/manifest/manifest.ts'
import { unlessAborted } from '../../streams/abort.ts'

/** The newest snapshot that lies at a destination, shown when a run has failed. */
export type LastGood = { readonly manifest: StoredManifest; readonly keptUntil: string | undefined }

/** What lies at the destinations from earlier runs. Each is looked at once a run. */
export type LookBack = {
  /** The previous snapshot at a destination. Throws what its reader throws, each time that it is asked. */
  readonly at: (destination: Destination) => Promise<PreviousSnapshot>
  /** The last good snapshot, after a run that failed; undefined if none is found, or none can be looked up without harm. Never throws. */
  readonly lastGood: (error: unknown, signal: AbortSignal) => Promise<LastGood | undefined>
}

/** A failed run must not wait long for a place that gives no answer. */
const answerMs = 5000

/** Makes a {@link LookBack} for snapshots that can be compared with `of`. */
export function lookBack(destinations: readonly Destination[], of: Comparable): LookBack {
  const looked = new Map<Destination, Promise<PreviousSnapshot>>()
  const at = async (destination: Destination): Promise<PreviousSnapshot> => {
    const looking = looked.get(destination) ?? findPrevious(destination.reader, of)
    looked.set(destination, looking)
    return await looking
  }
  // A branch that was not looked at yet would have to be fetched: too much for a run that has failed already.
  const isCheap = (destination: Destination) => destination.kind !== 'branch' || looked.has(destination)
  return {
    at,
    lastGood: async (error, signal) => {
      if (signal.aborted || (error instanceof BackupError && error.code === 'input-invalid')) return undefined
      const enough = AbortSignal.any([signal, AbortSignal.timeout(answerMs)])
      const found = await Promise.all(
        destinations.filter(isCheap).map((destination) => unlessAborted(at(destination), enough).catch(() => undefined)),
      )
      return newestOf(found)
    },
  }
}

function newestOf(found: readonly (PreviousSnapshot | undefined)[]): LastGood | undefined {
  const good = found.flatMap((each) => (each?.manifest ? [{ manifest: each.manifest, keptUntil: each.keptUntil }] : []))
  return good.toSorted((a, b) => Date.parse(b.manifest.takenAt) - Date.parse(a.manifest.takenAt))[0]
}
