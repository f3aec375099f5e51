import { type BackupError, reworded } from '../../../errors.ts'
import { plural } from '../../../text.ts'

/** Tells a host that fails for a few files from one that fails for all: then no more requests are made. */
export type HostHealth = {
  /** Notes a request that failed. Gives the error to throw: the given one, or the one that ends the run. */
  readonly failed: (error: BackupError, path: string) => BackupError
  /** Notes a file that came and is not the right one. Gives the error to throw, as `failed` does. */
  readonly sentWrongFile: (error: BackupError, path: string) => BackupError
  /** Notes that the host gave a file, or said that there is none. */
  readonly answered: () => void
  /** Notes that the host gave a file that is the right one. */
  readonly sentRightFile: () => void
}

/** So many requests for each parallel download may fail one after the other, with none between that worked, before no more are made. */
const failuresPerDownload = 4
/** A host that fails does so for every file. A few that it cannot give are only missing. */
const leastFailingFiles = 5
/** A dataset can have some files that are not what they were. A host, or a proxy, that gives only such is none. */
const mostWrongFiles = 100

/** Makes a {@link HostHealth} for so many downloads at a time. */
export function hostHealth({ concurrency }: { readonly concurrency: number }): HostHealth {
  const limit = { requests: failuresPerDownload * concurrency, files: Math.max(leastFailingFiles, concurrency + 1) }
  const failures = failureStreak()
  const wrongFiles = failureStreak()
  return {
    failed: (error, path) => {
      const { requests, files } = failures.add(path)
      return requests >= limit.requests && files >= limit.files ? hostFailsError(error, requests) : error
    },
    sentWrongFile: (error, path) => {
      const { requests, files } = wrongFiles.add(path)
      return files >= mostWrongFiles ? hostFailsError(error, requests) : error
    },
    answered: failures.end,
    sentRightFile: wrongFiles.end,
  }
}

type Streak = { readonly files: number; readonly requests: number }

/** Counts failures, one after the other, and the files that they concern. */
function failureStreak(): { readonly add: (path: string) => Streak; readonly end: () => void } {
  const files = new Set<string>()
  let requests = 0
  return {
    add: (path) => {
      files.add(path)
      requests++
      return { files: files.size, requests }
    },
    end: () => {
      files.clear()
      requests = 0
    },
  }
}

function hostFailsError(error: BackupError, count: number): BackupError {
  return reworded(error, {
    title: 'The asset host fails time after time',
    message: `${plural(count, 'request')} for the files of assets failed, one after the other, so no more were made. The last one: ${error.title}: ${error.message}`,
  })
}
