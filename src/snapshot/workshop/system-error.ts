import { BackupError, findSystemCode } from '../../errors.ts'
import { diskFull, isDiskFull } from './room.ts'

/**
 * The error for what the operating system refused while something was written to, or read from, `place`; undefined for what has no words of its own.
 */
export async function systemError(error: unknown, place: string): Promise<BackupError | undefined> {
  if (isDiskFull(error)) return await diskFull(error, place)
  const code = findSystemCode(error) ?? ''
  const words = refusals[code]
  return words && new BackupError({ ...words, message: `${words.message(place)} (${code}).`, cause: error })
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
