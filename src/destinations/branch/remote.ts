import { BackupError } from '../../errors.ts'
import { type GitTools, makeRepository, type Remote, type Repository } from '../../git/repository.ts'
import { findCommandFailure, isNotFound } from '../../git/server/refusals.ts'
import { askServer, fetchCommit, type Move, type Moved, type Overview, type Pushed, push } from '../../git/server/remote.ts'
import { patiently, retrying, type Waiting } from '../../http/retry.ts'
import { type BranchTip, noBranch, readTip } from './tip.ts'

/** How a branch is now. */
export type Seen = { readonly overview: Overview; readonly tip: BranchTip }

/** One branch of a repository on a server, and a bare repository of our own to speak with it. Failures of git are told in words. */
export type RemoteBranch = Disposable & {
  /** Where it was found. */
  readonly url: string
  readonly repository: Repository
  /** Looks at the branch. What lies there is fetched only if it has moved since the last look. */
  readonly see: () => Promise<Seen>
  /** Looks once more, as fast as can be: only at where the branch is by now. */
  readonly seeAgain: () => Promise<Seen>
  /** Moves the branch. An answer that was lost is settled by looking, and what failed for a reason that passes is tried again. */
  readonly move: (change: Move) => Promise<Moved>
  /** Moves the branch back as well as that can be done in the given time. Says whether it was. */
  readonly moveBack: (change: Move, withinMs: number) => Promise<boolean>
  /** Makes another repository that has nothing of this one. */
  readonly fresh: () => Promise<Repository>
  /** Does work in the repository. */
  readonly told: Work
  /** Does work that asks the server for something, again if it fails for a reason that passes. */
  readonly asking: Work
}

type Work = <Value>(work: () => Promise<Value>) => Promise<Value>

type Place = Pick<Waiting, 'wait' | 'log'> & {
  readonly remote: Remote
  readonly branch: string
  readonly folder: string
  /** Whether all commits of the branch are wanted, not only the newest. */
  readonly history: boolean
  readonly tools: GitTools
}

/** Makes a {@link RemoteBranch}. Servers other than GitHub may know a repository only by its name with `.git`. */
export async function openBranch({ remote, branch, folder, history, tools, wait, log }: Place): Promise<RemoteBranch> {
  let url = `${remote.serverUrl}/${remote.name}`
  const told = async <Value>(work: () => Promise<Value>): Promise<Value> => {
    try {
      return await work()
    } catch (error) {
      throw findCommandFailure(error, url) ?? error
    }
  }
  const patience = patiently({ wait, log, signal: tools.signal })
  const asking: Work = async (work) => await retrying(() => told(work), patience)
  const open = async (at: string) => await told(() => makeRepository(at, remote, tools))
  let repository = await open(url)
  let last: BranchTip | undefined

  const ask = async (): Promise<Overview> => {
    try {
      return await askServer(repository.git, url, branch)
    } catch (error) {
      if (last !== undefined || !isNotFound(error)) throw error
      const suffixed = await open(`${url}.git`)
      const overview = await askServer(suffixed.git, `${url}.git`, branch).catch((other: unknown) => {
        if (!(other instanceof BackupError) || other.retry.tries === 1) return undefined
        suffixed[Symbol.dispose]()
        throw other
      })
      const left = overview ? repository : suffixed
      left[Symbol.dispose]()
      if (overview === undefined) throw error
      repository = suffixed
      url = `${url}.git`
      return overview
    }
  }

  let overview: Overview = { tip: undefined, defaultBranch: undefined, empty: false }

  const fetchTip = async (): Promise<BranchTip> => {
    const { git } = repository
    const commit = await fetchCommit(git, url, { ref: `refs/heads/${branch}`, filter: 'blob:none', ...(history ? {} : { depth: 1 }) })
    return commit ? await readTip(git, commit, folder) : noBranch
  }

  return {
    get url() {
      return url
    },
    get repository() {
      return repository
    },
    told,
    asking,
    fresh: async () => await open(url),
    see: async () =>
      await asking(async () => {
        overview = await ask()
        if (last === undefined || last.commit !== overview.tip) last = overview.tip === undefined ? noBranch : await fetchTip()
        return { overview, tip: last }
      }),
    seeAgain: async () =>
      await asking(async () => {
        last = await fetchTip()
        return { overview: { ...overview, tip: last.commit }, tip: last }
      }),
    move: async (change) => await move(change, async () => await told(() => push(repository, url, change)), { patience, ask }),
    moveBack: async (change, withinMs) => {
      const signal = AbortSignal.timeout(withinMs)
      const once = async () => await push(repository, url, change, signal)
      return await move(change, once, { patience: { ...patience, signal }, ask }).then(
        ({ kind }) => kind === 'done',
        () => false,
      )
    },
    [Symbol.dispose]: () => repository[Symbol.dispose](),
  }
}

type Settling = { readonly patience: Parameters<typeof retrying>[1]; readonly ask: () => Promise<Overview> }

/** Pushes until the server says how it ended, or the branch shows it. Throws if neither does. */
async function move({ from, to }: Move, once: () => Promise<Pushed>, { patience, ask }: Settling): Promise<Moved> {
  let broken: BackupError | undefined
  try {
    return await retrying(async () => {
      const pushed = await once()
      if (pushed.kind === 'done' || pushed.kind === 'refused') return pushed
      if (pushed.kind === 'broken') broken = pushed.error
      // The answer may be all that was lost; git's own second try is then refused as if somebody else had been faster.
      const { tip } = await ask()
      if (tip === to) return { kind: 'done' }
      if (pushed.kind === 'lost' || tip !== from) return { kind: 'lost' }
      throw pushed.error
    }, patience)
  } catch (error) {
    // It is known that nothing was changed; what else is thrown leaves that open.
    if (error === broken && broken !== undefined) return { kind: 'refused', error: broken }
    throw error
  }
}
