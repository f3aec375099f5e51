import { join } from 'node:path'
import { BackupError, reworded } from '../../errors.ts'
import type { RestoreInputs } from '../../inputs/restore.ts'
import { unexpected } from '../../report/run-errors.ts'
import type { Runner } from '../../runner.ts'
import type { SanityApi } from '../../sanity/api.ts'
import { writeApi } from '../../sanity/write/write.ts'
import { systemError } from '../../snapshot/workshop/system-error.ts'
import type { SnapshotFolder } from '../../snapshot/workshop/workshop.ts'
import { openLineFile } from '../../snapshot/write/line-file.ts'
import { plural, quoteOutside } from '../../text.ts'
import type { Tools } from '../../tools.ts'
import { keepFiles } from '../destinations.ts'
import { applyPlan } from './apply/apply.ts'
import { type Journal, openJournal } from './apply/journal.ts'
import { checkRights } from './apply/rights.ts'
import type { Left } from './apply/writes.ts'
import { layOutLines } from './lines.ts'
import type { Applied, Proof } from './outcome.ts'
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
  const write = writeApi(api, { wait, signal, log })
  await checkRights(prepared.plan.rows, { api: write, catalog: prepared.catalog, lineOf: lines.get })
  const stored = await safety.store(prepared)
  using file = await openLineFile(join(files, 'journal.ndjson'))
  // Somebody may have given a document a secret as its id.
  const opened = openJournal(file)
  const journal: Journal = { ...opened, committed: (transactionId, ids) => opened.committed(transactionId, ids.map(tools.clean)) }
  const left: Left[] = []
  let proof: Proof | undefined
  let failure: BackupError | undefined
  try {
    await applyPlan({ prepared, lines, api: write, journal }, left, tools)
    proof = await prove(inputs, { prepared, api, journal, workshop }, tools)
    failure = findFailure({ left, proof }, stored)
  } catch (error) {
    failure = stopped(await known(error, workshop.path), { journal, safety: stored, signal })
  }
  const { target, which, allowPublic } = inputs
  const name = `sanity-${target.projectId}-${target.dataset}-restore`
  const kept = await keepFiles({ inputs: { githubToken: which.githubToken, allowPublic }, runner, tools, folder: files, name })
  const applied = { safety: stored, journalPath: file.path, transactions: journal.count(), left, proof, kept }
  return { applied, failure }
}

async function known(error: unknown, folder: string): Promise<BackupError> {
  return error instanceof BackupError ? error : ((await systemError(error, folder)) ?? unexpected(error))
}

type Stopped = { readonly journal: Journal; readonly safety: StoredSafety | undefined; readonly signal: AbortSignal }

/** A restore that ended in the middle: what is written is written, and the same run again does the rest. */
function stopped(error: BackupError, { journal, safety, signal }: Stopped): BackupError {
  const far = `${plural(journal.count(), 'transaction')} had been written by then.`
  const hint = `Run the same restore again, without \`plan-digest\`: it compares the dataset anew and does what is left, so its plan is a shorter one.${wayBack(safety)}`
  if (error.code === 'cancelled' || signal.aborted) {
    return reworded(error, { title: 'The restore was cancelled', message: `${error.message} ${far}`, hint })
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

type Ended = { readonly left: readonly Left[]; readonly proof: Proof }

/** What is wrong after everything was tried; undefined if the target is what it should be. */
function findFailure({ left, proof }: Ended, safety: StoredSafety | undefined): BackupError | undefined {
  const { differs } = proof
  if (differs.length === 0) return undefined
  const why = new Map(left.map((each) => [each.id, each.why]))
  const named = differs.slice(0, 5).map(({ id, byOthers }) => {
    const words = why.get(id) ?? (byOthers ? 'somebody else has changed it' : 'it is not what the snapshot has')
    return `${quoteOutside(id, 150)}: ${quoteOutside(words, 300)}`
  })
  const more = differs.length > named.length ? [`and ${plural(differs.length - named.length, 'more document')}`] : []
  const others = differs.filter(({ id, byOthers }) => byOthers || why.has(id)).length
  return new BackupError({
    code: 'restore-failed',
    title: 'The dataset is not what the snapshot has',
    message: [
      `${plural(differs.length, 'document')} ${differs.length === 1 ? 'differs' : 'differ'} after the restore, ${others} of them changed by others or refused:`,
      ...named,
      ...more,
    ].join('\n'),
    hint: `Everything else is as it was in the snapshot, and nothing that others changed was overwritten. Ask them to stop, look at the plan of a new run, and restore again.${wayBack(safety)}`,
  })
}
