import { BackupError } from '../../errors.ts'
import type { Comparable } from '../../format/compare.ts'
import { type Manifest, manifestFile } from '../../format/manifest.ts'
import { fetchPast } from '../../git/history/past.ts'
import { objectName } from '../../git/objects/objects.ts'
import { findComparable, manifestOrReason } from '../../snapshot/read/newest-first.ts'
import { quoteOutside } from '../../text.ts'
import type { Found } from '../destination.ts'
import { asking, type BranchSession, currentState, openAnother } from './session.ts'
import type { BranchTip } from './tip.ts'

/** The reading half of a branch. */
export type BranchReader = {
  /**
   * The snapshots of the session's dataset: the one at the tip of the branch, then those in its history, the newest first by the time when they were
   * taken. In place of one that cannot be read stands the reason; in the history such reasons come first. The last item is an error if there are older
   * commits that were not looked at. Throws a `branch-rejected` if the server does not hand the branch out. The history is fetched only once the tip
   * was taken, and of its files only the manifests.
   */
  readonly newestFirst: () => AsyncGenerator<{ readonly manifest: Manifest } | BackupError>
}

/** How many commits are looked at, the newest first: those of other datasets and of other people are among them. */
const mostCommits = 500

/** Makes the {@link BranchReader} of a session. It only reads. */
export function branchReader(session: BranchSession): BranchReader {
  return {
    newestFirst: async function* () {
      for await (const each of snapshotsOn(session)) yield each instanceof BackupError ? each : { manifest: each }
    },
  }
}

/** Finds the snapshot to compare with: the one at the tip of the branch or, where that cannot be compared with, the newest in its history that can. */
export async function findPreviousOnBranch(session: BranchSession, of: Comparable): Promise<Found> {
  const { tip } = await currentState(session)
  const name = quoteOutside(session.needs.branch)
  const nothing =
    tip.commit === undefined
      ? `there is no branch "${name}" yet`
      : `the branch "${name}" holds no earlier snapshot of this dataset with the same filters`
  return { ...(await findComparable(snapshotsOn(session), of)), nothing }
}

async function* snapshotsOn(session: BranchSession): AsyncGenerator<Manifest | BackupError> {
  const { tip } = await currentState(session)
  if (tip.commit === undefined) return
  const newest = tip.manifest ?? tip.unreadable
  if (newest !== undefined) yield newest
  yield* snapshotsBelow(session, tip)
}

/** Reads the manifests in the history of the branch, all but the one at its tip. */
async function* snapshotsBelow(session: BranchSession, tip: BranchTip): AsyncGenerator<Manifest | BackupError> {
  const { branch, folder } = session.needs
  const file = { url: session.url, branch, path: `${folder}/${manifestFile}`, commits: mostCommits }
  using repository = await openAnother(session)
  const { versions, all } = await asking(session, () => fetchPast(repository, file))
  const found: (Manifest | BackupError)[] = []
  for await (const bytes of versions) {
    if (objectName('blob', bytes) !== tip.before.get(manifestFile)) found.push(manifestOrReason(bytes, 'on the branch'))
  }
  // A slow run's snapshot lies above the one that was taken after it.
  yield* found.toSorted((a, b) => takenMs(b) - takenMs(a))
  if (!all) yield notAllSeen(branch)
}

/** One that cannot be read may be the newest. */
function takenMs(each: Manifest | BackupError): number {
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
