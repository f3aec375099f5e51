import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import type { Opener } from '../../codec/age.ts'
import { AgeError } from '../../codec/age-error.ts'
import { findCodec } from '../../codec/codecs.ts'
import { isSealed, plainName } from '../../format/manifest/sealed.ts'
import { freeing } from '../../streams/memory.ts'
import { tap } from '../../streams/tap.ts'

/** A file in the folder of a snapshot; `parts`: the files that it lies in, in their order, where a branch has it in parts. */
export type StoredFile = { readonly folder: string; readonly path: string; readonly parts?: readonly string[] }

/** How a file is read, and who looks on. */
export type Reading = {
  /** Opens what is encrypted. */
  readonly opener?: Opener | undefined
  readonly signal?: AbortSignal
  /** Sees each chunk as it is stored, with the number of its part, from 0 on. */
  readonly onStored?: (chunk: Buffer, part: number) => void
  /** Sees each chunk once it is opened, still compressed. */
  readonly onOpened?: (chunk: Buffer) => void
}

/**
 * Gives what a file of a snapshot held before it was encrypted, still compressed where it was; of one that is not encrypted, its bytes. Throws an
 * `AgeError` if no identity opens it, or if it is not as it was encrypted. What comes until then is only a beginning: use it when the end was reached.
 */
export async function* openedFile(file: StoredFile, reading: Reading = {}): AsyncGenerator<Buffer> {
  const { opener, onOpened = () => undefined } = reading
  const stored = joined(file, reading)
  if (!isSealed(file)) yield* tap(stored, onOpened)
  else if (opener === undefined) throw new AgeError('unasked')
  else yield* tap(opener.open(stored), onOpened)
}

/** Gives the content of a file of a snapshot: opened, and unpacked where its name says that it is packed. Throws as `openedFile` does, and zlib's errors. */
export function unpackedFile(file: StoredFile, reading: Reading = {}): AsyncGenerator<Buffer> {
  const opened = openedFile(file, reading)
  return freeing(findCodec(plainName(file.path))?.decompress(opened) ?? opened)
}

async function* joined({ folder, path, parts = [path] }: StoredFile, { signal, onStored }: Reading): AsyncGenerator<Buffer> {
  for (const [index, part] of parts.entries()) {
    const chunks = createReadStream(join(folder, part), { highWaterMark: 256 * 1024, ...(signal ? { signal } : {}) })
    for await (const chunk of chunks as AsyncIterable<Buffer>) {
      onStored?.(chunk, index)
      yield chunk
    }
  }
}
