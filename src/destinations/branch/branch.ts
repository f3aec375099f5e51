import { BackupError } from '../../errors.ts'
import type { GitTools, Remote } from '../../git/repository.ts'
import type { Move, Moved } from '../../git/server/remote.ts'
import type { Stopwatch } from '../../stopwatch.ts'
import type { Destination, FinishedSnapshot, StoredOnBranch } from '../destination.ts'
import { isNewer, makeCommit, proofOfTip } from './commit/commit.ts'
import type { BranchLayout } from './commit/files.ts'
import { keepNewest, type Ready, tellOrder } from './commit/keep-newest.ts'
import { conflict, isDefault, isEmpty, isInTheWay, isUnread, unread, withdrawn } from './errors.ts'
import { refuseLoss } from './loss.ts'
import { branchReader } from './previous.ts'
import { holdsSnapshot, type Proof, readBackBranch } from './read-back/read-back.ts'
import { isWholeDue as wholeReadBackIsDue } from './read-back/whole.ts'
import { openBranch, type RemoteBranch, type Seen } from './remote.ts'
import { type BranchTip, noBranch } from './tip.ts'

type Options = {
  readonly remote: Remote
  readonly branch: string
  readonly layout: BranchLayout
  /** How many snapshots of this dataset stay in the history; 0: all. */
  readonly keepLast: number
  /** The input `commit-message`. */
  readonly template: string
  /** What the snapshots are of. */
  readonly source: { readonly projectId: string; readonly dataset: string }
  /** How much of what the tip holds a snapshot may take out of it; 100: all. */
  readonly maxShrinkPercent: number
  /** Whether nothing else is stored: then a server that gives no answer ends the run before anything is fetched. */
  readonly alone: boolean
  /** Throws if the snapshot must not be stored in this repository. */
  readonly checkVisibility: () => Promise<void>
  readonly git: GitTools
  readonly clean: (text: string) => string
  readonly now: () => Date
  readonly stopwatch: Pick<Stopwatch, 'during'>
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>
  readonly log: {
    readonly info: (line: string) => void
    readonly warning: (line: string) => void
    readonly progress: (line: () => string) => void
  }
}

/** How often the branch is tried to be moved in all. */
const tries = 5
/** How long a run waits after its first lost race, and how much longer each time: those that have lost make way for the others. */
const firstWaitMs = 900
const waitGrowth = 2.8
/** How often the commit is made anew, before each try, for a branch that is moved while it is made. */
const turns = 10
/** What putting the branch back may take: the runner kills a cancelled process ten seconds after it said so. */
const backMs = { cancelled: 2_500, failed: 60_000 }

/** Stores the snapshot on a branch: as a commit on top of it, with a history of restore points below. */
export function branchDestination(options: Options): Destination {
  const { branch, remote, git, source } = options
  const folder = `${source.projectId}/${source.dataset}`
  let found: RemoteBranch | undefined
  /** How the branch was when it was last looked at; undefined once that is too long ago. */
  let seen: Seen | undefined
  let prepared: Ready | undefined

  const there = async (): Promise<RemoteBranch> => {
    found ??= await openBranch({ remote, branch, folder, history: options.keepLast > 0, tools: git, wait: options.wait, log: options.log })
    return found
  }

  const look = async (): Promise<Seen> => {
    seen = await (await there()).see()
    return seen
  }

  /** As it was at the last look, or as it is now. */
  const tipOf = async (how: () => Promise<Seen | undefined>): Promise<BranchTip | undefined> => {
    const last = seen ?? (await how())
    return last && accepted(last, options)
  }

  let wholeDue: Promise<boolean> | undefined
  const isWholeDue = async (): Promise<boolean> => {
    const { fresh, url, asking } = await there()
    wholeDue ??= asking(() => wholeReadBackIsDue(fresh, { url, branch, source, now: options.now() }))
    return await wholeDue
  }

  const make = async (snapshot: FinishedSnapshot, tip: BranchTip): Promise<Ready> => {
    // An older snapshot goes below the newer one, and takes nothing out of it.
    if (!isNewer(tip.manifest, snapshot.manifest)) refuseLoss(snapshot.manifest, tip.manifest, options)
    const { repository, told, asking } = await there()
    const made = await told(() =>
      makeCommit({ ...options, repository, asking, folder, tip, snapshot, isWholeDue, progress: options.log.progress }),
    )
    return await told(() => keepNewest(made, { tip, repository, folder, keep: options.keepLast }))
  }

  /** Makes the commit on top of the branch as it is, looking again when it is made: who pushes on top of what has just been there seldom loses. */
  const makeOnTop = async (snapshot: FinishedSnapshot): Promise<{ readonly tip: BranchTip; readonly made: Ready }> => {
    let tip = (await tipOf(look)) ?? noBranch
    let made = prepared ?? (await make(snapshot, tip))
    prepared = undefined
    for (let turn = 1; turn < turns; turn++) {
      const now = accepted(await look(), options)
      if (now.commit === tip.commit) break
      tip = now
      made = await make(snapshot, tip)
    }
    return { tip, made }
  }

  return {
    kind: 'branch',
    check: async () => {
      await options.checkVisibility()
      await tipOf(() => unlessUnreachable(look, options))
      seen = undefined
    },
    reader: branchReader({ branch, folder, tip: async () => (await tipOf(look)) ?? noBranch, remoteBranch: there }),
    prepare: async (snapshot) => {
      const tip = await tipOf(() => unlessUnreachable(look, options))
      if (tip !== undefined) prepared = await make(snapshot, tip)
    },
    store: async (snapshot) => {
      git.signal.throwIfAborted()
      const move = { ...options, remoteBranch: await there() }
      const tell = (stored: StoredOnBranch, tip: BranchTip): StoredOnBranch => {
        tellOrder(stored, { ...options, snapshot: snapshot.manifest, there: tip.manifest })
        return stored.notKept ? { ...stored, commit: '' } : stored
      }
      for (let tryNumber = 1; ; tryNumber++) {
        const { tip, made } = await makeOnTop(snapshot)
        const said = { kind: 'branch', repository: remote.name, branch, ...made } as const
        const unchanged = made.commit === undefined
        if (made.to === undefined || made.to === tip.commit) return tell({ ...said, unchanged, commit: tip.commit ?? '' }, tip)
        const grows = tip.commit !== undefined && !made.rewritten
        const proof = made.proof ?? proofOfTip(tip, made.manifest)
        const moved = await moveAndProve({ branch, from: tip.commit, to: made.to, grows }, { ...move, folder, proof, unchanged })
        if (moved.kind === 'refused') throw moved.error
        if (moved.kind === 'proven') return tell({ ...said, unchanged, commit: moved.commit }, tip)
        await waitAfterRace(tryNumber, options)
        seen = await (await there()).seeAgain()
      }
    },
    [Symbol.dispose]: () => found?.[Symbol.dispose](),
  }
}

