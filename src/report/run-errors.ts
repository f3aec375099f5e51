import { BackupError, messageOf } from '../errors.ts'
import { formatDuration, quoteOutside } from '../text.ts'
import { toolVersion } from '../version.ts'

/** The error for a run that was ended from outside. */
export function cancelled(signal: string): BackupError {
  return new BackupError({
    code: 'cancelled',
    title: 'The backup was cancelled',
    message: `The run was ended from outside (${signal}) before it was done.`,
    hint: 'Run it again. If it was the time limit, raise `timeout-minutes`; if it was `concurrency`, set `cancel-in-progress: false`.',
  })
}

/** The error for a run that ends itself, while there is still time to clean up and to report. */
export function tookTooLong(budgetMs: number): BackupError {
  return new BackupError({
    code: 'cancelled',
    title: 'The backup took too long',
    message: `The run was not done after ${formatDuration(budgetMs)}, shortly before GitHub would have ended the job.`,
    hint: 'See in the log which step takes so long. Split the dataset with `types` over a matrix, use `compression: zstd`, or a faster runner.',
  })
}

/** The error for anything that was thrown and is no BackupError: a bug of ours. */
export function unexpected(thrown: unknown): BackupError {
  const stack = Error.isError(thrown) && thrown.stack ? thrown.stack : messageOf(thrown)
  return new BackupError({
    code: 'unexpected',
    title: 'Unexpected error, please report',
    message: `${quoteOutside(messageOf(thrown), 500)}\n${stack.split('\n').slice(1, 8).join('\n')}\nsanity-backup ${toolVersion}, Node ${process.version}`,
    hint: 'This is a fault in sanity-backup. Nothing that it calls a snapshot is affected. Please report it with this message.',
    cause: thrown,
  })
}

/** The error for a process that exits without a result: it waited for something that never came. */
export function neverDone(): BackupError {
  return unexpected(new Error('the run ended before it was done: something was waited for that never came'))
}
