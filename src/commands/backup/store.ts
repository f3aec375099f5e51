import { artifactDestination } from '../../destinations/artifact/artifact.ts'
import { artifactReader } from '../../destinations/artifact/read.ts'
import { branchDestination } from '../../destinations/branch/branch.ts'
import { openBranch } from '../../destinations/branch/session.ts'
import type { Destination, FinishedSnapshot, Stored } from '../../destinations/destination.ts'
import { directoryDestination } from '../../destinations/directory.ts'
import { BackupError } from '../../errors.ts'
import type { Github } from '../../github/rest.ts'
import { refusePublic } from '../../github/visibility.ts'
import type { BackupInputs } from '../../inputs/backup.ts'
import { unexpected } from '../../report/run-errors.ts'
import type { Runner } from '../../runner.ts'
import { systemError } from '../../snapshot/workshop/system-error.ts'
import { formatDuration } from '../../text.ts'
import type { Tools } from '../../tools.ts'

/** The destinations that a user chose, in the order in which they are tried. Disposing them removes what they keep on the runner. */
export type Destinations = Disposable & {
  readonly all: readonly Destination[]
  /** Where a snapshot goes that lacks files of assets: nowhere but into an artifact, under a name that says so. Undefined without artifacts. */
  readonly incomplete: Destination | undefined
}

/** What destinations are made of. `scratch` is a folder that is gone when the run is. */
type DestinationNeeds = { readonly inputs: BackupInputs; readonly runner: Runner; readonly tools: Tools; readonly scratch: string }

/** Makes the destinations that the inputs name. */
export function openDestinations(needs: DestinationNeeds): Destinations {
  const make = { artifact, directory, branch }
  const chosen = needs.inputs.destinations
  const all = (['artifact', 'directory', 'branch'] as const).filter((kind) => chosen.has(kind)).map((kind) => make[kind](needs))
  const incomplete = chosen.has('artifact') ? incompleteArtifact(needs) : undefined
  return {
    all,
    incomplete,
    [Symbol.dispose]: () => {
      for (const destination of incomplete ? [...all, incomplete] : all) {
        try {
          destination[Symbol.dispose]()
        } catch {
          // What cannot be removed must not hide how the run ended. It lies in the workshop, which the next run removes.
        }
      }
    },
  }
}

function artifact(needs: DestinationNeeds): Destination {
  return artifactNamed(needs.inputs.artifactName, needs)
}

function incompleteArtifact(needs: DestinationNeeds): Destination {
  return artifactNamed(`${needs.inputs.artifactName}-incomplete`, needs)
}

function artifactNamed(name: string, needs: DestinationNeeds): Destination {
  const { inputs, runner, tools } = needs
  const { repository, serverUrl, forge, run } = runner
  return artifactDestination({
    client: tools.artifacts,
    name,
    retentionDays: inputs.retentionDays,
    runAttempt: run?.runAttempt ?? 1,
    runUrl: `${serverUrl}/${repository}/actions/runs/${run?.runId ?? ''}`,
    hasService: runner.hasArtifactService,
    serverUrl,
    forge,
    reader: artifactReader({ repository, name }, github(needs)),
    checkVisibility: async () => await checkVisibility(repository, needs),
    signal: tools.signal,
    wait: tools.wait,
    stopwatch: tools.stopwatch,
  })
}

function directory({ inputs, tools }: DestinationNeeds): Destination {
  const { signal, stopwatch } = tools
  return directoryDestination({ path: inputs.path, source: inputs.source, signal, stopwatch })
}

function branch(needs: DestinationNeeds): Destination {
  const { inputs, runner, tools, scratch } = needs
  const { serverUrl } = runner
  const { projectId, dataset } = inputs.source
  const repository = inputs.repository ?? runner.repository
  const { environment, signal, wait, log, clean, now, stopwatch } = tools
  const session = openBranch({
    remote: { serverUrl: serverUrl.replace(/\/+$/, ''), name: repository, token: inputs.githubToken },
    branch: inputs.branch,
    folder: `${projectId}/${dataset}`,
    history: inputs.keepLast > 0,
    git: { environment, temp: scratch, signal },
    wait,
    log,
  })
  return branchDestination(session, {
    layout: inputs.branchLayout,
    keepLast: inputs.keepLast,
    template: inputs.commitMessage,
    source: inputs.source,
    maxShrinkPercent: inputs.maxShrinkPercent,
    onlyDestination: inputs.destinations.size === 1,
    checkVisibility: async () => await checkVisibility(repository, needs),
    clean,
    now,
    stopwatch,
    log,
  })
}

function github({ inputs, runner, tools }: DestinationNeeds): Github {
  return { ...tools, apiUrl: runner.apiUrl, token: inputs.githubToken }
}

async function checkVisibility(name: string, needs: DestinationNeeds): Promise<void> {
  const { repository, eventPath } = needs.runner
  if (needs.inputs.allowPublic) return
  // The event tells of the repository that the workflow runs in only.
  await refusePublic({ name, eventPath: name === repository ? eventPath : undefined }, github(needs))
}

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
function notKept({ code, title, message, hint }: BackupError, cause: BackupError): BackupError {
  return new BackupError({
    code,
    title,
    message: `${message}\nWhat was saved could not be kept: ${cause.title}: ${cause.message}`,
    hint,
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
      const what = place.kind === 'branch' && place.unchanged ? 'Unchanged, nothing new to store' : 'Stored and read back'
      log.info(`${what}: ${destination.kind}, in ${formatDuration(performance.now() - startedAt)}`)
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

/** What a destination threw, as a known error: an unforeseen one must not hide what the destinations before it hold. */
async function failureOf(thrown: unknown, { signal, path }: { signal: AbortSignal; path: string }): Promise<BackupError> {
  if (thrown instanceof BackupError) return thrown
  if (signal.reason instanceof BackupError) return signal.reason
  return (await systemError(thrown, path)) ?? unexpected(thrown)
}
