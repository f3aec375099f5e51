import { artifactReader } from '../destinations/artifact/read/read.ts'
import { branchReader, commitReader, datasetsOn } from '../destinations/branch/read.ts'
import { openBranch } from '../destinations/branch/session.ts'
import { type Chosen, choose, pickDataset, type WantedSource } from '../destinations/choose.ts'
import { folderReader, mayHold } from '../destinations/folder.ts'
import { BackupError, reworded } from '../errors.ts'
import { isAhead } from '../format/manifest/clock.ts'
import { isoSeconds } from '../format/manifest/snapshot-name.ts'
import type { SnapshotPlace, WhichSnapshot } from '../inputs/which-snapshot.ts'
import type { Runner } from '../runner.ts'
import { plural, quoteOutside } from '../text.ts'
import type { Tools } from '../tools.ts'

/** What finding a snapshot needs beside the inputs. `scratch` is a folder that is gone when the run is. */
export type FindNeeds = { readonly runner: Runner; readonly tools: Tools; readonly scratch: string }

/** A snapshot that was found. Disposing it removes what was kept of it in `scratch`; the `documents` of what was fetched can be read until then. */
export type FoundSnapshot = Chosen & Disposable

/**
 * Finds the snapshot that a user means, and says in the log which one it is, how old it is and where it lies. Throws `snapshot-missing` or
 * `snapshot-invalid` with the cure; `input-invalid` where it would have to guess; and what the place itself says where it cannot be looked at.
 */
export async function findSnapshot(which: WhichSnapshot, source: WantedSource, needs: FindNeeds): Promise<FoundSnapshot> {
  const { log, now } = needs.tools
  using stack = new DisposableStack()
  const chosen = await chooseAt(which, source, { needs, stack })
  for (const { message, hint } of chosen.passedOver) log.warning(`Passed over: ${message} ${hint.replace(ofBackups, '')}`)
  log.info(inWords(chosen, now()))
  requirePast(chosen, now())
  const kept = stack.move()
  return { ...chosen, [Symbol.dispose]: () => kept.dispose() }
}

/** What hints say of the next backup, where a backup looks for the one before. */
const ofBackups = /\s*(The snapshot that is stored now is compared with the next time|It is looked up again the next time)\./

/** Clocks that are wrong by a zone are common, and do no harm here. */
const dayMs = 24 * 60 * 60 * 1000

/** A time that is still to come would make it the newest for ever, and never too old. */
function requirePast({ parts }: Chosen, now: Date): void {
  const ahead = parts.find(({ manifest }) => isAhead(manifest, new Date(now.getTime() + dayMs)))
  if (ahead === undefined) return
  const { snapshot, takenAt } = ahead.manifest
  throw new BackupError({
    code: 'snapshot-invalid',
    title: 'The snapshot is from a time that is still to come',
    message: `The snapshot ${quoteOutside(snapshot, 200)}, ${ahead.where}, says that it was taken at ${quoteOutside(takenAt, 40)}. The clock of this runner says ${isoSeconds(now)}.`,
    hint: 'See which clock is wrong: that of this runner, or of the one that made the snapshot. If neither is, find out who changed the manifest. With `at` an older one is taken.',
  })
}

type Making = { readonly needs: FindNeeds; readonly stack: DisposableStack }

async function chooseAt(which: WhichSnapshot, source: WantedSource, making: Making): Promise<Chosen> {
  const { place } = which
  if (place.kind === 'directory') return await chooseInFolder(which, place, { source, making })
  if (place.kind === 'artifact') return await chooseArtifact(which, place, { source, making })
  return await chooseOnBranch(which, place, { source, making }).catch((error: unknown) => {
    throw error instanceof BackupError ? inWordsOfReading(error) : error
  })
}

async function chooseInFolder({ at }: WhichSnapshot, { path }: Place<'directory'>, { source, making }: Choosing): Promise<Chosen> {
  const { projectId, dataset } = source
  const named = projectId !== undefined && dataset !== undefined ? { projectId, dataset } : undefined
  // A broken snapshot of another dataset is somebody else's trouble.
  const reader = folderReader(path, {
    signal: making.needs.tools.signal,
    ...(named ? { suspect: (name: string) => mayHold(name, named) } : {}),
  })
  return await choose(reader, { source, at, mixed: true })
}

/** Errors of branches ask for the rights of a backup. Less is enough here. */
function inWordsOfReading(error: BackupError): BackupError {
  const hint = error.hint
    .replace('`permissions: contents: write`', '`permissions: contents: read`')
    .replace(/may (read and )?write there(: the workflow’s own token cannot)?/, 'may read it')
    .replace(' A repository that is archived takes nothing.', '')
  return hint === error.hint ? error : reworded(error, { hint })
}

