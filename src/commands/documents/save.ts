import { BackupError } from '../../errors.ts'
import { otherAssets } from '../../format/asset-id.ts'
import type { Filters } from '../../format/manifest/filters.ts'
import type { ExportMode } from '../../format/manifest/manifest.ts'
import { retrying, retryRules } from '../../http/retry.ts'
import type { SanityApi } from '../../sanity/api.ts'
import { countDocuments } from '../../sanity/count.ts'
import { tally } from '../../tally/tally.ts'
import { formatBytes, formatCount, formatDuration, plural } from '../../text.ts'
import type { Tools } from '../../tools.ts'
import { savePages } from './pages.ts'
import { saveStream } from './stream.ts'
import type { Exported, Intake, Way, WayNeeds } from './way.ts'

/** The dataset's documents, saved and counted. */
export type SavedDocuments = Exported & {
  readonly mode: ExportMode
  /** Live documents before and after the export. */
  readonly liveCountBefore: number
  readonly liveCountAfter: number
  /** Whether the one request was given up, because it was cut or short twice. */
  readonly streamGivenUp: boolean
  /** How long the export took, in milliseconds. */
  readonly exportMs: number
  /** How much of that was spent waiting for Sanity's bytes. */
  readonly waitedMs: number
}

/** What is to be saved, and where. */
export type DocumentNeeds = {
  readonly api: SanityApi
  /** Looked for in the documents, which must not hold it. */
  readonly token: string
  /** `auto` begins with one stream and goes on in pages if that is cut or short twice. */
  readonly exportMode: 'auto' | ExportMode
  readonly filters: Filters
  /** What the log says of documents that the filters leave out: the inputs that do it, as a rule. */
  readonly leftOut?: string
  readonly pagesFolder: string
  readonly intake: Intake | undefined
  readonly write: WayNeeds['write']
  /** How long the index behind the count is given to catch up with what was deleted: waits in milliseconds, one after the other. */
  readonly lagWaitsMs?: readonly number[]
}

const streamWay: Way = { mode: 'stream', fetch: saveStream, resumes: false }
const cursorWay: Way = { mode: 'cursor', fetch: savePages, resumes: true }

/** The ways that are tried, one after the other, until one gives every document. */
const waysOf: Record<DocumentNeeds['exportMode'], readonly [Way, ...Way[]]> = {
  auto: [streamWay, streamWay, cursorWay],
  stream: [streamWay, streamWay],
  cursor: [cursorWay, cursorWay],
}

/** The index behind the count lags behind the documents. */
const defaultLagWaitsMs = [2_000] as const
/** How long a cut stream is left alone before it is asked for again, in milliseconds. */
const cutWaitMs = 1_000
/** Sanity ends an export request after five minutes (sanity.io/docs/content-lake/technical-limits); a cut from here on is likely to be that. */
const nearCapMs = 285_000

/**
 * Saves every document of the dataset into the snapshot's folder and proves that none is missing.
 *
 * Sanity's stream has no end mark and no length, so completeness is a comparison with an independent count before and after: the export must
 * hold at least as many documents as the smaller of the two. One that is short is made once more; in mode `auto` one that is cut as well, and
 * after the second time the documents are fetched page by page. Throws `export-truncated` if the last way was short too, even when the count
 * was asked again.
 */
export async function saveDocuments(needs: DocumentNeeds, tools: Tools): Promise<SavedDocuments> {
  const ways = waysOf[needs.exportMode]
  for (let index = 0; ; index++) {
    const way = ways[index] as Way
    const next = ways[index + 1]
    const stopAtCut = needs.exportMode === 'auto' && !way.resumes
    const startedAt = performance.now()
    try {
      const { saved, expected } = await saveOneWay(
        way,
        { ...wayNeedsOf(needs, { stopAtCut }), lagWaitsMs: needs.lagWaitsMs ?? defaultLagWaitsMs },
        tools,
      )
      const { received } = saved.tally
      if (received >= expected) return logExport({ ...saved, streamGivenUp: way !== ways[0] }, needs, tools)
      if (next === undefined) throw truncated(received, expected, way)
      tools.log.warning(`The export held ${formatCount(received)} of ${plural(expected, 'document')}. ${announced(way, next)}`)
    } catch (error) {
      if (!(error instanceof BackupError && error.retry.cut) || next === undefined || !stopAtCut) throw error
      const nearCap = performance.now() - startedAt > nearCapMs ? ' That is Sanity’s limit of five minutes for one request.' : ''
      tools.log.warning(`${error.title}: ${error.message}${nearCap} ${announced(way, next)}`)
      await tools.wait(cutWaitMs, tools.signal)
    }
  }
}

