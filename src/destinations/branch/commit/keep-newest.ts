import { BackupError } from '../../../errors.ts'
import { manifestFile } from '../../../format/manifest/manifest.ts'
import type { Git } from '../../../git/command.ts'
import { readInTrees } from '../../../git/history/history.ts'
import { prune, type Version } from '../../../git/history/prune.ts'
import type { Repository } from '../../../git/repository.ts'
import { manifestOrReason } from '../../../snapshot/read/newest-first.ts'
import type { BranchTip } from '../tip.ts'
import { type Made, proofOfTip } from './commit.ts'
import { takenAtIn } from './message.ts'

/** A commit that is ready to be pushed. `to`: where the branch is to go, with what is kept of its history, which may have been rewritten. */
export type Ready = Made & {
  readonly to: string | undefined
  readonly rewritten: boolean
  /** Whether the snapshot is older than all that are kept. */
  readonly notKept: boolean
}

type KeepNeeds = {
  readonly tip: BranchTip
  readonly repository: Repository
  readonly folder: string
  /** How many snapshots stay; 0: all. */
  readonly keep: number
}

/** Leaves only the newest snapshots of a dataset in the history of the branch, the one that was made for it among them. */
export async function keepNewest(made: Made, { tip, repository, folder, keep }: KeepNeeds): Promise<Ready> {
  const newest = made.top ?? tip.commit
  if (keep === 0 || newest === undefined) return { ...made, to: newest, rewritten: false, notKept: false }
  const timesOf = async (versions: readonly Version[]) => await takenTimes(repository.git, versions)
  const { tip: to, nameNow } = await prune(repository, { tip: newest, onServer: tip.commit, folder, keep, timesOf })
  const rewritten = to !== newest
  const commit = made.commit && nameNow(made.commit)
  const notKept = made.commit !== undefined && commit === undefined
  const proof = notKept ? tip.manifest && proofOfTip(tip, tip.manifest) : made.proof
  return { ...made, commit, proof: proof && { ...proof, whole: proof.whole || rewritten }, to, rewritten, notKept }
}

/** When snapshots were taken, in milliseconds: as their commits say, or else their manifests. 0 for what is no snapshot. */
async function takenTimes(git: Git, versions: readonly Version[]): Promise<number[]> {
  const said = versions.map(({ message }) => takenAtIn(message))
  const silent = versions.flatMap(({ tree }, index) => (said[index] === undefined ? [tree] : []))
  const read = silent.length > 0 ? await readInTrees(git, silent, manifestFile) : []
  const manifests = new Map(silent.map((tree, index) => [tree, read[index]]))
  return versions.map(({ tree }, index) => Date.parse(said[index] ?? takenAtOf(manifests.get(tree)) ?? '') || 0)
}

function takenAtOf(bytes: Buffer | undefined): string | undefined {
  const read = bytes && manifestOrReason(bytes, 'in the history of the branch')
  return read === undefined || read instanceof BackupError ? undefined : read.takenAt
}
