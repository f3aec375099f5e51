import type { BackupError } from '../../errors.ts'
import { type Move, type Moved, type Overview, type Pushed, push, removeRefs } from '../../git/server/remote.ts'
import { type RetryRules, retrying } from '../../http/retry.ts'
import { askOverview, type BranchSession, inGitWords, repositoryOf, retryRulesOf } from './session.ts'

/**
 * Moves a ref, the branch's or one of ours. What failed for a reason that passes is tried again; where an answer was lost, the ref itself shows how the
 * push ended. Throws if it does not.
 */
export async function moveRef(session: BranchSession, move: Move): Promise<Moved> {
  const repository = await repositoryOf(session)
  const pushOnce = async () => await inGitWords(session, () => push(repository, session.url, move))
  return await settle(session, move, { pushOnce, rules: retryRulesOf(session) })
}

/** Moves the branch back as well as that can be done in the given time, even if the run was cancelled. Returns whether it was. */
export async function moveBack(session: BranchSession, move: Move, withinMs: number): Promise<boolean> {
  const repository = await repositoryOf(session)
  const signal = AbortSignal.timeout(withinMs)
  const pushOnce = async () => await push(repository, session.url, move, signal)
  try {
    const { kind } = await settle(session, move, { pushOnce, rules: { ...retryRulesOf(session), signal } })
    return kind === 'done'
  } catch {
    return false
  }
}

/** Removes refs of ours as well as that can be done in the given time, even if the run was cancelled. Whoever comes later removes what stays. */
export async function tryToRemove(session: BranchSession, refs: readonly string[], withinMs: number): Promise<void> {
  if (refs.length === 0) return
  try {
    const { offline } = await repositoryOf(session)
    await removeRefs(offline, refs, AbortSignal.timeout(withinMs))
  } catch {
    // They are in nobody's way.
  }
}

type Trying = { readonly pushOnce: () => Promise<Pushed>; readonly rules: RetryRules }

/** Pushes until the server says how it ended, or the ref shows it. Throws if neither does. */
async function settle(session: BranchSession, { ref, from, to }: Move, { pushOnce, rules }: Trying): Promise<Moved> {
  let broken: BackupError | undefined
  try {
    return await retrying(async () => {
      const pushed = await pushOnce()
      if (pushed.kind === 'done' || pushed.kind === 'refused') return pushed
      if (pushed.kind === 'broken') broken = pushed.error
      // The answer may be all that was lost; git's own second try is then refused as if somebody else had been faster.
      const at = placeOf(await askOverview(session), ref)
      if (at === to) return { kind: 'done' }
      if (pushed.kind === 'lost' || at !== from) return { kind: 'lost' }
      throw pushed.error
    }, rules)
  } catch (error) {
    // Only then is it known that nothing was changed.
    if (error === broken && broken !== undefined) return { kind: 'refused', error: broken }
    throw error
  }
}

function placeOf({ tip, below }: Overview, ref: string): string | undefined {
  return ref.startsWith('refs/heads/') ? tip : below.get(ref)
}
