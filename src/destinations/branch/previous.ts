import { BackupError } from '../../errors.ts'
import { type Manifest, manifestFile } from '../../format/manifest.ts'
import { fetchPast } from '../../git/history/past.ts'
import { manifestOrReason } from '../../snapshot/read/newest-first.ts'
import { quoteOutside } from '../../text.ts'
import type { Found, SnapshotReader } from '../destination.ts'
import type { RemoteBranch } from './remote.ts'
import type { BranchTip } from './tip.ts'

type Place = {
  readonly branch: string
  readonly folder: string
  readonly tip: () => Promise<BranchTip>
  readonly remoteBranch: () => Promise<Pick<RemoteBranch, 'asking' | 'fresh' | 'url'>>
}

/** How many commits are looked at, the newest first: those of other datasets and of other people are among them. */
const mostCommits = 500

/** Reads the snapshots of a dataset on a branch: the one at its tip and, if that is not enough, those in its history. */
export function branchReader(place: Place): SnapshotReader {
  const { branch, tip } = place
  return {
    newestFirst: async function* () {
      const { commit, manifest } = await tip()
      if (commit === undefined) return
      if (manifest) yield { manifest }
      yield* snapshotsInHistory(place)
    },
    whyNone: async () =>
      (await tip()).commit === undefined
        ? `there is no branch "${quoteOutside(branch)}" yet`
        : `the branch "${quoteOutside(branch)}" holds no earlier snapshot of this dataset with the same filters`,
  }
}

async function* snapshotsInHistory({ branch, folder, remoteBranch }: Place): AsyncGenerator<Found | BackupError> {
  const { url, asking, fresh } = await remoteBranch()
  const asked = { url, branch, path: `${folder}/${manifestFile}`, commits: mostCommits }
  using repository = await fresh()
  const { versions, all } = await asking(() => fetchPast(repository, asked))
  const found: (Manifest | BackupError)[] = []
  for await (const bytes of versions) found.push(manifestOrReason(bytes, 'on the branch'))
  // A slow run's snapshot lies above the one that was taken after it.
  for (const each of found.toSorted((a, b) => takenMs(b) - takenMs(a))) yield each instanceof BackupError ? each : { manifest: each }
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
