import { join } from 'node:path'
import { BackupError, reworded } from '../../errors.ts'
import type { RestoreInputs } from '../../inputs/restore.ts'
import { unexpected } from '../../report/run-errors.ts'
import type { Runner } from '../../runner.ts'
import type { SanityApi } from '../../sanity/api.ts'
import { writeApi } from '../../sanity/write/write.ts'
import { inWordsOf, systemError } from '../../snapshot/workshop/system-error.ts'
import type { SnapshotFolder } from '../../snapshot/workshop/workshop.ts'
import { openLineFile } from '../../snapshot/write/append-file.ts'
import { unlessAborted } from '../../streams/abort.ts'
import { formatCount, plural, quoteOutside } from '../../text.ts'
import type { Tools } from '../../tools.ts'
import { keepFiles } from '../destinations.ts'
import { applyPlan } from './apply/apply.ts'
import { type Journal, openJournal } from './apply/journal.ts'
import { makeLanes } from './apply/lanes.ts'
import { layOutLines } from './apply/lay-out-lines.ts'
import { openLeft } from './apply/left.ts'
import { checkRights } from './apply/rights.ts'
import type { Applied, Difference, Proof } from './outcome.ts'
import type { Prepared } from './prepare.ts'
import { prove } from './prove.ts'
import type { Safety, StoredSafety } from './safety.ts'

type CarryNeeds = {
  readonly prepared: Prepared
  readonly safety: Safety
  readonly api: SanityApi
  readonly runner: Runner
  /** The folder of the plan and the journal. */
  readonly files: string
  readonly workshop: SnapshotFolder
}

type CarriedOut = { readonly applied: Applied; readonly failure: BackupError | undefined }

/**
 * Carries a plan out that nothing speaks against: asks whether the token may, stores the target as it was, writes, and proves the result. Throws what comes
 * up before the first write; later failures are part of what it gives, with the way to go on.
 */
export async function carryOut(inputs: RestoreInputs, needs: CarryNeeds, tools: Tools): Promise<CarriedOut> {
  const { prepared, safety, api, runner, files, workshop } = needs
  await using lines = await layOutLines(prepared, workshop.scratch, tools)
  const { wait, signal, log } = tools
  const lanes = makeLanes()
  const write = writeApi(api, { wait, signal, log, onConflict: lanes.narrow })
  await checkRights(prepared.plan.rows, { api: write, catalog: prepared.catalog, lineOf: lines.get })
  const stored = await safety.store(prepared)
  using file = await openLineFile(join(files, 'journal.ndjson'))
  // Somebody may have given a document a secret as its id.
  const opened = openJournal(file)
  const journal: Journal = { ...opened, committed: (transactionId, ids) => opened.committed(transactionId, ids.map(tools.clean)) }
  const done = { documents: 0 }
  const left = openLeft(() => done.documents)
  let proof: Proof | undefined
  let failure: BackupError | undefined
  try {
    await applyPlan({ prepared, lines, api: write, journal, lanes, left, done }, tools)
    proof = await prove(inputs, { prepared, api, journal, left, workshop }, tools)
    await listDifferences(proof, files)
    failure = findFailure(proof, stored)
  } catch (error) {
    failure = stopped(await known(error, workshop.path), { journal, safety: stored, signal, approved: inputs.planDigest !== undefined })
  }
  log.info(`Wrote ${plural(done.documents, 'document')} in ${plural(journal.count(), 'transaction')}`)
  const kept = await keep(inputs, { runner, files }, tools)
  const applied = { safety: stored, journalPath: file.path, transactions: journal.count(), left: left.all, proof, kept }
  return { applied, failure }
}

