import { BackupError, findSystemCode } from '../errors.ts'
import { GitError } from './command.ts'
import { failedRead, noGit } from './refusals.ts'

/** The error that tells a failed git process in words; undefined if it was something else that failed. */
export function findCommandFailure(error: unknown, url: string): BackupError | undefined {
  if (error instanceof GitError) return isFull(error) ? gitDiskFull(error) : failedRead(error.finished, url)
  const code = findSystemCode(error)
  // Node says of a program that is not there what it says of a file.
  return code === 'ENOENT' && String(error).includes('spawn git') ? noGit(error) : undefined
}

function isFull({ finished }: GitError): boolean {
  return /No space left on device|Disk quota exceeded/.test(finished.stderr)
}

function gitDiskFull(cause: GitError): BackupError {
  return new BackupError({
    code: 'disk-full',
    title: 'The disk is full',
    message: 'There is no more room for the commit that git was making in the runner’s folder for temporary files.',
    hint: 'Free disk space before this step, or use a runner with more room: a branch needs about the compressed size of the snapshot twice.',
    cause,
  })
}
