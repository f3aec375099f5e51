import { BackupError } from '../../errors.ts'
import { manifestFile } from '../../format/manifest/manifest.ts'
import type { Git } from '../../git/command.ts'
import { fetchPast } from '../../git/history/past.ts'
import { entriesAt, entriesIn, fileMode, objectName } from '../../git/objects/objects.ts'
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
    const paths: string[] = []
    for (const project of await foldersIn(git, at)) {
      for (const dataset of await foldersIn(git, `${at}:${project}`)) paths.push(`${project}/${dataset}/${manifestFile}`)
    }
    const entries = paths.length === 0 ? [] : await entriesAt(git, at, paths.slice(0, mostDatasets))
    return entries.filter(({ mode }) => mode === fileMode).map(({ path }) => path.slice(0, -manifestFile.length - 1))
  })
}

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

function foundAtTip(session: BranchSession, { commit, manifest, manifestBytes, unreadable }: BranchTip): Found | BackupError | undefined {
  if (commit === undefined || manifest === undefined || manifestBytes === undefined) return unreadable
  return foundAt(session, commit, { manifest, manifestBytes })
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
  const found: (Found | BackupError)[] = []
  for await (const { commit, content: manifestBytes } of versions) {
    if (objectName('blob', manifestBytes) === tip.before.get(manifestFile)) continue
    const manifest = manifestOrReason(manifestBytes, 'on the branch')
    found.push(manifest instanceof BackupError ? manifest : foundAt(session, commit, { manifest, manifestBytes }))
  }
  // A slow run's snapshot lies above the one that was taken after it.
  yield* found.toSorted((a, b) => takenMs(b) - takenMs(a))
  if (!all) yield notAllSeen(branch, most)
}

/** One that cannot be read may be the newest. */
function takenMs(each: Found | BackupError): number {
  return each instanceof BackupError ? Number.POSITIVE_INFINITY : Date.parse(each.manifest.takenAt)
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
