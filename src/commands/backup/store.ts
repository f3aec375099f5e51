import type { Destination, FinishedSnapshot, Stored } from '../../destinations/destination.ts'
import { BackupError, reworded } from '../../errors.ts'
import { unexpected } from '../../report/run-errors.ts'
import { systemError } from '../../snapshot/workshop/system-error.ts'
import { formatDuration } from '../../text.ts'
import type { Tools } from '../../tools.ts'

/**
 * Where a snapshot is stored. `missingError` says which files of assets it lacks, if the run fails because of them; `path` is where snapshots lie on
 * the runner, for the words of an error.
 */
export type StoreNeeds = {
  readonly destinations: readonly Destination[]
  readonly missingError: BackupError | undefined
  readonly path: string
}

type StoreTools = Pick<Tools, 'log' | 'signal'>

/** What came of storing. `failure` ends the run although something was stored. */
export type Storing = { readonly stored: readonly Stored[]; readonly failure: BackupError | undefined; readonly storeMs: number }

/** Prepares and stores a finished snapshot at all destinations. Throws if it can be stored at none, or if one refuses it beforehand. */
export async function storeSnapshot(
  snapshot: FinishedSnapshot,
  { destinations, missingError, path }: StoreNeeds,
  { log, signal }: StoreTools,
): Promise<Storing> {
  for (const destination of destinations) await destination.prepare(snapshot)
  const startedAt = performance.now()
  try {
    const { stored, failure } = await storeEverywhere(destinations, snapshot, { log, signal, path })
    return { stored, failure: missingError ?? failure, storeMs: performance.now() - startedAt }
  } catch (error) {
    throw missingError && error instanceof BackupError && !signal.aborted ? notKept(missingError, error) : error
  }
}

/** The error for files that are missing from a snapshot that could not be kept either. */
function notKept(error: BackupError, cause: BackupError): BackupError {
  return reworded(error, {
    message: `${error.message}
What was saved could not be kept: ${cause.title}: ${cause.message}`,
    cause,
  })
}

/**
 * Stores at one destination after the other. One that fails does not keep the others from being tried, unless the run was cancelled; `failure` is
 * the first error. Throws it if nothing was stored.
 */
export async function storeEverywhere(
  destinations: readonly Destination[],
  snapshot: FinishedSnapshot,
  { log, signal, path }: StoreTools & { readonly path: string },
): Promise<Omit<Storing, 'storeMs'>> {
  const stored: Stored[] = []
  let failure: BackupError | undefined
  for (const [index, destination] of destinations.entries()) {
    const startedAt = performance.now()
    try {
      signal.throwIfAborted()
      const place = await destination.store(snapshot)
      stored.push(place)
      log.info(`${whatBecame(place)}: ${destination.kind}, in ${formatDuration(performance.now() - startedAt)}`)
    } catch (thrown) {
      const error = await failureOf(thrown, { signal, path })
      failure ??= error
      if (signal.aborted) break
      // The first failure is the run's own, and is shown at its end.
      if (error !== failure) log.warning(`${error.title}: ${error.message}`)
      else if (index < destinations.length - 1) log.info(`${error.title}. The other destinations are tried all the same.`)
    }
  }
  if (stored.length === 0 && failure) throw failure
  return { stored, failure }
}

function whatBecame(place: Stored): string {
  if (place.kind === 'branch' && place.notKept) return 'Not kept, a newer snapshot is there'
  return place.kind === 'branch' && place.unchanged ? 'Unchanged, nothing new to store' : 'Stored and read back'
}

/** What a destination threw, as a known error: an unforeseen one must not hide what the destinations before it hold. */
async function failureOf(thrown: unknown, { signal, path }: { signal: AbortSignal; path: string }): Promise<BackupError> {
  if (thrown instanceof BackupError) return thrown
  if (signal.reason instanceof BackupError) return signal.reason
  return (await systemError(thrown, path)) ?? unexpected(thrown)
}
