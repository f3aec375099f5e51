import { BackupError } from '../../errors.ts'
import { isAhead } from '../../format/manifest/clock.ts'
import type { Manifest, StoredManifest } from '../../format/manifest/manifest.ts'
import { quoteOutside } from '../../text.ts'
import type { StoredOnBranch } from '../destination.ts'
import { isNewer } from './commit/commit.ts'
import type { Ready } from './commit/keep-newest.ts'

/** A snapshot, and the one that lay at the tip of the branch before it. */
type OrderNeeds = {
  readonly snapshot: Manifest
  readonly newest: StoredManifest | undefined
  readonly branch: string
  readonly keepLast: number
  readonly now: () => Date
}

/**
 * Throws a `branch-conflict` for a snapshot that is older than all that are kept, unless the one at the tip makes up for it: it was taken later, at a
 * time that has come, and nobody wants this one by its name.
 */
export function requirePlace({ notKept }: Pick<Ready, 'notKept'>, needs: OrderNeeds): void {
  const { snapshot, newest } = needs
  if (!notKept) return
  if (snapshot.label === null && isNewer(newest, snapshot) && !isAhead(newest, needs.now())) return
  const ahead = newest !== undefined && isAhead(newest, needs.now())
  throw new BackupError({
    code: 'branch-conflict',
    title: 'The snapshot is older than all that are kept',
    message: `The snapshot ${snapshot.snapshot} was taken at ${snapshot.takenAt}, before all of the ${needs.keepLast} that \`keep-last\` keeps on the branch "${quoteOutside(needs.branch)}"${newest === undefined ? '' : `, which holds ${inWords(newest)}`}. ${ahead ? 'That time is still to come. ' : ''}Nothing was stored there.`,
    hint: ahead ? clockHint : 'Raise `keep-last`, and let backups wait for one another with `concurrency`. Then run the backup again.',
  })
}

const clockHint =
  'Set the clock right, of this runner or of the one that made the newest snapshot. If it was the other one, take that commit off the branch.'

/** Logs what became of a snapshot where a newer one lies on the branch. */
export function logOrder(
  { notKept, unchanged }: Pick<StoredOnBranch, 'notKept' | 'unchanged'>,
  needs: OrderNeeds & { readonly log: { readonly info: (line: string) => void; readonly warning: (line: string) => void } },
): void {
  const { snapshot, newest, keepLast, log } = needs
  if (!isNewer(newest, snapshot)) return
  const name = quoteOutside(needs.branch)
  if (notKept) {
    log.warning(
      `The snapshot ${snapshot.snapshot} was not stored on the branch "${name}". It was taken at ${snapshot.takenAt}, before all of the ${keepLast} that \`keep-last\` keeps: another run began later and was faster, and the branch holds ${inWords(newest)}. Hint: let backups wait for one another with \`concurrency\`, or raise \`keep-last\`.`,
    )
  } else if (!unchanged) log.info(`The branch "${name}" holds ${inWords(newest)}. It stays on top; this one is a restore point below it.`)
  if (isAhead(newest, needs.now())) {
    log.warning(
      `The clock of this runner, or of the one that made the newest snapshot on the branch "${name}", is wrong: ${quoteOutside(newest.takenAt)}, when that was taken, is still to come. Until then it stays on top, and every other is stored below it. Hint: ${clockHint}`,
    )
  }
}

function inWords({ snapshot, takenAt }: StoredManifest): string {
  return `a newer snapshot, ${quoteOutside(snapshot)}, taken at ${quoteOutside(takenAt)}`
}
