import { BackupError } from '../../../errors.ts'
import { type Manifest, manifestFile, type StoredManifest } from '../../../format/manifest.ts'
import type { Git } from '../../../git/command.ts'
import { readInTrees } from '../../../git/history/history.ts'
import { prune, type Version } from '../../../git/history/prune.ts'
import type { Repository } from '../../../git/repository.ts'
import { manifestOrReason } from '../../../snapshot/read/newest-first.ts'
import { quoteOutside } from '../../../text.ts'
import type { StoredOnBranch } from '../../destination.ts'
import type { BranchTip } from '../tip.ts'
import { isNewer, type Made, proofOfTip } from './commit.ts'
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

/** The clocks of two runners may differ by so much. */
const skewMs = 10 * 60 * 1000

type OrderNeeds = {
  readonly snapshot: Manifest
  /** Of what lay at the tip of the branch before. */
  readonly newest: StoredManifest | undefined
  readonly branch: string
  readonly keepLast: number
  readonly now: () => Date
  readonly log: { readonly info: (line: string) => void; readonly warning: (line: string) => void }
}

/** Logs what became of a snapshot where a newer one lies on the branch. */
export function logOrder({ notKept, unchanged }: StoredOnBranch, { snapshot, newest, branch, keepLast, now, log }: OrderNeeds): void {
  if (!isNewer(newest, snapshot)) return
  const name = quoteOutside(branch)
  const holds = `a newer snapshot, ${quoteOutside(newest.snapshot)}, taken at ${quoteOutside(newest.takenAt)}`
  if (notKept) {
    log.warning(
      `The snapshot ${snapshot.snapshot} was not stored on the branch "${name}". It was taken at ${snapshot.takenAt}, before all of the ${keepLast} that \`keep-last\` keeps: another run began later and was faster, and the branch holds ${holds}. Hint: let backups wait for one another with \`concurrency\`, or raise \`keep-last\`.`,
    )
  } else if (!unchanged) log.info(`The branch "${name}" holds ${holds}. It stays on top; this one is a restore point below it.`)
  if (Date.parse(newest.takenAt) > now().getTime() + skewMs) {
    log.warning(
      `The clock of this runner, or of the one that made the newest snapshot on the branch "${name}", is wrong: ${quoteOutside(newest.takenAt)}, when that was taken, is still to come. Until then it stays on top, and every other is stored below it. Hint: set the clock right; if it was the other one, take that commit off the branch.`,
    )
  }
}
