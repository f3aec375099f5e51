import { BackupError } from '../../errors.ts'
import { type GitTools, makeRepository, type Remote, type Repository } from '../../git/repository.ts'
import { findCommandFailure, isNotFound } from '../../git/server/refusals.ts'
import { askServer, fetchCommit, type Overview } from '../../git/server/remote.ts'
import { type RetryNeeds, type RetryRules, retrying, retryRules } from '../../http/retry.ts'
import { stagingRefs } from './staging.ts'
import { type BranchTip, noBranch, readTip } from './tip.ts'

/** What reading and writing a dataset's snapshots on a branch both need. */
export type SessionNeeds = Pick<RetryNeeds, 'wait' | 'log'> & {
  readonly remote: Remote
  readonly branch: string
  /** The snapshots' folder on the branch: `<project id>/<dataset>`; empty where only datasets are asked for. */
  readonly folder: string
  /** Whether all commits of the branch are fetched, and not only the newest. */
  readonly history: boolean
  readonly git: GitTools
}

/**
 * What one run knows of a branch, and the bare repository with which it asks the server. It is changed by the functions below, and by branch.ts where
 * what is known has become too old. Disposing it removes the repository.
 */
export type BranchSession = Disposable & {
  readonly needs: SessionNeeds
  /** The address of the repository on the server. */
  url: string
  /** Made for the first question to the server. */
  repository: Repository | undefined
  /** The server's last answer. */
  overview: Overview
  /** The branch as it was fetched last; undefined before that. */
  tip: BranchTip | undefined
  /** Whether `overview` and `tip` are so young that the next step need not ask again. */
  upToDate: boolean
  /** Repositories with what was fetched out of the branch, which may be read until the session ends. */
  readonly fetched: DisposableStack
}

/** How a branch is now. */
export type BranchState = { readonly overview: Overview; readonly tip: BranchTip }

/** Begins a session. Nothing is asked for or written yet. */
export function openBranch(needs: SessionNeeds): BranchSession {
  const session: BranchSession = {
    needs,
    url: `${needs.remote.serverUrl}/${needs.remote.name}`,
    repository: undefined,
    overview: { tip: undefined, defaultBranch: undefined, empty: false, below: new Map() },
    tip: undefined,
    upToDate: false,
    fetched: new DisposableStack(),
    [Symbol.dispose]: () => {
      using _fetched = session.fetched
      session.repository?.[Symbol.dispose]()
    },
  }
  return session
}

/** The repository of the session. Throws a `branch-rejected` if there is no git that can be used. */
export async function repositoryOf(session: BranchSession): Promise<Repository> {
  session.repository ??= await openAnother(session)
  return session.repository
}

/** Makes another repository, which has nothing of the session's. Throws as {@link repositoryOf} does. */
export async function openAnother(session: BranchSession, url = session.url): Promise<Repository> {
  return await inGitWords(session, () => makeRepository(url, session.needs.remote, session.needs.git))
}

/** Does work with git. Where a git process fails, throws a `BackupError` with its words. */
export async function inGitWords<Value>(session: BranchSession, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work()
  } catch (error) {
    throw findCommandFailure(error, session.url) ?? error
  }
}

/** Does work that asks the server for something, again if it fails for a reason that passes. Throws as {@link inGitWords} does. */
export async function asking<Value>(session: BranchSession, work: () => Promise<Value>): Promise<Value> {
  return await retrying(() => inGitWords(session, work), retryRulesOf(session))
}

/** How often and after which waits the server is asked again. */
export function retryRulesOf({ needs: { wait, log, git } }: BranchSession): RetryRules {
  return retryRules({ wait, log, signal: git.signal })
}

/** The branch as the session knows it, or as it is now where that is too old. */
export async function currentState(session: BranchSession): Promise<BranchState> {
  return session.upToDate && session.tip ? { overview: session.overview, tip: session.tip } : await refresh(session)
}

/** Asks the server where the branch is. What lies there is fetched only if it has moved since the last time. */
export async function refresh(session: BranchSession): Promise<BranchState> {
  await repositoryOf(session)
  return await asking(session, async () => {
    session.overview = await askOverview(session)
    const { overview } = session
    if (session.tip === undefined || session.tip.commit !== overview.tip) {
      session.tip = overview.tip === undefined ? noBranch : await fetchTip(session)
    }
    session.upToDate = true
    return { overview, tip: session.tip }
  })
}

/** Fetches the tip of a branch that has just been moved by others, without asking for anything else first. */
export async function refreshTipOnly(session: BranchSession): Promise<void> {
  await asking(session, async () => {
    session.tip = await fetchTip(session)
    session.overview = { ...session.overview, tip: session.tip.commit }
    session.upToDate = true
  })
}

/** Asks the server for an overview. Servers other than GitHub may know a repository only by its name with `.git`: then the session changes to that. */
export async function askOverview(session: BranchSession): Promise<Overview> {
  const { branch } = session.needs
  const { git } = await repositoryOf(session)
  try {
    return await askServer(git, session.url, { branch, above: stagingRefs })
  } catch (error) {
    if (session.tip !== undefined || !isNotFound(error)) throw error
    const overview = await askSuffixed(session)
    if (overview === undefined) throw error
    return overview
  }
}

/** Undefined if the server knows no repository of that name either. Throws what another try may mend. */
async function askSuffixed(session: BranchSession): Promise<Overview | undefined> {
  const url = `${session.url}.git`
  const suffixed = await openAnother(session, url)
  try {
    const overview = await askServer(suffixed.git, url, { branch: session.needs.branch, above: stagingRefs })
    session.repository?.[Symbol.dispose]()
    session.repository = suffixed
    session.url = url
    return overview
  } catch (error) {
    suffixed[Symbol.dispose]()
    if (error instanceof BackupError && error.retry.tries > 1) throw error
    return undefined
  }
}

async function fetchTip(session: BranchSession): Promise<BranchTip> {
  const { branch, folder, history } = session.needs
  const { git } = await repositoryOf(session)
  const depth = history ? {} : { depth: 1 }
  const commit = await fetchCommit(git, session.url, { ref: `refs/heads/${branch}`, filter: 'blob:none', ...depth })
  return commit ? await readTip(git, commit, folder) : noBranch
}
