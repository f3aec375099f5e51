import { BackupError } from '../../errors.ts'
import { manifestFile, type StoredManifest } from '../../format/manifest.ts'
import { fetchPast } from '../../git/history/past.ts'
import { objectName } from '../../git/objects/objects.ts'
import { manifestOrReason } from '../../snapshot/read/newest-first.ts'
import { quoteOutside } from '../../text.ts'
import type { Found, SnapshotReader } from '../destination.ts'
import { asking, type BranchSession, currentState, openAnother } from './session.ts'
import type { BranchTip } from './tip.ts'

/** How many commits are looked at, the newest first: those of other datasets and of other people are among them. */
const mostCommits = 500

/**
 * Reads the snapshots of the session's dataset: the one at the tip of the branch, then those in its history, the newest first by the time when they were
 * taken. Of those in the history that cannot be read the reasons come first. The history is fetched only when it is wanted, and of its files only the
 * manifests.
 */
export function branchReader(session: BranchSession): SnapshotReader {
  const name = quoteOutside(session.needs.branch)
  return {
    newestFirst: async function* () {
      const { tip } = await currentState(session)
      if (tip.commit === undefined) return
      const newest = tip.manifest ?? tip.unreadable
      if (newest !== undefined) yield foundOf(newest)
      for await (const each of snapshotsBelow(session, tip)) yield foundOf(each)
    },
    whyNone: async () => {
      const { tip } = await currentState(session)
      return tip.commit === undefined
        ? `there is no branch "${name}" yet`
        : `the branch "${name}" holds no earlier snapshot of this dataset with the same filters`
    },
  }
}

function foundOf(read: StoredManifest | BackupError): Found | BackupError {
  return read instanceof BackupError ? read : { manifest: read }
}

/** Reads the manifests in the history of the branch, all but the one at its tip. */
async function* snapshotsBelow(session: BranchSession, tip: BranchTip): AsyncGenerator<StoredManifest | BackupError> {
  const { branch, folder } = session.needs
  const file = { url: session.url, branch, path: `${folder}/${manifestFile}`, commits: mostCommits }
  using repository = await openAnother(session)
  const { versions, all } = await asking(session, () => fetchPast(repository, file))
  const found: (StoredManifest | BackupError)[] = []
  for await (const bytes of versions) {
    if (objectName('blob', bytes) !== tip.before.get(manifestFile)) found.push(manifestOrReason(bytes, 'on the branch'))
  }
  // A slow run's snapshot lies above the one that was taken after it.
  yield* found.toSorted((a, b) => takenMs(b) - takenMs(a))
  if (!all) yield notAllSeen(branch)
}

/** One that cannot be read may be the newest. */
function takenMs(each: StoredManifest | BackupError): number {
  return each instanceof BackupError ? Number.POSITIVE_INFINITY : Date.parse(each.takenAt)
}

function notAllSeen(branch: string): BackupError {
  return new BackupError({
    code: 'branch-rejected',
    title: 'Not all earlier snapshots were looked at',
    message: `None of the last ${mostCommits} commits of the branch "${quoteOutside(branch)}" holds a snapshot of this dataset with the same filters, and older ones were not looked at.`,
    hint: 'Store each selection of a dataset on a `branch` of its own. The snapshot that is stored now is compared with the next time.',
  })
}