/** Keeps the folder of the plan and the journal. A run that is told to end has no time for that. */
async function keep(
  inputs: RestoreInputs,
  { runner, files }: Pick<CarryNeeds, 'runner' | 'files'>,
  tools: Tools,
): Promise<string | undefined> {
  const { target, which, allowPublic } = inputs
  const { signal } = tools
  const name = `sanity-${target.projectId}-${target.dataset}-restore`
  if (!signal.aborted) {
    const keeping = keepFiles({ inputs: { githubToken: which.githubToken, allowPublic }, runner, tools, folder: files, name })
    // What was written is to be reported, however long an upload takes to stop.
    const kept = await unlessAborted(keeping, signal).catch(() => undefined)
    if (!signal.aborted) return kept
  }
  tools.log.info(`The plan and the journal lie in "${files}"`)
  return undefined
}

async function known(error: unknown, folder: string): Promise<BackupError> {
  return inWordsOf('RUNNER_TEMP', error instanceof BackupError ? error : ((await systemError(error, folder)) ?? unexpected(error)))
}

type Stopped = {
  readonly journal: Journal
  readonly safety: StoredSafety | undefined
  readonly signal: AbortSignal
  /** Whether the plan was approved by its digest. */
  readonly approved: boolean
}

/** A restore that ended in the middle: what is written is written, and the same run again does the rest. */
function stopped(error: BackupError, { journal, safety, signal, approved }: Stopped): BackupError {
  const far = `${plural(journal.count(), 'transaction')} had been written by then.`
  const anew = approved ? ' What is left is another plan: make it, and approve its `plan-digest` first.' : ''
  const hint = `Run the same restore again: it compares the dataset anew and does what is left.${anew}${wayBack(safety)}`
  if (error.code === 'cancelled' || signal.aborted) {
    return reworded(error, { message: `${error.message} ${far}`, hint })
  }
  return new BackupError({
    code: 'restore-failed',
    title: 'The restore stopped before its end',
    message: `${error.title}: ${error.message} ${far}`,
    hint: `${error.hint} ${hint}`,
    cause: error,
  })
}

function wayBack(safety: StoredSafety | undefined): string {
  return safety === undefined ? '' : ` To go back instead, restore the artifact \`${safety.name}\` with \`mirror: true\`.`
}

/** Puts all differences into a file beside the plan: an error names the first ones. */
async function listDifferences({ differs }: Proof, folder: string): Promise<void> {
  if (differs.length === 0) return
  using file = await openLineFile(join(folder, differencesFile))
  file.addAll(differs.map((each) => JSON.stringify(each)))
}

const differencesFile = 'differs.ndjson'

/** What is wrong after everything was tried; undefined if the target is what it should be. */
function findFailure({ differs }: Proof, safety: StoredSafety | undefined): BackupError | undefined {
  if (differs.length === 0) return undefined
  const named = differs.slice(0, 5).map(({ id, why }) => `${quoteOutside(id, 150)}: ${quoteOutside(why, 300)}`)
  const rest = differs.length - named.length
  const more = rest > 0 ? [`and ${plural(rest, 'more document')}, all in \`${differencesFile}\` beside the plan`] : []
  return new BackupError({
    code: 'restore-failed',
    title: 'The dataset is not what the snapshot has',
    message: [`${differ(differs)} after the restore:`, ...named, ...more].join('\n'),
    hint: `Everything else is as it was in the snapshot, and nothing that others changed was overwritten. ${cure(differs)}${wayBack(safety)}`,
  })
}

function differ(differs: readonly Difference[]): string {
  const others = differs.filter(({ byOthers }) => byOthers).length
  const all = `${plural(differs.length, 'document')} ${differs.length === 1 ? 'differs' : 'differ'}`
  if (others === 0) return all
  return others === differs.length
    ? `${all}, changed by others meanwhile,`
    : `${all}, ${formatCount(others)} of them changed by others meanwhile,`
}

function cure(differs: readonly Difference[]): string {
  const parts = [
    ...(differs.some(({ byOthers }) => byOthers) ? ['Ask everybody to stop, look at the plan of a new run, and restore again.'] : []),
    ...(differs.some(({ byOthers }) => !byOthers)
      ? ['What Sanity refuses for good can be left out with `exclude-ids`; a second run does what can be done by now.']
      : []),
  ]
  return parts.join(' ')
}
