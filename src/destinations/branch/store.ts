import type { Manifest } from '../../format/manifest.ts'
import type { Move, Moved } from '../../git/server/remote.ts'
import type { Stopwatch } from '../../stopwatch.ts'
import type { FinishedSnapshot, StoredOnBranch } from '../destination.ts'
import { isNewer, makeCommit, proofOfTip } from './commit/commit.ts'
import type { BranchLayout } from './commit/files.ts'
import { keepNewest, logOrder, type Ready } from './commit/keep-newest.ts'
import { conflictError, defaultBranchError, emptyRepositoryError, inTheWayError, isUnread, unreadError, withdrawnError } from './errors.ts'
import { refuseLoss } from './loss.ts'
import { moveBack, moveBranch } from './move.ts'
import { holdsSnapshot, type Proof, readBackBranch } from './read-back/read-back.ts'
import { isWholeDue } from './read-back/whole.ts'
import { asking, type BranchSession, type BranchState, currentState, inGitWords, refresh, refreshTipOnly, repositoryOf } from './session.ts'
import type { BranchTip } from './tip.ts'

/** What writing snapshots on a branch needs beside its session. */
export type WritingNeeds = {
  readonly layout: BranchLayout
  /** How many snapshots of this dataset stay in the history; 0: all. */
  readonly keepLast: number
  /** The input `commit-message`. */
  readonly template: string
  /** What the snapshots are of. */
  readonly source: Pick<Manifest['source'], 'projectId' | 'dataset'>
  /** How much of what the tip holds a snapshot may take out of it; 100: all. */
  readonly maxShrinkPercent: number
  readonly clean: (text: string) => string
  readonly now: () => Date
  readonly stopwatch: Pick<Stopwatch, 'during'>
  readonly log: { readonly warning: (line: string) => void; readonly progress: (line: () => string) => void }
}

/** A snapshot on its way to a branch. */
export type Writing = {
  readonly session: BranchSession
  readonly needs: WritingNeeds
  /** The commit that was made before anything was stored; `storeOnBranch` takes it away. */
  prepared: Ready | undefined
  /** Whether all files are to be read back; asked for the first commit. */
  wholeDue: Promise<boolean> | undefined
}

/** How often the branch is tried to be moved in all. */
const tries = 5
/** How long a run waits after its first lost race, and how much longer each time: those that have lost make way for the others. */
const firstWaitMs = 900
const waitGrowth = 2.8
/** How often the commit is made again, before each try, for a branch that is moved while it is made. */
const turns = 10
/** What putting the branch back may take: the runner kills a cancelled process ten seconds after it said so. */
const backMs = { cancelled: 2_500, failed: 60_000 }

/** The tip of a branch that backups may be stored on. Throws if it is the default branch, or holds what is not ours where the snapshot belongs. */
export function requireOurs({ needs: { branch, remote } }: BranchSession, { overview, tip }: BranchState): BranchTip {
  if (overview.empty) throw emptyRepositoryError(remote.name)
  if (branch === overview.defaultBranch) throw defaultBranchError(branch, remote.name)
  if (tip.inTheWay !== undefined) throw inTheWayError(tip.inTheWay, branch)
  return tip
}

/** Makes the commit for a snapshot, in the repository of the session. Throws `dataset-shrunk` if it would take too much out of what the tip holds. */
export async function makeReady(writing: Writing, snapshot: FinishedSnapshot, tip: BranchTip): Promise<Ready> {
  const { session, needs } = writing
  const { branch, folder } = session.needs
  const { layout, template, clean, now, maxShrinkPercent, keepLast } = needs
  // An older snapshot goes below the newer one, and takes nothing out of it.
  if (!isNewer(tip.manifest, snapshot.manifest)) refuseLoss(snapshot.manifest, tip.manifest, { branch, maxShrinkPercent })
  const { progress } = needs.log
  const isDue = async () => await isWholeDueIn(writing)
  return await inGitWords(session, async () => {
    const made = await makeCommit({ session, tip, snapshot, layout, template, isWholeDue: isDue, clean, now, progress })
    return await keepNewest(made, { tip, repository: await repositoryOf(session), folder, keep: keepLast })
  })
}

async function isWholeDueIn(writing: Writing): Promise<boolean> {
  const { session, needs } = writing
  writing.wholeDue ??= isWholeDue(session, { source: needs.source, now: needs.now() })
  return await writing.wholeDue
}

