import { BackupError } from '../../errors.ts'
import type { StoredManifest } from '../../format/manifest/manifest.ts'
import type { RestoreInputs } from '../../inputs/restore.ts'
import { countRows } from '../../restore/plan/rows.ts'
import { plural, quoteOutside } from '../../text.ts'
import type { Tools } from '../../tools.ts'
import { findFilters } from './filters.ts'
import type { Prepared } from './prepare.ts'

/** What a restore must not begin with, before anything is asked. Throws `restore-refused`. */
export function refuseUnconfirmed({ mode, confirm, target }: RestoreInputs): void {
  if (mode !== 'apply' || confirm === target.dataset) return
  throw new BackupError({
    code: 'restore-refused',
    title: 'The restore is not confirmed',
    message:
      confirm === undefined
        ? `\`mode: apply\` writes into dataset "${target.dataset}" of project "${target.projectId}", and \`confirm\` is empty.`
        : `\`confirm\` is "${quoteOutside(confirm, 80)}", and the dataset that would be written to is "${target.dataset}".`,
    hint: `Set \`confirm: ${target.dataset}\` if you mean that dataset. Nothing was read or written.`,
  })
}

/**
 * A mirror deletes what the snapshot lacks, so the snapshot must have seen everything. Throws `restore-refused` if it did not; warns where that is not
 * known.
 */
export function checkMirror({ mirror }: RestoreInputs, manifest: StoredManifest, { log }: Pick<Tools, 'log'>): void {
  if (!mirror) return
  const { snapshot, access, source } = manifest
  const name = quoteOutside(snapshot, 200)
  if (access?.fullRead === false) {
    throw refusedMirror(`The token that made ${name} could not read every document.`)
  }
  if (findFilters(manifest) === undefined) throw refusedMirror(`${name} does not say what it left out.`)
  if ((access?.fullRead ?? null) === null) {
    log.warning(
      `\`mirror\`: it is not known whether the token that made ${name} could read every document. What it could not read would be deleted: look at the plan.`,
    )
  }
  if (source.mode === 'cursor') {
    log.warning(
      `\`mirror\`: ${name} was fetched page by page, so it is not one moment. What was made while it was fetched stays; look at the plan.`,
    )
  }
}

function refusedMirror(why: string): BackupError {
  return new BackupError({
    code: 'restore-refused',
    title: 'This snapshot cannot be mirrored',
    message: `${why} \`mirror\` would delete documents that it never saw. Nothing was written.`,
    hint: 'Leave `mirror` out: then everything that the snapshot holds comes back, and nothing is deleted. Or choose a snapshot whose token could read everything.',
  })
}

/** What the plan says against carrying it out. Throws `restore-refused`. */
export function refusePlan({ mode, planDigest, onBlocked }: RestoreInputs, { plan, planDigest: now }: Prepared): void {
  if (mode !== 'apply') return
  if (planDigest !== undefined && planDigest !== now) {
    throw new BackupError({
      code: 'restore-refused',
      title: 'The plan is no longer the one that was approved',
      message: `The plan of now has the digest ${now}, and ${planDigest} was approved. The dataset, or the choice of the snapshot, has changed meanwhile. Nothing was written.`,
      hint: 'Look at the plan of this run, below and in its file, and approve it: make a new plan, and give its `plan-digest`. `run-id`, `commit` or `at` keep the snapshot the same.',
    })
  }
  const { blocked } = countRows(plan)
  if (blocked === 0 || onBlocked === 'warn') return
  const [first, second, third] = plan.rows.filter(({ action }) => action === 'blocked')
  const named = [first, second, third].flatMap((row) =>
    row ? [`${quoteOutside(row.id, 150)}: ${quoteOutside(row.reason ?? '', 300)}`] : [],
  )
  throw new BackupError({
    code: 'restore-refused',
    title: 'Not everything can be restored',
    message: [`${plural(blocked, 'document')} cannot be restored, so nothing was written:`, ...named].join('\n'),
    hint: 'The plan lists each with its reason. Set `on-blocked: warn` to restore all the others, or leave these out with `exclude-ids` or `exclude-types`.',
  })
}
