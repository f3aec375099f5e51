import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { codecs } from '../codec/codec.ts'
import { splitLines } from '../streams/lines.ts'
import { writeLines } from './write.ts'

/** Pages on disk, from the moment in which each was fetched whole until they are put together. */
export type Spool = {
  /** Writes the lines of one more page. Nothing of it counts if they end in an error: then it can be written anew. */
  readonly write: (lines: AsyncIterable<readonly Buffer[]>) => Promise<void>
  /** Gives the lines of all pages in order, and removes each page when it has been read. */
  readonly read: () => AsyncGenerator<readonly Buffer[]>
}

const compression = 'zstd'
/** The pages live for minutes: fast is better than small. */
const level = 1

/** Makes a {@link Spool} in a folder that nobody else uses. Its writing throws `disk-full`. */
export function makeSpool(folder: string): Spool {
  let pages = 0
  const nameOf = (page: number) => `page-${page}.ndjson`
  const fileOf = (page: number) => join(folder, `${nameOf(page)}.${codecs[compression].extension}`)
  return {
    write: async (lines) => {
      await writeLines(folder, nameOf(pages + 1), { lines, compression, level })
      pages++
    },
    read: async function* () {
      for (let page = 1; page <= pages; page++) {
        const chunks = codecs[compression].decompress(createReadStream(fileOf(page), { highWaterMark: 1024 * 1024 }))
        for await (const { lines } of splitLines(chunks, Number.POSITIVE_INFINITY)) yield lines
        await rm(fileOf(page))
      }
    },
  }
}
