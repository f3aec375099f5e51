import { type Sanity, startSanity } from '../../../doubles/sanity/sanity.ts'
import { type BackupRun, backUp, readSnapshot, type Snapshot, threeDocuments } from '../../support.ts'

export type ExportFault = Parameters<Sanity['fault']>[1]

export type Stream = NonNullable<ExportFault['stream']>

export type Scenario = {
  readonly name?: string
  readonly faults?: readonly ExportFault[]
  readonly stream?: Stream
  /** What the counts result in, one after the other. */
  readonly counts?: readonly unknown[]
  readonly lines?: readonly (string | Buffer)[]
  readonly inputs?: Readonly<Record<string, string>>
}

export type Ended = {
  readonly run: BackupRun
  readonly exports: number
  readonly queries: number
  readonly snapshot: Snapshot | undefined
}

/** Backs up into a folder and reads what is there afterwards. */
export async function backUpStream({ faults = [], stream, counts, lines, inputs = {} }: Scenario): Promise<Ended> {
  await using sanity = await startSanity(lines ? { lines } : { documents: threeDocuments })
  for (const fault of faults) sanity.fault('export', fault)
  if (stream) sanity.fault('export', { stream })
  if (counts) sanity.fault('query', { results: counts })
  await using run = await backUp({ sanity }, { inputs: { 'export-mode': 'stream', ...inputs } })
  const snapshot = run.exitCode === 0 ? await readSnapshot(run) : undefined
  return { run, exports: sanity.count('export'), queries: sanity.count('query'), snapshot }
}

export const truncated = { exitCode: 1, code: 'export-truncated' }
