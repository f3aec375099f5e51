import { BackupError } from '../../errors.ts'
import type { Moved } from '../../git/server/remote.ts'
import type { Stopwatch } from '../../stopwatch.ts'
import { isUnread, unprovenError, unreadError, unsettledError, untouched, withdrawnError } from './errors.ts'
import { moveBack, moveRef } from './move.ts'
import { findStored, type Proof, readBackBranch, readBackRef } from './read-back/read-back.ts'
import { asking, type BranchSession } from './session.ts'

/** A commit that is to become the tip of the branch. */
export type Delivery = {
  /** Where the branch is; undefined if there is none. */
  readonly from: string | undefined
  readonly to: string
  /** Whether `to` is a commit on top of `from`. */
  readonly grows: boolean
  readonly proof: Proof
  /** Whether no commit was made for the snapshot, so that the branch held it before. */
  readonly unchanged: boolean
}

/** The ref beside the branches in which a run has its commits until they are proven, and where it is as far as is known. */
export type Staging = { readonly ref: string; at: string | undefined; perhapsThere: boolean }

/** How it ended. `lost`: another run has moved the branch. `unstaged`: the server keeps no ref beside the branches. */
export type Delivered =
  | { readonly kind: 'proven'; readonly commit: string }
  | { readonly kind: 'unstaged' }
  | Exclude<Moved, { readonly kind: 'done' }>

type DeliveryNeeds = { readonly session: BranchSession; readonly stopwatch: Pick<Stopwatch, 'during'> }

/** What putting the branch back may take: the runner kills a cancelled process ten seconds after it said so. */
const backMs = { cancelled: 2_500, failed: 60_000 }

/**
 * Sends a commit to a ref of its own, reads it back from there, and only then moves the branch to it: what is on the branch was proven, whatever ends
 * the run. When it throws, the branch is where it was, or the error says that this is not known.
 */
export async function deliverProven(needs: DeliveryNeeds, staging: Staging, delivery: Delivery): Promise<Delivered> {
  const { session, stopwatch } = needs
  const { to, grows, proof } = delivery
  staging.perhapsThere = true
  const sent = await moveRef(session, { ref: staging.ref, from: staging.at, to, grows })
  if (sent.kind === 'refused' && refusesRef(sent.error)) return { kind: 'unstaged' }
  // A history that was rewritten meanwhile leaves the commit without its parent here too.
  if (sent.kind !== 'done') return sent
  staging.at = to
  const commit = await stopwatch.during('verify', () => readBackStaged(session, { ref: staging.ref, to, proof }))
  session.needs.git.signal.throwIfAborted()
  return commit === undefined ? { kind: 'unstaged' } : await moveToProven(session, staging, { ...delivery, commit })
}

/** Whether another push, to the branch itself, may be taken: the server has its own words for a ref that it does not like. */
function refusesRef({ code, retry }: BackupError): boolean {
  return code === 'branch-rejected' && retry.tries === 1
}

async function readBackStaged(session: BranchSession, expected: Parameters<typeof readBackRef>[1]): Promise<string | undefined> {
  try {
    return await readBackRef(session, expected)
  } catch (error) {
    if (session.needs.git.signal.aborted || !(error instanceof BackupError)) throw error
    throw isUnread(error) ? unprovenError(error, expected.to) : untouched(error)
  }
}

/** Moves the branch to a commit that is proven. Its objects are there already, and its own ref goes in the same moment. */
async function moveToProven(
  session: BranchSession,
  staging: Staging,
  delivery: Delivery & { readonly commit: string },
): Promise<Delivered> {
  const { from, to, proof, unchanged, commit } = delivery
  const { branch, git } = session.needs
  const move = { ref: `refs/heads/${branch}`, from, to }
  try {
    let moved = await moveRef(session, { ...move, removes: { ref: staging.ref, at: to } })
    if (moved.kind === 'done') staging.perhapsThere = false
    // Some servers cannot do both at once, or remove nothing.
    else if (moved.kind === 'refused' && refusesRef(moved.error)) moved = await moveRef(session, move)
    if (moved.kind === 'done') return { kind: 'proven', commit }
    // Where the answer was lost, another run may have gone on from the commit already.
    const found = moved.kind === 'lost' && !unchanged ? await asking(session, () => findStored(session, { to, proof })) : undefined
    return found === undefined ? moved : { kind: 'proven', commit: found }
  } catch (error) {
    if (!git.signal.aborted) throw error instanceof BackupError ? unsettledError(error, { commit: to, branch }) : error
    throw withdrawnError(error, { commit: to, back: await moveBack(session, { ...move, from: to, to: from }, backMs.cancelled) })
  }
}

/**
 * The way for servers that keep no ref beside the branches: moves the branch and reads it back. When it throws, the branch was put back where it was,
 * or the error says that it was not. What could not be read is not proven, and not wrong either: it stays.
 */
export async function deliverAndProve(
  { session, stopwatch }: DeliveryNeeds,
  { from, to, grows, proof, unchanged }: Delivery,
): Promise<Delivered> {
  const { branch, git } = session.needs
  const move = { ref: `refs/heads/${branch}`, from, to, grows }
  try {
    const moved = await moveRef(session, move)
    if (moved.kind === 'refused') return moved
    // Where the answer was lost, another run may have gone on from the commit already.
    if (moved.kind === 'lost' && (unchanged || !(await asking(session, () => findStored(session, { to, proof }))))) return moved
    const commit = await stopwatch.during('verify', () => readBackBranch(session, { to, proof }))
    git.signal.throwIfAborted()
    return { kind: 'proven', commit }
  } catch (error) {
    if (!git.signal.aborted && isUnread(error)) throw unreadError(error, { commit: to, branch })
    const within = git.signal.aborted ? backMs.cancelled : backMs.failed
    throw withdrawnError(error, { commit: to, back: await moveBack(session, { ref: move.ref, from: to, to: from }, within) })
  }
}
