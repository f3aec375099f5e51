import { BackupError } from '../../errors.ts'
import type { Destination } from '../destination.ts'
import { branchReader } from './read.ts'
import { type BranchSession, type BranchState, currentState } from './session.ts'
import { makeReady, requireOurs, storeOnBranch, type Writing, type WritingNeeds } from './store.ts'
import type { BranchTip } from './tip.ts'

type BranchNeeds = WritingNeeds & {
  /** Whether nothing else is stored: then a server that gives no answer ends the run before anything is fetched. */
  readonly onlyDestination: boolean
  /** Throws if the snapshot must not be stored in this repository. */
  readonly checkVisibility: () => Promise<void>
}

/**
 * Stores the snapshot on the branch of a session: as a commit on top of it, with a history of restore points below. Disposing the destination ends the
 * session.
 */
export function branchDestination(session: BranchSession, needs: BranchNeeds): Destination {
  const writing: Writing = { session, needs, prepared: undefined, pushesFirst: false, wholeDue: undefined }
  return {
    kind: 'branch',
    reader: branchReader(session),
    check: async () => {
      await needs.checkVisibility()
      await findTip(session, needs)
      // What is fetched in between takes its time.
      session.upToDate = false
    },
    prepare: async (snapshot) => {
      const tip = await findTip(session, needs)
      if (tip !== undefined) writing.prepared = await makeReady(writing, snapshot, tip)
    },
    store: async (snapshot) => await storeOnBranch(writing, snapshot),
    [Symbol.dispose]: () => session[Symbol.dispose](),
  }
}

/**
 * The tip of the branch. Undefined if the server gives no answer and the snapshot is stored elsewhere besides: that must not be kept from it, and the
 * server is asked again when its turn comes.
 */
async function findTip(session: BranchSession, { onlyDestination }: BranchNeeds): Promise<BranchTip | undefined> {
  let state: BranchState
  try {
    state = await currentState(session)
  } catch (error) {
    session.needs.git.signal.throwIfAborted()
    if (onlyDestination || !(error instanceof BackupError) || error.code !== 'branch-rejected') throw error
    return undefined
  }
  return requireOurs(session, state)
}
