import { BackupError } from '../../errors.ts'
import { type Comparable, isComparable } from '../../format/compare.ts'
import { manifestFile, type StoredManifest } from '../../format/manifest.ts'
import { fetchPast } from '../../git/history/past.ts'
import { findComparable, manifestOrReason } from '../../snapshot/read/newest-first.ts'
import { quoteOutside } from '../../text.ts'
import type { Found } from '../destination.ts'
import type { RemoteBranch } from './remote.ts'
import type { BranchTip } from './tip.ts'

type Place = {
  readonly branch: string
  readonly folder: string
  readonly of: Comparable
  readonly remoteBranch: Pick<RemoteBranch, 'asking' | 'fresh' | 'url'>
}

/** How many commits are looked at, the newest first: those of other datasets and of other people are among them. */
const mostCommits = 500

/** Finds the snapshot to compare with: the one at the tip of the branch or, where that cannot be compared with, the newest in its history that can. */
export async function findPreviousOnBranch({ commit, manifest }: BranchTip, place: Place): Promise<Found> {
  const { branch, of } = place
  if (commit === undefined) return { manifest: undefined, passedOver: [], nothing: `there is no branch "${quoteOutside(branch)}" yet` }
  const nothing = `the branch "${quoteOutside(branch)}" holds no earlier snapshot of this dataset with the same filters`
  if (manifest && isComparable(manifest, of)) return { manifest, passedOver: [], nothing }
  return { ...(await findComparable(manifestsIn(place), of)), nothing }
}

async function* manifestsIn({ branch, folder, remoteBranch }: Place): AsyncGenerator<StoredManifest | BackupError> {
  const asked = { url: remoteBranch.url, branch, path: `${folder}/${manifestFile}`, commits: mostCommits }
  using repository = await remoteBranch.fresh()
  const { versions, all } = await remoteBranch.asking(() => fetchPast(repository, asked))
  const found: (StoredManifest | BackupError)[] = []
  for await (const bytes of versions) found.push(manifestOrReason(bytes, 'on the branch'))
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
