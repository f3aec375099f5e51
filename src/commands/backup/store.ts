import { artifactDestination } from '../../destinations/artifact/artifact.ts'
import { artifactReader } from '../../destinations/artifact/read.ts'
import { branchDestination } from '../../destinations/branch/branch.ts'
import { openBranch } from '../../destinations/branch/session.ts'
import type { Destination, FinishedSnapshot, Stored } from '../../destinations/destination.ts'
import { directoryDestination } from '../../destinations/directory.ts'
import { BackupError } from '../../errors.ts'
import type { Github } from '../../github/rest.ts'
import { refusePublic } from '../../github/visibility.ts'
import type { Inputs } from '../../inputs/backup.ts'
import { unexpected } from '../../report/run-errors.ts'
import type { Runner } from '../../runner.ts'
import { systemError } from '../../snapshot/workshop/system-error.ts'
import { formatDuration } from '../../text.ts'
import type { Tools } from '../../tools.ts'

/** The destinations that a user chose, in the order in which they are tried. Disposing them removes what they keep on the runner. */
export type Destinations = Disposable & { readonly all: readonly Destination[] }

/** The tools, and a folder that is gone when the run is. */
type Means = Tools & { readonly scratch: string }

/** Makes the destinations that the inputs name. */
export function openDestinations(inputs: Inputs, runner: Runner, tools: Means): Destinations {
  const make = { artifact, directory, branch }
  const all = (['artifact', 'directory', 'branch'] as const)
    .filter((kind) => inputs.destinations.has(kind))
    .map((kind) => make[kind](inputs, runner, tools))
  return {
    all,
    [Symbol.dispose]: () => {
      for (const destination of all) {
        try {
          destination[Symbol.dispose]()
        } catch {
          // What cannot be removed must not hide how the run ended. It lies in the workshop, which the next run removes.
        }
      }
    },
  }
}

function artifact(inputs: Inputs, runner: Runner, tools: Tools): Destination {
  const { repository, serverUrl, forge, run } = runner
  return artifactDestination({
    client: tools.artifacts,
    name: inputs.artifactName,
    retentionDays: inputs.retentionDays,
    runAttempt: run?.runAttempt ?? 1,
    runUrl: `${serverUrl}/${repository}/actions/runs/${run?.runId ?? ''}`,
    hasService: runner.hasArtifactService,
    serverUrl,
    forge,
    reader: artifactReader({ repository, name: inputs.artifactName }, github({ inputs, runner, tools })),
    checkVisibility: async () => await checkVisibility(repository, { inputs, runner, tools }),
    signal: tools.signal,
    wait: tools.wait,
    stopwatch: tools.stopwatch,
  })
}

function directory(inputs: Inputs, _runner: Runner, { signal, stopwatch }: Tools): Destination {
  return directoryDestination({ path: inputs.path, source: inputs.source, signal, stopwatch })
}

function branch(inputs: Inputs, runner: Runner, tools: Means): Destination {
  const { serverUrl } = runner
  const { projectId, dataset } = inputs.source
  const repository = inputs.repository ?? runner.repository
  const { environment, signal, scratch, wait, log, clean, now, stopwatch } = tools
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
    checkVisibility: async () => await checkVisibility(repository, { inputs, runner, tools }),
    clean,
    now,
    stopwatch,
    log,
  })
}

type Asked = { readonly inputs: Inputs; readonly runner: Runner; readonly tools: Tools }

function github({ inputs, runner, tools }: Asked): Github {
  return { ...tools, apiUrl: runner.apiUrl, token: inputs.githubToken }
}

async function checkVisibility(name: string, asked: Asked): Promise<void> {
  const { repository, eventPath } = asked.runner
  if (asked.inputs.allowPublic) return
  // The event tells of the repository that the workflow runs in only.
  await refusePublic({ name, eventPath: name === repository ? eventPath : undefined }, github(asked))
}

/** Stores at one destination after the other. One that fails does not keep the others from being tried, unless the run was cancelled. */
export async function storeEverywhere(
  destinations: readonly Destination[],
  snapshot: FinishedSnapshot,
  { log, signal, path }: Pick<Tools, 'log' | 'signal'> & { readonly path: string },
): Promise<{ stored: Stored[]; failure: BackupError | undefined }> {
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
      // The first failure is told at the end, as the run's own.
      if (error !== failure) log.warning(`${error.title}: ${error.message}`)
      else if (index < destinations.length - 1) log.info(`${error.title}. The other destinations are tried all the same.`)
    }
  }
  if (stored.length === 0 && failure) throw failure
  return { stored, failure }
}

/** Whatever a destination throws: what the ones before hold must not be lost with it. */
async function failureOf(thrown: unknown, { signal, path }: { signal: AbortSignal; path: string }): Promise<BackupError> {
  if (thrown instanceof BackupError) return thrown
  if (signal.reason instanceof BackupError) return signal.reason
  return (await systemError(thrown, path)) ?? unexpected(thrown)
}
