import { type BackupError, findSystemCode } from '../../errors.ts'
import { GitError } from '../command.ts'
import { failedRead, noGit } from './refusals.ts'

/** The error that tells a failed git process in words; undefined if it was something else that failed. */
export function findCommandFailure(error: unknown, url: string): BackupError | undefined {
  if (error instanceof GitError) return failedRead(error.finished, url)
  const code = findSystemCode(error)
  // Node says of a program that is not there what it says of a file.
  return code === 'ENOENT' && String(error).includes('spawn git') ? noGit(error) : undefined
}
