import { BackupError, reworded } from '../../errors.ts'
import { isDamaged } from '../../git/server/refusals.ts'
import { quoteOutside } from '../../text.ts'

/** The error for a repository in which a branch for backups would become the main one. */
export function emptyRepositoryError(repository: string): BackupError {
  return new BackupError({
    code: 'branch-rejected',
    title: 'The repository is empty',
    message: `"${quoteOutside(repository)}" has no commit yet, and GitHub would make the first branch that is pushed its default branch. Nothing was stored.`,
    hint: 'Make a first commit in it, for example with a README, and run the backup again.',
  })
}

/** The error for a branch that is not for backups. */
export function defaultBranchError(branch: string, repository: string): BackupError {
  return new BackupError({
    code: 'input-invalid',
    title: 'An input is not valid',
    message: `branch: "${quoteOutside(branch)}" is the default branch of ${quoteOutside(repository)}, which backups must not be mixed with. Nothing was stored.`,
    hint: 'Name another branch, or leave `branch` at its default. It is created if it is not there.',
  })
}

/** The error for somebody else's file that a folder of ours would replace. */
export function inTheWayError(path: string, branch: string): BackupError {
  return new BackupError({
    code: 'branch-rejected',
    title: 'The branch holds a file where the snapshot belongs',
    message: `On the branch "${quoteOutside(branch)}", "${quoteOutside(path)}" is not a folder. What is not ours is left alone. Nothing was stored.`,
    hint: 'Name another branch in `branch`, or move that file away.',
  })
}

/** The error for a branch that was never where it had been a moment before. */
export function conflictError(branch: string, tries: number): BackupError {
  return new BackupError({
    code: 'branch-conflict',
    title: 'Other runs kept moving the branch',
    message: `The branch "${quoteOutside(branch)}" was moved by others ${tries} times in a row while the commit was made. Nothing was stored on it.`,
    hint: 'Run the job again. Let backups wait for one another with `concurrency`, and keep at most five runs going at a time on one branch (`max-parallel` in a matrix).',
  })
}

/** Whether a server could not be asked, which says nothing about what lies there. */
export function isUnread(error: unknown): error is BackupError {
  return error instanceof BackupError && error.code === 'branch-rejected' && !isDamaged(error)
}

/** The error for a commit of which it is not known whether it is whole, or even there. */
export function unreadError(
  { message, cause }: BackupError,
  { commit, branch }: { readonly commit: string; readonly branch: string },
): BackupError {
  return new BackupError({
    code: 'verification-failed',
    title: 'The branch could not be read back',
    message: `The commit ${commit} was sent to the branch "${quoteOutside(branch)}", and could not be read back from there: ${message} The commit was left there. Nothing shows that it is wrong, and nothing proves that it is whole.`,
    hint: 'Run the backup again when the server answers; see githubstatus.com.',
    cause,
  })
}

/** The error for a branch that holds the snapshot already, and could not be read when its time had come. */
export function notReadError({ message, cause }: BackupError, branch: string): BackupError {
  return new BackupError({
    code: 'verification-failed',
    title: 'The branch could not be read back',
    message: `The branch "${quoteOutside(branch)}" holds the same documents and assets already. When all of it was to be read back, as it is every seven days, that could not be done: ${message}`,
    hint: 'Run the backup again when the server answers; see githubstatus.com.',
    cause,
  })
}

/** The same for one that lies beside the branch, which it is not put on. */
export function unprovenError({ message, cause }: BackupError, commit: string): BackupError {
  return new BackupError({
    code: 'verification-failed',
    title: 'The commit could not be read back',
    message: `The commit ${commit} was sent to the server, and could not be read back from there: ${message} The branch was left as it was.`,
    hint: 'Run the backup again when the server answers; see githubstatus.com.',
    cause,
  })
}

/** The error for a commit that came back wrong before the branch was moved to it. */
export function untouched(error: BackupError): BackupError {
  return reworded(error, { message: `${error.message} The branch was left as it was.` })
}

/** The error for a commit that is proven, where the server does not tell whether the branch was moved to it. */
export function unsettledError(error: BackupError, { commit, branch }: { readonly commit: string; readonly branch: string }): BackupError {
  return new BackupError({
    code: 'branch-rejected',
    title: 'It is not known whether the branch was moved',
    message: `The commit ${commit} was read back and is whole. When the branch "${quoteOutside(branch)}" was to be moved to it, the server did not say how that ended: ${error.message} The branch is at that commit, or where it was before.`,
    hint: 'Run the backup again when the server answers; see githubstatus.com.',
    cause: error,
  })
}

/** The error to throw when a commit must not stay because of `error`: it says whether that worked. */
export function withdrawnError(error: unknown, { commit, back }: { readonly commit: string; readonly back: boolean }): unknown {
  if (!(error instanceof BackupError)) return error
  const { code, title, message, hint, cause } = error
  return back
    ? new BackupError({ code, title, message: `${message} The branch was put back where it was.`, hint, cause })
    : new BackupError({
        code,
        title,
        message: `${message} It is not known whether the branch was put back; the commit ${commit} may still be there.`,
        hint: `Do not trust that commit. ${hint}`,
        cause,
      })
}
