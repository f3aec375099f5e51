import { BackupError } from '../../../errors.ts'
import type { Manifest } from '../../../format/manifest.ts'
import { fetchCommit } from '../../../git/server/remote.ts'
import { botAddress } from '../../../git/objects/import.ts'
import { saysWhole, wholeLine } from '../commit/message.ts'
import { asking, type BranchSession, openAnother } from '../session.ts'

/** After so long all files are read back again. */
const wholeAfterMs = 7 * 24 * 60 * 60 * 1000
/** The clocks of two runners may differ by so much. */
const skewMs = 10 * 60 * 1000

type WholeNeeds = {
  readonly source: Pick<Manifest['source'], 'projectId' | 'dataset'>
  readonly now: Date
}

/**
 * Whether it is time again to read back all files of a dataset. The message of a commit that was read back so says it: nothing else outlives a runner.
 * The words count only where we write them, below all else that a message can hold, and in a commit of ours.
 * What cannot be found out counts as yes. Throws only what another try might have mended, after the last.
 */
export async function isWholeDue(session: BranchSession, needs: WholeNeeds): Promise<boolean> {
  return await asking(session, () => isDue(session, needs))
}

async function isDue(session: BranchSession, { source, now }: WholeNeeds): Promise<boolean> {
  const since = new Date(now.getTime() - wholeAfterMs).toISOString()
  const until = new Date(now.getTime() + skewMs).toISOString()
  using repository = await openAnother(session)
  try {
    const ref = `refs/heads/${session.needs.branch}`
    const tip = await fetchCommit(repository.git, session.url, { ref, since, filter: 'tree:0' })
    if (tip === undefined) return true
    const line = `^${wholeLine(source).replaceAll('.', '\\.')}$`
    const found = await repository.offline.run([
      'log',
      '--format=%x00%ce%n%B',
      `--since=${since}`,
      `--until=${until}`,
      `--grep=${line}`,
      tip,
    ])
    return !found
      .toString('utf8')
      .split('\0')
      .some((commit) => commit.startsWith(`${botAddress}\n`) && saysWhole(commit, source))
  } catch (error) {
    // A branch without any commit that is so young.
    if (error instanceof BackupError && error.retry.tries === 1) return true
    throw error
  }
}
