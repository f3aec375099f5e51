import { join } from 'node:path'
import { BackupError } from '../../errors.ts'
import type { RestoreInputs } from '../../inputs/restore.ts'
import { findUnmatched } from '../../restore/plan/choice.ts'
import { countRows, isOfNothing } from '../../restore/plan/rows.ts'
import type { Runner } from '../../runner.ts'
import { type SanityApi, sanityApi } from '../../sanity/api.ts'
import { inWordsOf, systemError } from '../../snapshot/workshop/system-error.ts'
import { openLineFile } from '../../snapshot/write/append-file.ts'
import { formatCount, plural, quoteOutside } from '../../text.ts'
import type { Tools } from '../../tools.ts'
import { toolVersion } from '../../version.ts'
import { makeFolder } from '../backup/folder.ts'
import { openPlace } from '../verify/place.ts'
import { carryOut } from './carry-out.ts'
import type { RestoreOutcome } from './outcome.ts'
import { type Prepared, prepare } from './prepare.ts'
import { checkMirror, refusePlan, refuseUnconfirmed } from './refuse.ts'
import { openSafety, type Safety, safetyLabel, warnOfClearSafety } from './safety.ts'
import { holdSnapshot } from './source.ts'

/**
 * Brings a dataset back to a snapshot: proves the snapshot, reads the target, makes the plan and, in `apply`, stores the target as it was, writes what
 * differs, and reads the target again. Throws a {@link BackupError} where there is no plan; from then on a failure is part of the outcome.
 */
export async function restore(inputs: RestoreInputs, runner: Runner, tools: Tools): Promise<RestoreOutcome> {
  try {
    return await restoreChosen(inputs, runner, tools)
  } catch (error) {
    const known = error instanceof BackupError ? error : await systemError(error, runner.temp)
    throw known === undefined ? error : inWordsOf('RUNNER_TEMP', known)
  }
}

async function restoreChosen(inputs: RestoreInputs, runner: Runner, tools: Tools): Promise<RestoreOutcome> {
  const startedAt = tools.now()
  const startedMs = performance.now()
  refuseUnconfirmed(inputs)
  const { target } = inputs
  using scratch = await openPlace({ path: runner.temp, name: 'restore', of: 'RUNNER_TEMP' }, tools)
  using place = await makeFolder({ path: join(runner.temp, 'sanity-backup'), source: target, label: safetyLabel, shard: null }, tools)
  const safety = await openSafety(inputs, { runner, place }, tools)
  const snapshot = await holdSnapshot(inputs, { runner, workshop: scratch.folder }, tools)
  warnOfClearSafety(inputs, snapshot.chosen.main.manifest, tools)
  checkMirror(inputs, snapshot.manifest, tools)

  tools.log.info(`Reading dataset "${target.dataset}" of project "${target.projectId}"`)
  const api = apiOf(inputs, tools)
  const files = join(runner.temp, `sanity-restore-${crypto.randomUUID()}`)
  const { prepared, planPath } = await makePlan(inputs, { api, snapshot, workshop: place.folder, write: safety.write, files }, tools)
  sayPlan(inputs, prepared, tools)

  const { manifest } = snapshot
  const about = {
    target,
    mirror: inputs.mirror,
    chosen: snapshot.chosen,
    manifest,
    ageMs: Math.max(0, startedAt.getTime() - Date.parse(manifest.takenAt)),
    plan: prepared.plan,
    planDigest: prepared.planDigest,
    planPath,
    startedAt,
  }
  const ended = await act(inputs, { prepared, safety, api, runner, files, workshop: place.folder }, tools)
  return { ...about, ...ended, durationMs: performance.now() - startedMs }
}

type ActNeeds = Parameters<typeof carryOut>[1] & { readonly safety: Safety }
type Acted = Pick<RestoreOutcome, 'status' | 'applied' | 'failure'>

async function act(inputs: RestoreInputs, needs: ActNeeds, tools: Tools): Promise<Acted> {
  if (inputs.mode === 'plan') return { status: 'planned', applied: undefined, failure: undefined }
  try {
    refusePlan(inputs, needs.prepared)
    const toDo = needs.prepared.plan.rows.some(({ action }) => action !== 'blocked')
    if (!toDo) return { status: 'unchanged', applied: undefined, failure: undefined }
    return { status: 'restored', ...(await carryOut(inputs, needs, tools)) }
  } catch (error) {
    // Nothing was written, and the plan can be read all the same.
    if (error instanceof BackupError) return { status: 'planned', applied: undefined, failure: inWordsOf('RUNNER_TEMP', error) }
    throw error
  }
}

function apiOf({ target, token }: RestoreInputs, { http, signal, now, stopwatch, log }: Tools): SanityApi {
  return sanityApi(target, { http, token, userAgent: `sanity-backup/${toolVersion}`, signal, now, stopwatch, log })
}

type PlanNeeds = Parameters<typeof prepare>[1] & { readonly files: string }

async function makePlan(
  inputs: RestoreInputs,
  { files, ...needs }: PlanNeeds,
  tools: Tools,
): Promise<{ prepared: Prepared; planPath: string }> {
  const { planLines, ...prepared } = await prepare(inputs, needs, tools)
  using file = await openLineFile(join(files, 'plan.ndjson'))
  file.addAll(planLines)
  return { prepared, planPath: file.path }
}

function sayPlan({ choice }: RestoreInputs, { plan, planDigest, target, catalog }: Prepared, { log }: Tools): void {
  const { create, replace, blocked, upload, delete: deleted } = countRows(plan)
  const parts = [`${create} to create`, `${replace} to replace`, `${deleted} to delete`, `${plural(upload, 'file')} to upload`]
  log.info(`The plan: ${parts.join(', ')}; ${plural(plan.unchanged, 'document')} the same. Its digest is ${planDigest}`)
  const unmatched = findUnmatched(choice, catalog).map((each) => `"${quoteOutside(each, 150)}"`)
  if (isOfNothing(plan)) {
    log.warning('No document of the snapshot is chosen: check the spelling of `types`, `ids`, `exclude-types` and `exclude-ids`.')
  } else if (unmatched.length > 0) {
    log.warning(
      `No document, neither in the snapshot nor in the target, is meant by ${unmatched.slice(0, 10).join(', ')} in \`types\` or \`ids\`: check the spelling.`,
    )
  }
  const there = target.documents.tally.received
  if (deleted * 2 > there) {
    log.warning(
      `\`mirror\` deletes ${plural(deleted, 'document')} of the ${formatCount(there)} in the target, more than half: look at the plan.`,
    )
  }
  if (blocked > 0) log.warning(`${plural(blocked, 'document')} cannot be restored. The plan lists each with its reason.`)
}
