import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { codecs } from '../../codec/codecs.ts'
import { BackupError, messageOf } from '../../errors.ts'
import type { FileEntry } from '../../format/manifest/manifest.ts'
import { digester } from '../../streams/digest.ts'
import { splitLines } from '../../streams/lines.ts'
import { freeing } from '../../streams/memory.ts'
import { tap } from '../../streams/tap.ts'
import { quoteOutside } from '../../text.ts'
import { writeLines } from './lines-file.ts'

/** Pages on disk, from the moment in which each was fetched whole until they are put together. */
export type Spool = {
  /** Writes the lines of one more page. Nothing of it counts if they end in an error: then it can be written anew. */
  readonly write: (lines: AsyncIterable<readonly Buffer[]>) => Promise<void>
  /**
   * Gives the lines of all pages in order, and removes each page when it has been read. Throws `verification-failed` at the end of a page that is
   * not what was written.
   */
  readonly read: () => AsyncGenerator<readonly Buffer[]>
}

const compression = 'zstd'
/** The pages live for minutes: fast is better than small. */
const level = 1

/** Makes a {@link Spool} in a folder that nobody else uses. Its writing throws `disk-full`. */
export function makeSpool(folder: string): Spool {
  const pages: FileEntry[] = []
  return {
    write: async (lines) => {
      pages.push(await writeLines(folder, `page-${pages.length + 1}.ndjson`, { lines, compression, level }))
    },
    read: async function* () {
      for (const page of pages) {
        yield* linesOf(page, folder)
        await rm(join(folder, page.path))
      }
    },
  }
}

async function* linesOf({ path, contentDigest }: FileEntry, folder: string): AsyncGenerator<readonly Buffer[]> {
  const content = digester()
  try {
    const chunks = codecs[compression].decompress(createReadStream(join(folder, path), { highWaterMark: 1024 * 1024 }))
    for await (const { lines } of splitLines(tap(freeing(chunks), content.update), Number.POSITIVE_INFINITY)) yield lines
  } catch (error) {
    throw otherPages(`${path}: ${messageOf(error)}`, error)
  }
  if (content.result().digest !== contentDigest) throw otherPages(`${path} has another digest`)
}

/** The error for pages that are not what was written; `fact` says what is known of it. */
export function otherPages(fact: string, cause?: unknown): BackupError {
  return new BackupError({
    code: 'verification-failed',
    title: 'The pages did not come back as they were written',
    message: `The pages of the export were put aside until all had come. When they were read back, they were not what Sanity had sent: ${quoteOutside(fact, 200)}. Nothing was stored.`,
    hint: 'Run the backup once more. If it happens again, the runner’s disk or memory is not to be trusted: use another one.',
    cause,
  })
}
