import type { ExportMode } from '../../format/manifest/manifest.ts'
import type { SanityApi } from '../../sanity/api.ts'
import type { ExportedDocument } from '../../sanity/export/stream.ts'
import type { WrittenData } from '../../snapshot/write/data-file.ts'
import type { Tally, tally } from '../../tally/tally.ts'
import { formatBytes, plural } from '../../text.ts'
import type { Tools } from '../../tools.ts'

/** One way to fetch all documents of a dataset. */
export type Way = {
  readonly mode: ExportMode
  /** Fetches and writes all documents once. Throws what the last try throws. */
  readonly fetch: (needs: WayNeeds, tools: Tools) => Promise<Exported>
  /** Whether a try goes on where the one before was cut. If not, a dataset that is too large for one request is cut time after time. */
  readonly resumes: boolean
}

/** Sees the documents go by, before any is left out. */
export type Intake = {
  /** The documents come from the start: what counts is only what comes from now on. */
  readonly restart: () => void
  /** Takes some of the documents. What it throws ends the export. */
  readonly take: (documents: readonly ExportedDocument[]) => Promise<void>
}

/** What every way needs. */
export type WayNeeds = {
  readonly api: SanityApi
  /** The types to ask for; all if there are none. */
  readonly types: readonly string[]
  /** About how many documents there are. */
  readonly expected: number
  /** Whether an answer that was cut is left to the next way instead of being asked for again. */
  readonly stopAtCut: boolean
  /** Where pages wait until all have come. */
  readonly pagesFolder: string
  /** Begins a count of the documents, which also picks the lines that are kept. */
  readonly startTally: () => ReturnType<typeof tally>
  readonly intake: Intake | undefined
  /** Writes the lines that are kept; gives undefined where no documents are saved. */
  readonly write: (lines: AsyncIterable<readonly Buffer[]>) => Promise<WrittenData | undefined>
}

/** What one export gave. */
export type Exported = {
  readonly tally: Tally
  /** Undefined where no documents are saved. */
  readonly data: WrittenData | undefined
  /** Documents that came on more than one page; the last was kept. */
  readonly repeated: number
}

/** Makes the function that is called with each batch as it comes, and that logs now and then how far the export is. */
export function exportProgress({ log }: Pick<Tools, 'log'>): (batch: readonly ExportedDocument[]) => void {
  const startedAt = performance.now()
  let documents = 0
  let bytes = 0
  return (batch) => {
    documents += batch.length
    for (const document of batch) bytes += document.bytes.length + 1
    log.progress(() => {
      const seconds = Math.max(0.001, (performance.now() - startedAt) / 1000)
      return `Exporting: ${plural(documents, 'document')}, ${formatBytes(bytes)}, ${formatBytes(Math.round(bytes / seconds))}/s`
    })
  }
}
