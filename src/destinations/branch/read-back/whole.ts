import { BackupError } from '../../../errors.ts'
import type { Manifest } from '../../../format/manifest/manifest.ts'
import type { Git } from '../../../git/command.ts'
import { botAddress } from '../../../git/objects/import.ts'
import { fetchCommit } from '../../../git/server/remote.ts'
import { saysWhole, wholeLine } from '../commit/message.ts'
import { asking, type BranchSession, openAnother, repositoryOf } from '../session.ts'

/** After so long all files are read back again. */
const wholeAfterMs = 7 * 24 * 60 * 60 * 1000
/** The clocks of two runners may differ by so much. */
const skewMs = 10 * 60 * 1000

type WholeNeeds = {
  readonly source: Pick<Manifest['source'], 'projectId' | 'dataset'>
  readonly now: Date
  /** The commit at the tip of the branch, which is here. */
  readonly tip: string | undefined
}

/**
 * Whether it is time again to read back all files of a dataset. The message of a commit that was read back so says it: nothing else outlives a runner.
 * The words count only where we write them, below all else that a message can hold, and in a commit of ours.
 * What cannot be found out counts as yes. Throws only what another try might have mended, after the last.
 */
export async function isWholeDue(session: BranchSession, needs: WholeNeeds): Promise<boolean> {
  return await asking(session, () => isDue(session, needs))
}

async function isDue(session: BranchSession, { source, now, tip }: WholeNeeds): Promise<boolean> {
  const since = new Date(now.getTime() - wholeAfterMs).toISOString()
  const until = new Date(now.getTime() + skewMs).toISOString()
  if (tip === undefined) return true
  const { offline } = await repositoryOf(session)
  if (await saysWholeSince(offline, { tip, source, since, until })) return false
  using repository = await openAnother(session)
  try {
    const ref = `refs/heads/${session.needs.branch}`
    const newest = await fetchCommit(repository.git, session.url, { ref, since, filter: 'tree:0' })
    return newest === undefined || !(await saysWholeSince(repository.offline, { tip: newest, source, since, until }))
  } catch (error) {
    // The branch has no commit that recent.
    if (error instanceof BackupError && error.retry.tries === 1) return true
    throw error
  }
}

type Span = Pick<WholeNeeds, 'source'> & { readonly tip: string; readonly since: string; readonly until: string }

/** Whether one of the commits that are here says so. */
async function saysWholeSince(offline: Git, { tip, source, since, until }: Span): Promise<boolean> {
  const line = `^${wholeLine(source).replaceAll('.', '\\.')}$`
  const found = await offline.run(['log', '--format=%x00%ce%n%B', `--since=${since}`, `--until=${until}`, `--grep=${line}`, tip])
  return found
    .toString('utf8')
    .split('\0')
    .some((commit) => commit.startsWith(`${botAddress}\n`) && saysWhole(commit, source))
}
