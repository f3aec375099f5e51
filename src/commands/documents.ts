import { BackupError } from '../errors.ts'
import type { Inputs } from '../inputs.ts'
import type { SanityApi } from '../sanity/api.ts'
import { countDocuments } from '../sanity/count.ts'
import { exportDocuments } from '../sanity/export.ts'
import { retrying } from '../sanity/retry.ts'
import type { FileEntry } from '../snapshot/manifest.ts'
import { type Tally, tally } from '../snapshot/tally.ts'
import { writeData } from '../snapshot/write.ts'
import { formatBytes, formatCount, formatDuration, plural } from '../text.ts'
import type { Tools } from '../tools.ts'

/** The dataset's documents, saved and counted. */
export type SavedDocuments = {
  readonly tally: Tally
  readonly file: FileEntry
  /** Live documents before and after the export. */
  readonly liveCountBefore: number
  readonly liveCountAfter: number
  /** How long the export took, in milliseconds. */
  readonly exportMs: number
}

type Task = { readonly api: SanityApi; readonly inputs: Inputs; readonly folder: string }

/** An export that came out short is made once more before it is called truncated. */
const completeTries = 2
/** The index behind the count lags behind the documents: how long it is given to catch up, in milliseconds. */
const indexLagMs = 2_000

/**
 * Saves every document of the dataset into the snapshot's folder and proves that none is missing.
 *
 * Sanity's stream has no end mark and no length, so completeness is a comparison with an independent count before and after: the stream must
 * hold at least as many documents as the smaller of the two. Throws `export-truncated` if it does not, even when the count was asked again and
 * the export repeated.
 */
export async function saveDocuments(task: Task, tools: Tools): Promise<SavedDocuments> {
  const { types } = task.inputs.filters
  const count = async () => await retrying(() => countDocuments(task.api, { types }), patiently(tools))
  for (let tryNumber = 1; ; tryNumber++) {
    const liveCountBefore = await count()
    const startedAt = tools.now().getTime()
    const { tally: counted, file } = await retrying(() => exportOnce(task, tools), patiently(tools))
    const exportMs = tools.now().getTime() - startedAt
    let liveCountAfter = await count()
    if (counted.received < Math.min(liveCountBefore, liveCountAfter)) {
      await tools.wait(indexLagMs, tools.signal)
      liveCountAfter = await count()
    }
    const expected = Math.min(liveCountBefore, liveCountAfter)
    if (counted.received >= expected) {
      const size = file.contentBytes ?? 0
      tools.log.info(
        `Exported ${plural(counted.count, 'document')} (${formatBytes(size)}, ${formatBytes(file.sizeBytes)} compressed) in ${formatDuration(exportMs)}`,
      )
      return { tally: counted, file, liveCountBefore, liveCountAfter, exportMs }
    }
    if (tryNumber === completeTries) throw truncated(counted.received, expected)
    tools.log.warning(`The export held ${formatCount(counted.received)} of ${plural(expected, 'document')}. It is made once more.`)
  }
}

async function exportOnce({ api, inputs, folder }: Task, { log, now }: Tools): Promise<{ tally: Tally; file: FileEntry }> {
  const counting = tally(inputs.filters, Buffer.from(inputs.token))
  const startedAt = now().getTime()
  let documents = 0
  let bytes = 0
  const lines = async function* (): AsyncGenerator<Buffer[]> {
    for await (const batch of exportDocuments(api, { types: inputs.filters.types })) {
      documents += batch.length
      for (const document of batch) bytes += document.bytes.length + 1
      log.progress(() => {
        const seconds = Math.max(0.001, (now().getTime() - startedAt) / 1000)
        return `Exporting: ${plural(documents, 'document')}, ${formatBytes(bytes)}, ${formatBytes(Math.round(bytes / seconds))}/s`
      })
      yield counting.pick(batch)
    }
  }
  const file = await writeData(folder, { lines: lines(), compression: inputs.compression, level: inputs.compressionLevel })
  return { tally: counting.result(), file }
}

function patiently({ wait, signal, log }: Tools): Parameters<typeof retrying>[1] {
  return {
    wait,
    signal,
    onRetry: (error, waitMs, tryNumber) =>
      log.info(`${error.title}: ${error.message} Try ${tryNumber + 1} of ${error.retry.tries} follows in ${formatDuration(waitMs)}.`),
  }
}

function truncated(received: number, expected: number): BackupError {
  return new BackupError({
    code: 'export-truncated',
    title: 'The export is incomplete',
    message: `The stream ended without an error, but held ${formatCount(received)} documents where Sanity counts ${formatCount(expected)}, twice in a row. Nothing was stored.`,
    hint: 'Run the backup again. If the number stays the same, the dataset may be too large for one export request (Sanity allows five minutes): limit it with `types`. If it is small, check `api-host`, and show this message to Sanity support.',
  })
}
