import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import type { Opener } from '../../codec/age.ts'
import { AgeError } from '../../codec/age-error.ts'
import { BackupError } from '../../errors.ts'
import { isSealed } from '../../format/manifest/sealed.ts'
import { quoteOutside } from '../../text.ts'

/** A file in the folder of a snapshot; `parts`: of a data file that a branch has in parts, in their order. */
type StoredFile = { readonly folder: string; readonly path: string; readonly parts?: readonly string[] }

/**
 * Gives what a file of a snapshot held before it was encrypted, still compressed where it was; of one that is not encrypted, its bytes. Throws
 * `snapshot-locked` if no identity opens it, and an `AgeError` if it is not as it was encrypted. What comes until then is only a beginning: use it
 * when the end was reached.
 */
export async function* openedFile({ folder, path, parts = [path] }: StoredFile, opener: Opener | undefined): AsyncGenerator<Buffer> {
  const stored = joined(folder, parts)
  if (!isSealed({ path })) return yield* stored
  if (opener === undefined) throw locked(path)
  try {
    yield* opener.open(stored)
  } catch (error) {
    throw error instanceof AgeError && error.reason === 'locked' ? locked(path) : error
  }
}

async function* joined(folder: string, parts: readonly string[]): AsyncGenerator<Buffer> {
  for (const part of parts) yield* createReadStream(join(folder, part), { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>
}

function locked(path: string): BackupError {
  return new BackupError({
    code: 'snapshot-locked',
    title: 'The snapshot is locked',
    message: `The file ${quoteOutside(path)} is encrypted, and no identity that was given opens it.`,
    hint: 'Give the input `identity` the secret key (`AGE-SECRET-KEY-…`) of one of the recipients that the manifest names. docs/encryption.md tells more.',
  })
}
