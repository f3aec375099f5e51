import { artifactDestination, keepAsArtifact } from '../destinations/artifact/artifact.ts'
import { artifactReader } from '../destinations/artifact/read/read.ts'
import { branchDestination } from '../destinations/branch/branch.ts'
import { openBranch } from '../destinations/branch/session.ts'
import type { Destination } from '../destinations/destination.ts'
import { directoryDestination } from '../destinations/directory.ts'
import { messageOf } from '../errors.ts'
import type { Github } from '../github/rest.ts'
import { refusePublic } from '../github/visibility.ts'
import type { BackupInputs } from '../inputs/backup.ts'
import type { Runner } from '../runner.ts'
import type { Tools } from '../tools.ts'

/** The destinations that a user chose, in the order in which they are tried. Disposing them removes what they keep on the runner. */
export type Destinations = Disposable & {
  readonly all: readonly Destination[]
  /** Where a snapshot goes that lacks files of assets: nowhere but into an artifact, under a name that says so. Undefined without artifacts. */
  readonly incomplete: Destination | undefined
}

/** What destinations are made of. `scratch` is a folder that is gone when the run is. */
type DestinationNeeds = { readonly inputs: BackupInputs; readonly runner: Runner; readonly tools: Tools; readonly scratch: string }

/** What an artifact is made of. */
export type ArtifactNeeds = Omit<DestinationNeeds, 'inputs' | 'scratch'> & {
  readonly inputs: Pick<BackupInputs, 'retentionDays' | 'githubToken' | 'allowPublic' | 'encryptTo'>
}

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

/** An artifact under this name, or under the one that a repeated run gives it. */
export function artifactNamed(name: string, needs: ArtifactNeeds): Destination {
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

type KeepNeeds = Omit<ArtifactNeeds, 'inputs'> & {
  readonly inputs: Pick<BackupInputs, 'githubToken' | 'allowPublic'>
  readonly folder: string
  readonly name: string
}

/**
 * Keeps the files of a folder as an artifact, where there is a service for that, and gives its name. They hold ids of documents, so a public repository keeps
 * them only if it may. A failure is only a warning: they lie on the runner.
 */
export async function keepFiles({ inputs, runner, tools, folder, name }: KeepNeeds): Promise<string | undefined> {
  if (!runner.hasArtifactService || runner.forge !== 'github') return undefined
  try {
    const { artifacts: client, signal, wait } = tools
    await checkVisibility(runner.repository, { inputs: { ...inputs, retentionDays: undefined, encryptTo: undefined }, runner, tools })
    return await keepAsArtifact(folder, { client, name, runAttempt: runner.run?.runAttempt ?? 1, signal, wait })
  } catch (error) {
    tools.log.warning(`The plan and the journal could not be kept as an artifact (${messageOf(error)}). They lie in "${folder}".`)
    return undefined
  }
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

function github({ inputs, runner, tools }: ArtifactNeeds): Github {
  const { http, wait, signal } = tools
  return { apiUrl: runner.apiUrl, token: inputs.githubToken, http, wait, signal }
}

async function checkVisibility(name: string, needs: ArtifactNeeds): Promise<void> {
  const { repository, eventPath } = needs.runner
  // What only the holders of a key can read may lie where everybody can fetch it.
  if (needs.inputs.allowPublic || needs.inputs.encryptTo !== undefined) return
  // The event tells of the repository that the workflow runs in only.
  await refusePublic({ name, eventPath: name === repository ? eventPath : undefined }, github(needs))
}