/** Throws if the snapshot does not belong there. */
function accepted({ overview, tip }: Seen, { branch, remote }: Options): BranchTip {
  if (overview.empty) throw isEmpty(remote.name)
  if (branch === overview.defaultBranch) throw isDefault(branch, remote.name)
  if (tip.inTheWay !== undefined) throw isInTheWay(tip.inTheWay, branch)
  return tip
}

/** A server that gives no answer must not keep the snapshot from where it is stored besides: then it is asked again when its turn comes. */
async function unlessUnreachable<Value>(work: () => Promise<Value>, { alone, git }: Options): Promise<Value | undefined> {
  try {
    return await work()
  } catch (error) {
    git.signal.throwIfAborted()
    if (alone || !(error instanceof BackupError) || error.code !== 'branch-rejected') throw error
    return undefined
  }
}

type Moving = Pick<Options, 'git' | 'stopwatch'> & {
  readonly remoteBranch: RemoteBranch
  readonly folder: string
  readonly proof: Proof
  /** Whether no commit was made for the snapshot, so that the branch held it before. */
  readonly unchanged: boolean
}

type Proven = { readonly kind: 'proven'; readonly commit: string } | Exclude<Moved, { readonly kind: 'done' }>

/**
 * Moves the branch and reads it back. When it throws, the branch was put back where it was, or the error says that it was not. What could not be read
 * is not proven, and not wrong either: it stays.
 */
async function moveAndProve(
  change: Move & { readonly to: string },
  { git, stopwatch, remoteBranch, folder, proof, unchanged }: Moving,
): Promise<Proven> {
  const { branch, from, to } = change
  const { fresh, asking, url } = remoteBranch
  const expected = { url, branch, folder, to, proof, signal: git.signal, asking }
  try {
    const moved = await remoteBranch.move(change)
    if (moved.kind === 'refused') return moved
    // Where the answer was lost, another run may have gone on from the commit already.
    if (moved.kind === 'lost' && (unchanged || !(await asking(() => holdsSnapshot(fresh, expected))))) return moved
    const commit = await stopwatch.during('verify', () => readBackBranch(fresh, expected))
    git.signal.throwIfAborted()
    return { kind: 'proven', commit }
  } catch (error) {
    if (!git.signal.aborted && isUnread(error)) throw unread(error, { commit: to, branch })
    const within = git.signal.aborted ? backMs.cancelled : backMs.failed
    throw withdrawn(error, { commit: to, back: await remoteBranch.moveBack({ branch, from: to, to: from }, within) })
  }
}

/** Waits longer after each lost race, and never as long as another run that lost it too. Throws after the last. */
async function waitAfterRace(tryNumber: number, { branch, wait, git, log }: Options): Promise<void> {
  if (tryNumber === tries) throw conflict(branch, tries)
  log.info(`Another run has moved the branch "${branch}". The commit is made anew on top of it (try ${tryNumber + 1} of ${tries}).`)
  await wait(Math.round((0.5 + Math.random()) * firstWaitMs * waitGrowth ** (tryNumber - 1)), git.signal)
}
