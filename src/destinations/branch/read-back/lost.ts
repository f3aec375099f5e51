import { type BackupError, reworded } from '../../../errors.ts'
import { filesBelow } from '../../../git/objects/objects.ts'
import { quoteOutside } from '../../../text.ts'
import { verificationFailed } from '../../read-back.ts'
import { type BranchSession, repositoryOf } from '../session.ts'

/** The error for a server that does not give back what it took: it names the files of the commit that the server's words are about. */
export async function lostError(session: BranchSession, error: BackupError, commit: string): Promise<BackupError> {
  const paths = await lostFiles(session, error, commit).catch(() => [])
  const files = paths.map((path) => `"${quoteOutside(path, 200)}"`).join(', ')
  return reworded(verificationFailed('branch', error.message, error), {
    ...(files === '' ? {} : { message: `The server has lost what it had taken: ${files}. ${error.message}` }),
    hint: 'The server takes nothing again that it believes to have. Name another `branch`: then all files are sent anew. Ask whoever runs the server to mend the repository.',
  })
}

/** More files than this nobody reads in a message. */
const mostNamed = 5

async function lostFiles(session: BranchSession, { message }: BackupError, commit: string): Promise<string[]> {
  const names = new Set(message.match(/\b[0-9a-f]{40}\b/g))
  const { folder } = session.needs
  const { offline } = await repositoryOf(session)
  const paths: string[] = []
  for await (const { name, path } of filesBelow(offline, `${commit}:${folder}`)) {
    if (names.has(name) && paths.length < mostNamed) paths.push(`${folder}/${path}`)
  }
  return paths
}
