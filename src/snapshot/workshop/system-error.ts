import { BackupError, findSystemCode, reworded } from '../../errors.ts'
import { diskFull, isDiskFull } from './room.ts'
import { type FolderName, folderCures } from './workshop.ts'

/**
 * The error for what the operating system refused while something was written to, or read from, `place`; undefined for what has no words of its own.
 */
export async function systemError(error: unknown, place: string): Promise<BackupError | undefined> {
  if (isDiskFull(error)) return await diskFull(error, place)
  const code = findSystemCode(error) ?? ''
  const words = refusals[code]
  return words && new BackupError({ ...words, message: `${words.message(place)} (${code}).`, cause: error })
}

/** What names the folder where a command that reads snapshots writes. There `path` is the place that is read. */
type ReadingFolder = Exclude<FolderName, 'path'>

/** The same error with what helps there, where it says what helps a backup. */
export function inWordsOf(of: ReadingFolder, error: BackupError): BackupError {
  const refusal = error.code === 'disk-full' ? 'ENOSPC' : (findSystemCode(error.cause) ?? '')
  const hint = /`(path|asset-concurrency|compression)/.test(error.hint) ? readingCures[refusal]?.[of] : undefined
  return hint === undefined ? error : reworded(error, { hint })
}

const noMoreFiles = 'Raise the limit on the runner (`ulimit -n`, LimitNOFILE of its service).'
const failingDisk = 'Look at the system’s log (`dmesg`) for this disk. No snapshot on it should be relied on before it was verified.'
const moreFiles = { 'fetch-to': noMoreFiles, RUNNER_TEMP: noMoreFiles }

const readingCures: Record<string, Record<ReadingFolder, string>> = {
  ENOSPC: {
    'fetch-to': 'Free disk space before this step, let `fetch-to` name a folder on a larger disk, or use a runner with more room.',
    RUNNER_TEMP: 'Free disk space before this step, or use a runner with more room: the work is done in its folder for temporary files.',
  },
  EMFILE: moreFiles,
  ENFILE: moreFiles,
  EIO: { 'fetch-to': failingDisk, RUNNER_TEMP: failingDisk },
  EROFS: folderCures,
}

type Words = {
  readonly code: BackupError['code']
  readonly title: string
  readonly message: (place: string) => string
  readonly hint: string
}

const tooManyFiles: Words = {
  code: 'unexpected',
  title: 'Too many files are open',
  message: () => 'The system lets this job open no more files',
  hint: 'Raise the limit on the runner (`ulimit -n`, LimitNOFILE of its service), or lower `asset-concurrency`.',
}

const refusals: Record<string, Words> = {
  EMFILE: tooManyFiles,
  ENFILE: tooManyFiles,
  EFBIG: {
    code: 'disk-full',
    title: 'A file is larger than the disk takes',
    message: (place) => `A file of the snapshot became larger than the file system of "${place}", or the limit of this job, allows`,
    hint: 'Let `path` point to another disk (FAT takes 4 GB a file), raise the limit (`ulimit -f`), or use `compression: zstd`.',
  },
  EIO: {
    code: 'unexpected',
    title: 'The disk failed',
    message: (place) => `The disk of "${place}" could not read or write what it was asked to`,
    hint: 'Look at the system’s log (`dmesg`) for this disk, and let `path` point to a healthy one. No snapshot on it should be relied on before it was verified.',
  },
  EROFS: {
    code: 'input-invalid',
    title: 'The disk takes no changes',
    message: (place) => `The file system of "${place}" is read-only`,
    hint: 'Let `path` name a folder that this job may write to. A disk that became read-only by itself is often a failing one: see the system’s log (`dmesg`).',
  },
}