function announced(way: Way, next: Way): string {
  return way === next ? 'It is made once more.' : 'From here on the documents are fetched page by page (`export-mode: cursor`).'
}

function wayNeedsOf(needs: DocumentNeeds, { stopAtCut }: Pick<WayNeeds, 'stopAtCut'>): Omit<WayNeeds, 'expected'> {
  const { api, token, filters, pagesFolder, intake, write } = needs
  return { api, types: filters.types, stopAtCut, pagesFolder, startTally: () => tally(filters, Buffer.from(token)), intake, write }
}

/** What one way gave, and how many documents it had to give at least. */
type Compared = { readonly saved: Omit<SavedDocuments, 'streamGivenUp'>; readonly expected: number }

type OneWayNeeds = Omit<WayNeeds, 'expected'> & { readonly lagWaitsMs: readonly number[] }

async function saveOneWay({ mode, fetch }: Way, { lagWaitsMs, ...needs }: OneWayNeeds, tools: Tools): Promise<Compared> {
  const count = async () => await retrying(() => countDocuments(needs.api, { types: needs.types }), retryRules(tools))
  const liveCountBefore = await count()
  const startedAt = performance.now()
  const waitedBefore = tools.stopwatch.totalMs('download')
  const exported = await fetch({ ...needs, expected: liveCountBefore }, tools)
  const exportMs = performance.now() - startedAt
  const waitedMs = tools.stopwatch.totalMs('download') - waitedBefore
  let liveCountAfter = await count()
  for (const waitMs of lagWaitsMs) {
    if (exported.tally.received >= Math.min(liveCountBefore, liveCountAfter)) break
    await tools.wait(waitMs, tools.signal)
    liveCountAfter = await count()
  }
  return {
    saved: { ...exported, mode, liveCountBefore, liveCountAfter, exportMs, waitedMs },
    expected: Math.min(liveCountBefore, liveCountAfter),
  }
}

const leftOutByInputs = 'Left out by `exclude-types` and `exclude-ids`'

function logExport(saved: SavedDocuments, { leftOut = leftOutByInputs }: DocumentNeeds, { log }: Tools): SavedDocuments {
  const { tally: counted, data, exportMs, repeated } = saved
  const file = data?.file
  const size = file ? `${formatBytes(file.contentBytes ?? 0)}, ${formatBytes(file.sizeBytes)} compressed` : 'not saved here'
  log.info(`Exported ${plural(counted.count, 'document')} (${size}) in ${formatDuration(exportMs)}`)
  if (counted.excluded > 0) log.info(`${leftOut}: ${plural(counted.excluded, 'document')}`)
  for (const [type, count] of otherAssets(counted.byType)) {
    log.info(
      `Not included: the files of ${plural(count, 'asset')} of type ${type}. They lie in the Media Library; their documents are saved.`,
    )
  }
  if (repeated > 0) {
    log.info(
      `Documents that were changed while the pages were fetched came again, ${formatCount(repeated)} in all. Of each the last one counts.`,
    )
  }
  return saved
}

function truncated(received: number, expected: number, { resumes }: Way): BackupError {
  return new BackupError({
    code: 'export-truncated',
    title: 'The export is incomplete',
    message: `The export ended without an error, but held ${formatCount(received)} documents where Sanity counts ${formatCount(expected)}, time after time. Nothing was stored.`,
    hint: `Run the backup again. If the number stays the same, ${resumes ? '' : 'try `export-mode: cursor`: the dataset may be too large for one request (Sanity allows five minutes). If it is small, '}check \`api-host\`, and show this message to Sanity support.`,
  })
}
