import { BackupError } from '../../../errors.ts'
import { otherAssets } from '../../../format/asset-id.ts'
import type { ExportMode } from '../../../format/manifest.ts'
import { retrying, retryRules } from '../../../http/retry.ts'
import type { Inputs } from '../../../inputs/backup.ts'
import type { SanityApi } from '../../../sanity/api.ts'
import { countDocuments } from '../../../sanity/count.ts'
import { exportDocuments } from '../../../sanity/export/stream.ts'
import type { SnapshotFolder } from '../../../snapshot/workshop/workshop.ts'
import type { WrittenData } from '../../../snapshot/write/data-file.ts'
import { type Tally, tally } from '../../../tally/tally.ts'
import { formatBytes, formatCount, formatDuration, plural } from '../../../text.ts'
import type { Tools } from '../../../tools.ts'
import type { AssetIntake } from '../assets/save.ts'
import { exportProgress, savePages } from './pages.ts'
import { askedFor, writeDocuments } from './shard.ts'

/** The dataset's documents, saved and counted. */
export type SavedDocuments = Exported & {
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

/** What one export gave. */
export type Exported = {
  readonly tally: Tally
  /** Undefined in a shard that saves no documents. */
  readonly data: WrittenData | undefined
  readonly mode: ExportMode
  /** Documents that came on more than one page; the last was kept. */
  readonly repeated: number
}

export type Task = {
  readonly api: SanityApi
  readonly inputs: Inputs
  readonly folder: SnapshotFolder
  /** Takes the assets among the documents; undefined if their files are not wanted. */
  readonly assets: AssetIntake | undefined
}

/** The index behind the count lags behind the documents: how long it is given to catch up, in milliseconds. */
const indexLagMs = 2_000
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
export async function saveDocuments(whole: Task, tools: Tools): Promise<SavedDocuments> {
  const task = { ...whole, inputs: askedFor(whole.inputs) }
  const ways = waysOf(task.inputs.exportMode)
  for (let index = 0; ; index++) {
    const mode = ways[index] as ExportMode
    const next = ways[index + 1]
    const startedAt = performance.now()
    try {
      const { saved, expected } = await saveIn(mode, task, tools)
      if (saved.tally.received >= expected) return told({ ...saved, streamGivenUp: mode !== ways[0] }, tools)
      if (next === undefined) throw truncated(saved.tally.received, expected, mode)
      tools.log.warning(`The export held ${formatCount(saved.tally.received)} of ${plural(expected, 'document')}. ${announced(mode, next)}`)
    } catch (error) {
      if (!(error instanceof BackupError && error.retry.cut) || next === undefined || task.inputs.exportMode !== 'auto') throw error
      const nearCap = performance.now() - startedAt > nearCapMs ? ' That is Sanity’s limit of five minutes for one request.' : ''
      tools.log.warning(`${error.title}: ${error.message}${nearCap} ${announced(mode, next)}`)
      await tools.wait(cutWaitMs, tools.signal)
    }
  }
}

function waysOf(mode: Inputs['exportMode']): ExportMode[] {
  return mode === 'auto' ? ['stream', 'stream', 'cursor'] : [mode, mode]
}

function announced(mode: ExportMode, next: ExportMode): string {
  return mode === next ? 'It is made once more.' : 'From here on the documents are fetched page by page (`export-mode: cursor`).'
}

async function saveIn(
  mode: ExportMode,
  task: Task,
  tools: Tools,
): Promise<{ saved: Omit<SavedDocuments, 'streamGivenUp'>; expected: number }> {
  const { types } = task.inputs.filters
  const count = async () => await retrying(() => countDocuments(task.api, { types }), retryRules(tools))
  const liveCountBefore = await count()
  const startedAt = performance.now()
  const waitedBefore = tools.stopwatch.totalMs('download')
  const exported = mode === 'cursor' ? await savePages(task, tools) : await saveStream(task, liveCountBefore, tools)
  const exportMs = performance.now() - startedAt
  const waitedMs = tools.stopwatch.totalMs('download') - waitedBefore
  let liveCountAfter = await count()
  if (exported.tally.received < Math.min(liveCountBefore, liveCountAfter)) {
    await tools.wait(indexLagMs, tools.signal)
    liveCountAfter = await count()
  }
  return {
    saved: { ...exported, liveCountBefore, liveCountAfter, exportMs, waitedMs },
    expected: Math.min(liveCountBefore, liveCountAfter),
  }
}

function told(saved: SavedDocuments, { log }: Tools): SavedDocuments {
  const { tally: counted, data, exportMs, repeated } = saved
  const file = data?.file
  const size = file ? `${formatBytes(file.contentBytes ?? 0)}, ${formatBytes(file.sizeBytes)} compressed` : 'not saved by this shard'
  log.info(`Exported ${plural(counted.count, 'document')} (${size}) in ${formatDuration(exportMs)}`)
  if (counted.excluded > 0) log.info(`Left out by \`exclude-types\` and \`exclude-ids\`: ${plural(counted.excluded, 'document')}`)
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

/** In mode `auto` a cut is no reason to wait for the same stream again and again. */
async function saveStream(task: Task, expected: number, tools: Tools): Promise<Exported> {
  const stopAtCut = task.inputs.exportMode === 'auto'
  return await retrying(() => streamOnce(task, expected, tools), {
    ...retryRules(tools),
    giveUp: ({ retry }) => stopAtCut && retry.cut === true,
  })
}

async function streamOnce({ api, inputs, folder, assets }: Task, expected: number, tools: Tools): Promise<Exported> {
  const counting = tally(inputs.filters, Buffer.from(inputs.token))
  const progress = exportProgress(tools)
  assets?.restart()
  const lines = async function* (): AsyncGenerator<Buffer[]> {
    for await (const batch of exportDocuments(api, { types: inputs.filters.types, expected })) {
      progress(batch)
      await assets?.take(batch)
      yield counting.pick(batch)
    }
  }
  const data = await writeDocuments({ inputs, folder: folder.path, lines: lines() })
  return { tally: counting.result(), data, mode: 'stream', repeated: 0 }
}

function truncated(received: number, expected: number, mode: ExportMode): BackupError {
  return new BackupError({
    code: 'export-truncated',
    title: 'The export is incomplete',
    message: `The export ended without an error, but held ${formatCount(received)} documents where Sanity counts ${formatCount(expected)}, time after time. Nothing was stored.`,
    hint: `Run the backup again. If the number stays the same, ${mode === 'stream' ? 'try `export-mode: cursor`: the dataset may be too large for one request (Sanity allows five minutes). If it is small, ' : ''}check \`api-host\`, and show this message to Sanity support.`,
  })
}
