import type { RestoreOutcome } from '../../commands/restore/outcome.ts'
import { BackupError, reworded } from '../../errors.ts'
import { countRows } from '../../restore/plan/rows.ts'
import type { Ending } from '../ending.ts'
import { unexpected } from '../run-errors.ts'
import { renderProblem, sections } from '../summary.ts'
import { renderRestore } from './summary.ts'

/** The ending of a restore that came as far as a plan. */
export function restoreEnding(ended: RestoreOutcome, docs: string | undefined): Ending {
  const outcome = { ...ended, failure: ended.failure && inOurWords(ended.failure) }
  return { outputs: outputsOf(outcome), summary: () => renderRestore(outcome, docs), failure: outcome.failure }
}

/** The ending of a restore that ended before there was a plan: nothing was written. Takes whatever was thrown. */
export function restoreFailure(thrown: unknown, docs: string | undefined): Ending {
  const error = inOurWords(thrown instanceof BackupError ? thrown : unexpected(thrown))
  const said = 'Nothing was written: there was no plan yet, or it was not begun.'
  return { outputs: {}, summary: () => sections(['## Sanity restore: ❌ not begun', renderProblem(error, docs), said]), failure: error }
}

/** The errors of a run, and of an export, speak of a backup, which only reads. */
function inOurWords(error: BackupError): BackupError {
  const words = (text: string) =>
    text
      .replace(/\b([Rr])un the backup\b/g, '$1un the restore')
      .replace(/\bThe backup\b/g, 'The restore')
      .replace(/\bwith the Viewer role\b/g, 'with the Editor role (for a plan the Viewer role is enough)')
  return reworded(error, { title: words(error.title), message: words(error.message), hint: words(error.hint) })
}

function outputsOf({ status, plan, planPath, planDigest, applied, manifest, failure }: RestoreOutcome): Ending['outputs'] {
  const counts = countRows(plan)
  return {
    // A restore that failed is none.
    status: failure ? (applied ? '' : 'planned') : status,
    'create-count': counts.create,
    'replace-count': counts.replace,
    'delete-count': counts.delete,
    'unchanged-count': plan.unchanged,
    'blocked-count': counts.blocked,
    'asset-upload-count': counts.upload,
    plan: planPath,
    'plan-digest': planDigest,
    'safety-artifact': applied?.safety?.name ?? '',
    journal: applied?.journalPath ?? '',
    snapshot: manifest.snapshot,
    'taken-at': manifest.takenAt,
  }
}