/** Stores a snapshot, again if other runs move the branch first. See the law of `store` in destination.ts. */
export async function storeOnBranch(writing: Writing, snapshot: FinishedSnapshot): Promise<StoredOnBranch> {
  const { session, needs } = writing
  const { git, branch } = session.needs
  git.signal.throwIfAborted()
  for (let tryNumber = 1; ; tryNumber++) {
    const { tip, ready } = await makeOnTop(writing, snapshot)
    const commit = await bring(writing, ready, tip)
    if (commit !== undefined) {
      const stored = branchResult(session, ready, commit)
      const { info } = session.needs.log
      const { keepLast, now, log } = needs
      logOrder(stored, { branch, keepLast, now, log: { info, warning: log.warning }, snapshot: snapshot.manifest, newest: tip.manifest })
      return stored
    }
    await waitAfterRace(session, tryNumber)
    await refreshTipOnly(session)
  }
}

/** What is reported of the snapshot. `commit`: the one that holds it. */
function branchResult(session: BranchSession, ready: Ready, commit: string): StoredOnBranch {
  const { branch, remote } = session.needs
  const { manifest, sizeBytes, digest, byType, notKept } = ready
  return {
    kind: 'branch',
    repository: remote.name,
    branch,
    manifest,
    sizeBytes,
    digest,
    byType,
    notKept,
    unchanged: ready.commit === undefined,
    commit: notKept ? '' : commit,
  }
}

/**
 * Makes the commit on top of the branch as it is. When it is made, the branch is looked at again: a commit on top of what was there a moment ago seldom
 * loses a race.
 */
async function makeOnTop(writing: Writing, snapshot: FinishedSnapshot): Promise<{ readonly tip: BranchTip; readonly ready: Ready }> {
  const { session } = writing
  let tip = requireOurs(session, await currentState(session))
  let ready = writing.prepared ?? (await makeReady(writing, snapshot, tip))
  writing.prepared = undefined
  for (let turn = 1; turn < turns; turn++) {
    const now = requireOurs(session, await refresh(session))
    if (now.commit === tip.commit) break
    tip = now
    ready = await makeReady(writing, snapshot, tip)
  }
  return { tip, ready }
}

/** Brings the branch to where it is to go, and reads it back. Returns the commit that holds the snapshot; undefined if another run was faster. */
async function bring(writing: Writing, ready: Ready, tip: BranchTip): Promise<string | undefined> {
  const { session } = writing
  if (ready.to === undefined || ready.to === tip.commit) return tip.commit ?? ''
  const grows = tip.commit !== undefined && !ready.rewritten
  const move = { branch: session.needs.branch, from: tip.commit, to: ready.to, grows }
  const proof = ready.proof ?? proofOfTip(tip, ready.manifest)
  const moved = await moveAndProve(writing, move, { proof, unchanged: ready.commit === undefined })
  if (moved.kind === 'refused') throw moved.error
  return moved.kind === 'proven' ? moved.commit : undefined
}

/** `unchanged`: no commit was made for the snapshot, so that the branch held it before. */
type Proving = { readonly proof: Proof; readonly unchanged: boolean }

type Proven = { readonly kind: 'proven'; readonly commit: string } | Exclude<Moved, { readonly kind: 'done' }>

/**
 * Moves the branch and reads it back. When it throws, the branch was put back where it was, or the error says that it was not. What could not be read
 * is not proven, and not wrong either: it stays.
 */
async function moveAndProve(
  { session, needs }: Writing,
  move: Move & { readonly to: string },
  { proof, unchanged }: Proving,
): Promise<Proven> {
  const { branch, from, to } = move
  const { signal } = session.needs.git
  try {
    const moved = await moveBranch(session, move)
    if (moved.kind === 'refused') return moved
    // Where the answer was lost, another run may have gone on from the commit already.
    if (moved.kind === 'lost' && (unchanged || !(await asking(session, () => holdsSnapshot(session, { to, proof }))))) return moved
    const commit = await needs.stopwatch.during('verify', () => readBackBranch(session, { to, proof }))
    signal.throwIfAborted()
    return { kind: 'proven', commit }
  } catch (error) {
    if (!signal.aborted && isUnread(error)) throw unreadError(error, { commit: to, branch })
    const within = signal.aborted ? backMs.cancelled : backMs.failed
    throw withdrawnError(error, { commit: to, back: await moveBack(session, { branch, from: to, to: from }, within) })
  }
}

/** Waits longer after each lost race, and never as long as another run that lost it too. Throws after the last. */
async function waitAfterRace({ needs: { branch, wait, git, log } }: BranchSession, tryNumber: number): Promise<void> {
  if (tryNumber === tries) throw conflictError(branch, tries)
  log.info(`Another run has moved the branch "${branch}". The commit is made again on top of it (try ${tryNumber + 1} of ${tries}).`)
  await wait(Math.round((0.5 + Math.random()) * firstWaitMs * waitGrowth ** (tryNumber - 1)), git.signal)
}
