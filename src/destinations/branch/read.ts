import { BackupError } from '../../errors.ts'
import { documentsFolder } from '../../format/branch-layout.ts'
import { manifestFile } from '../../format/manifest/manifest.ts'
import type { Git } from '../../git/command.ts'
import { fetchPast } from '../../git/history/past.ts'
import { entriesAt, entriesIn, objectName } from '../../git/objects/objects.ts'
import type { Repository } from '../../git/repository.ts'
import { fetchCommit } from '../../git/server/remote.ts'
import { manifestOrReason } from '../../snapshot/read/newest-first.ts'
import { quoteOutside } from '../../text.ts'
import type { Found, SnapshotReader } from '../destination.ts'
import { fetchFiles } from './fetch.ts'
import { asking, type BranchSession, currentState, inGitWords, openAnother, repositoryOf } from './session.ts'
import { type BranchTip, readTip } from './tip.ts'

/** How many commits are looked at, the newest first: those of other datasets and of other people are among them. */
const mostCommits = 500

/** `what`: what is looked for, for the words where it is not there. */
type Looking = { readonly most?: number; readonly what?: string }

/**
 * Reads the snapshots of the session's dataset: the one at the tip of the branch, then those in its history, the newest first by the time when they were
 * taken. Of those in the history that cannot be read the reasons come first. The history is fetched only when it is wanted, and of its files only the
 * manifests.
 */
export function branchReader(
  session: BranchSession,
  { most = mostCommits, what = 'earlier snapshot of this dataset with the same filters' }: Looking = {},
): SnapshotReader {
  const name = quoteOutside(session.needs.branch)
  return {
    newestFirst: async function* () {
      const { tip } = await currentState(session)
      if (tip.commit === undefined) return
      const newest = foundAtTip(session, tip)
      if (newest !== undefined) yield newest
      yield* snapshotsBelow(session, { tip, most })
    },
    whyNone: async () => {
      const { tip } = await currentState(session)
      return tip.commit === undefined ? `there is no branch "${name}" yet` : `the branch "${name}" holds no ${what}`
    },
  }
}

/** Reads the snapshot at one commit of the branch, and no other. Throws `snapshot-missing` if the branch does not hold that commit. */
export function commitReader(session: BranchSession, commit: string): SnapshotReader {
  return {
    newestFirst: async function* () {
      const { git } = await checkHeld(session, commit)
      const found = foundAtTip(session, await inGitWords(session, () => readTip(git, commit, session.needs.folder)))
      if (found !== undefined) yield found
    },
    whyNone: async () => `the commit ${commit} holds no snapshot of this dataset`,
  }
}

/** The datasets that have snapshots at the tip of the branch, or at one of its commits, as `<project id>/<dataset>`. */
export async function datasetsOn(session: BranchSession, commit: string | undefined): Promise<string[]> {
  const { tip } = await currentState(session)
  const at = commit ?? tip.commit
  if (at === undefined) return []
  const { git } = commit === undefined ? await repositoryOf(session) : await checkHeld(session, commit)
  return await inGitWords(session, async () => {
    const folders: string[] = []
    for (const project of await foldersIn(git, at)) {
      for (const dataset of await foldersIn(git, `${at}:${project}`)) folders.push(`${project}/${dataset}`)
    }
    const paths = folders.slice(0, mostDatasets).flatMap((folder) => signs.map((sign) => `${folder}/${sign}`))
    const entries = paths.length === 0 ? [] : await entriesAt(git, at, paths)
    return [...new Set(entries.map(({ path }) => path.split('/').slice(0, 2).join('/')))]
  })
}

/** What tells the folder of a dataset from other folders. One that has lost its manifest is still one: none of another is taken in its place. */
const signs = [
  manifestFile,
  documentsFolder,
  ...['gz', 'zst', 'gz.age', 'zst.age'].flatMap((end) => [`data.ndjson.${end}`, `data.ndjson.${end}.001`]),
]

const mostDatasets = 1000

/** Those whose names may be those of projects and datasets. */
async function foldersIn(git: Git, tree: string): Promise<string[]> {
  return (await entriesIn(git, tree))
    .filter(({ type, path }) => type === 'tree' && /^[A-Za-z0-9][\w-]{0,63}$/.test(path))
    .map(({ path }) => path)
}

/** Fetches the commit, without the content of files. The server hands out commits of forks too, and of what was taken off the branch. */
async function checkHeld(session: BranchSession, commit: string): Promise<Repository> {
  const repository = await repositoryOf(session)
  const { branch } = session.needs
  const held = await asking(session, async () => {
    using history = await openAnother(session)
    const tip = await fetchCommit(history.git, session.url, { ref: `refs/heads/${branch}`, filter: 'tree:0' })
    return tip !== undefined && (await history.offline.attempt(['merge-base', '--is-ancestor', commit, tip])).exitCode === 0
  })
  if (!held) throw notOnBranch(commit, branch)
  await asking(session, () => fetchCommit(repository.git, session.url, { ref: commit, depth: 1, filter: 'blob:none' }))
  return repository
}