type Choosing = { readonly source: WantedSource; readonly making: Making }

/** How many artifacts are looked into until one is that of the dataset, or of the time. */
const mostArtifacts = 2000

type Place<Kind> = Extract<SnapshotPlace, { readonly kind: Kind }>

async function chooseArtifact(
  { at, githubToken }: WhichSnapshot,
  { name, runId }: Place<'artifact'>,
  { source, making }: Choosing,
): Promise<Chosen> {
  const { runner, tools } = making.needs
  const { repository, serverUrl, apiUrl } = runner
  const { http, wait, signal } = tools
  const place = {
    repository,
    name: name ?? defaultName(source),
    withShards: true,
    what: 'a snapshot',
    most: mostArtifacts,
    pages: `${serverUrl}/${repository}`,
  }
  const github = { apiUrl, token: githubToken, http, wait, signal }
  const ofRun = (id: string | undefined) => (id === undefined ? place : { ...place, runId: id })
  const reader = artifactReader({ ...ofRun(runId), before: at }, github)
  let siblings = reader
  const chosen = await choose(reader, { source, at, mixed: false }, ({ manifest }) => {
    siblings = artifactReader(ofRun(runOf(manifest, repository) ?? runId), github)
    return siblings
  })
  if (chosen.parts.length < (chosen.shards ?? 1))
    for (const words of siblings.passedSince(new Date(0))) tools.log.warning(`Shards of the snapshot are missing: ${words}.`)
  for (const words of reader.passedSince(new Date(chosen.main.manifest.takenAt)))
    tools.log.info(`Newer artifacts that do not count: ${words}.`)
  return chosen
}

/** How many commits of a branch are looked at until one holds a snapshot of the time: the nights of many years. */
const mostCommits = 5000

async function chooseOnBranch({ at, githubToken }: WhichSnapshot, place: Place<'branch'>, { source, making }: Choosing): Promise<Chosen> {
  const { runner, tools, scratch } = making.needs
  const { environment, signal, wait, log } = tools
  const remote = { serverUrl: runner.serverUrl.replace(/\/+$/, ''), name: place.repository ?? runner.repository, token: githubToken }
  const open = (folder: string) =>
    making.stack.use(
      openBranch({ remote, branch: place.branch, folder, history: false, git: { environment, temp: scratch, signal }, wait, log }),
    )
  const named = source.projectId !== undefined && source.dataset !== undefined ? open(`${source.projectId}/${source.dataset}`) : undefined
  const folder = pickDataset(await datasetsOn(named ?? open(''), place.commit), source)
  const session = named ?? open(folder)
  const reader =
    place.commit === undefined
      ? branchReader(session, { most: mostCommits, what: 'snapshot of this dataset' })
      : commitReader(session, place.commit)
  const [projectId, dataset] = session.needs.folder.split('/')
  return await choose(reader, { source: { projectId, dataset }, at, mixed: false })
}

/** The workflow run of this repository that made a snapshot; undefined for one that came here from elsewhere. */
function runOf({ run }: Chosen['main']['manifest'], repository: string): string | undefined {
  return run?.repository === repository && /^\d{1,15}$/.test(run.runId) ? run.runId : undefined
}

/** The name that a backup gives by itself. */
function defaultName({ projectId, dataset }: WantedSource): string {
  if (projectId !== undefined && dataset !== undefined) return `sanity-${projectId}-${dataset}`
  throw new BackupError({
    code: 'input-invalid',
    title: 'An input is missing',
    message: 'Where the snapshot lies is not said, and for the artifact of that dataset the project id and the dataset are needed.',
    hint: 'Give the project id and the dataset, or one of `path`, `artifact-name` and `branch`.',
  })
}

/** `The snapshot is abc12345-production-…, taken 3 hours ago, in the folder "…".` */
function inWords({ main, parts, shards }: Chosen, now: Date): string {
  const { snapshot, takenAt } = main.manifest
  const set = shards === undefined ? '' : `, ${parts.length} of its ${plural(shards, 'shard')}`
  return `The snapshot is ${quoteOutside(snapshot, 200)}${set}, taken ${ageInWords(takenAt, now)} (${quoteOutside(takenAt, 40)}), ${main.where}.`
}

/** `3 hours ago` */
function ageInWords(takenAt: string, now: Date): string {
  const minutes = Math.floor((now.getTime() - Date.parse(takenAt)) / 60_000)
  if (!(minutes >= 1)) return 'just now'
  if (minutes < 120) return `${plural(minutes, 'minute')} ago`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${plural(hours, 'hour')} ago` : `${plural(Math.floor(hours / 24), 'day')} ago`
}
