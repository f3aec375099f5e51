import { BackupError } from '../../../errors.ts'
import type { Manifest } from '../../../format/manifest.ts'
import type { Repository } from '../../../git/repository.ts'
import { fetchCommit } from '../../../git/server/remote.ts'
import { wholeLine } from '../commit/message.ts'

/** After so long all files are read back again. */
const wholeAfterMs = 7 * 24 * 60 * 60 * 1000
/** The clocks of two runners may differ by so much. */
const skewMs = 10 * 60 * 1000

type Asked = {
  readonly url: string
  readonly branch: string
  readonly source: Pick<Manifest['source'], 'projectId' | 'dataset'>
  readonly now: Date
}

/**
 * Whether it is time again to read back all files of a dataset. That they were is said by the message of the commit that was read back so: nothing else
 * outlives a runner. What cannot be found out counts as yes; throws only what another try may mend.
 */
export async function isWholeDue(open: () => Promise<Repository>, { url, branch, source, now }: Asked): Promise<boolean> {
  const since = new Date(now.getTime() - wholeAfterMs).toISOString()
  const until = new Date(now.getTime() + skewMs).toISOString()
  using repository = await open()
  try {
    const tip = await fetchCommit(repository.git, url, { ref: `refs/heads/${branch}`, since, filter: 'tree:0' })
    if (tip === undefined) return true
    const line = `^${wholeLine(source).replaceAll('.', '\\.')}$`
    const found = await repository.offline.run(['rev-list', '--max-count=1', `--since=${since}`, `--until=${until}`, `--grep=${line}`, tip])
    return found.length === 0
  } catch (error) {
    // A branch without any commit that is so young.
    if (error instanceof BackupError && error.retry.tries === 1) return true
    throw error
  }
}