/** Files without a manifest are no snapshot that was never finished: a commit has all of it. */
function foundAtTip(session: BranchSession, tip: BranchTip): Found | BackupError | undefined {
  const { commit, manifest, manifestBytes, unreadable, before } = tip
  if (commit === undefined || unreadable !== undefined || before.size === 0) return unreadable
  if (manifest !== undefined && manifestBytes !== undefined) return ofItsFolder(session, commit, { manifest, manifestBytes })
  const why = before.has(manifestFile) ? `Its ${manifestFile} is not an ordinary file.` : `Its folder holds files, and no ${manifestFile}.`
  return unreadableFor(session, why)
}

/** The snapshot at a commit; the reason why it cannot be trusted where its folder is that of another dataset. */
function ofItsFolder(session: BranchSession, commit: string, read: Pick<Found, 'manifest' | 'manifestBytes'>): Found | BackupError {
  const { projectId, dataset } = read.manifest.source
  const { folder } = session.needs
  if (`${projectId}/${dataset}` === folder) return foundAt(session, commit, read)
  const named = quoteOutside(`${projectId}/${dataset}`, 150)
  return unreadableFor(
    session,
    `It lies in the folder of "${quoteOutside(folder, 150)}", and its ${manifestFile} says that it is of "${named}".`,
  )
}

function unreadableFor({ needs: { branch } }: BranchSession, why: string): BackupError {
  return new BackupError({
    code: 'snapshot-invalid',
    title: 'An earlier snapshot cannot be read',
    message: `The earlier snapshot on the branch cannot be read. ${why}`,
    hint: `See in the history of the branch "${quoteOutside(branch)}" which commit changed the folder, and who made it. The snapshot that is stored now is compared with the next time.`,
  })
}

function foundAt(session: BranchSession, commit: string, read: Pick<Found, 'manifest' | 'manifestBytes'>): Found {
  const { branch, folder, remote } = session.needs
  return {
    ...read,
    where: `at the commit ${commit.slice(0, 12)} of the branch "${quoteOutside(branch)}" of ${quoteOutside(remote.name, 200)}`,
    link: `${remote.serverUrl}/${remote.name}/tree/${commit}/${folder}`,
    fetch: async (into, { level }) => await fetchFiles(session, { commit, ...read }, { into, level }),
  }
}

/** Reads the manifests in the history of the branch, all but the one at its tip. */
async function* snapshotsBelow(
  session: BranchSession,
  { tip, most }: { readonly tip: BranchTip; readonly most: number },
): AsyncGenerator<Found | BackupError> {
  const { branch, folder } = session.needs
  const file = { url: session.url, branch, path: `${folder}/${manifestFile}`, commits: most }
  using repository = await openAnother(session)
  const { versions, all } = await asking(session, () => fetchPast(repository, file))
  const found: { readonly each: Found | BackupError; readonly takenMs: number }[] = []
  for await (const { commit, content: manifestBytes } of versions) {
    if (objectName('blob', manifestBytes) === tip.before.get(manifestFile)) continue
    const manifest = manifestOrReason(manifestBytes, 'on the branch')
    if (manifest instanceof BackupError) found.push({ each: manifest, takenMs: Number.POSITIVE_INFINITY })
    else found.push({ each: ofItsFolder(session, commit, { manifest, manifestBytes }), takenMs: Date.parse(manifest.takenAt) })
  }
  // A slow run's snapshot lies above the one that was taken after it. One that cannot be read may be the newest.
  for (const { each } of found.toSorted((a, b) => b.takenMs - a.takenMs)) yield each
  if (!all) yield notAllSeen(branch, most)
}

function notAllSeen(branch: string, most: number): BackupError {
  return new BackupError({
    code: 'branch-rejected',
    title: 'Not all earlier snapshots were looked at',
    message: `None of the last ${most} commits of the branch "${quoteOutside(branch)}" holds a snapshot of this dataset with the same filters, and older ones were not looked at.`,
    hint: 'Store each selection of a dataset on a `branch` of its own. The snapshot that is stored now is compared with the next time.',
  })
}

function notOnBranch(commit: string, branch: string): BackupError {
  return new BackupError({
    code: 'snapshot-missing',
    title: 'The branch does not hold this commit',
    message: `The commit ${commit} is not in the history of the branch "${quoteOutside(branch)}".`,
    hint: 'Copy the SHA from the branch’s list of commits. With `keep-last` a backup writes the history anew, and the commits that stay get other SHAs.',
  })
}
