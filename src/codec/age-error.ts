/**
 * Why an age file could not be opened.
 * - `locked`: it is whole as far as one can see, and none of the identities fits.
 * - `unasked`: there was no identity to try.
 * - `armored`: it is an age file written as text, which we never write.
 * - `foreign`: it is no age file, or one of a version that we do not know.
 * - `damaged`: it is not what was encrypted: altered, cut off or continued.
 */
export type AgeReason = 'locked' | 'unasked' | 'armored' | 'foreign' | 'damaged'

const words: Record<AgeReason, string> = {
  locked: 'none of the identities opens the file',
  unasked: 'it is encrypted, and no identity was tried',
  armored: 'the file is an age file in text form (armor)',
  foreign: 'the file is not an age file of version 1',
  damaged: 'the file is damaged: what it holds is not what was encrypted',
}

/**
 * An age file that could not be opened. Its words are ours alone and it has no cause: messages of the age library can contain the secret key.
 * Callers that know the file make a `BackupError` of it.
 */
export class AgeError extends Error {
  readonly reason: AgeReason

  constructor(reason: AgeReason) {
    super(words[reason])
    this.name = 'AgeError'
    this.reason = reason
  }
}
