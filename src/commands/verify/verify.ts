import { BackupError } from '../../errors.ts'
import type { Finding } from '../../format/findings/finding.ts'
import { nameOfSet } from '../../format/manifest/snapshot-name.ts'
import type { VerifyInputs } from '../../inputs/verify.ts'
import type { Runner } from '../../runner.ts'
import { inWordsOf, systemError } from '../../snapshot/workshop/system-error.ts'
import { formatDuration, plural, quoteOutside } from '../../text.ts'
import type { Tools } from '../../tools.ts'
import { findSnapshot } from '../find-snapshot.ts'
import { ensureUnlocked, openerFor } from '../unlock.ts'
import { findWrong } from './findings.ts'
import { leave } from './leave.ts'
import type { VerifyOutcome } from './outcome.ts'
import { ensureOutside, openPlace } from './place.ts'

/**
 * Verifies a stored snapshot: finds it, fetches what the level asks for, and looks for all that is wrong with it. What it finds is a result. Throws a
 * {@link BackupError} where it could not look.
 */
export async function verify(inputs: VerifyInputs, runner: Runner, tools: Tools): Promise<VerifyOutcome> {
  try {
    return await verifyChosen(inputs, runner, tools)
  } catch (error) {
    // Wherever the system refused something, also where no room of ours was writing.
    const known = error instanceof BackupError ? error : await systemError(error, inputs.fetchTo ?? runner.temp)
    const isLeft = inputs.fetchTo !== undefined && known?.message.includes(`"${inputs.fetchTo}`)
    throw known === undefined ? error : inWordsOf(isLeft ? 'fetch-to' : 'RUNNER_TEMP', known)
  }
}

async function verifyChosen(inputs: VerifyInputs, runner: Runner, tools: Tools): Promise<VerifyOutcome> {
  const startedMs = performance.now()
  const { level, fetchTo, maxAgeHours } = inputs
  using scratch = await openPlace({ path: runner.temp, name: 'verify', of: 'RUNNER_TEMP' }, tools)
  using chosen = await findSnapshot(inputs.which, inputs.source, { runner, tools, scratch: scratch.folder.scratch })
  const { takenAt, snapshot, encryption } = chosen.main.manifest
  const opener = level === 'data' ? openerFor(chosen, inputs.which.identities, tools) : undefined
  if (encryption && level === 'structure') tools.log.info('The snapshot is encrypted. At `level: structure` its content is not read.')
  const ageMs = Math.max(0, tools.now().getTime() - Date.parse(takenAt))

  // Nothing of a snapshot in a folder is copied. What is made within that folder would seem to be a part of it.
  const inFolder = inputs.which.place.kind === 'directory' ? await chosen.fetch(scratch.folder.readBack, { level }) : undefined
  if (fetchTo !== undefined) for (const { folder } of inFolder ?? []) await ensureOutside(fetchTo, folder)
  using left = fetchTo === undefined ? undefined : await openPlace({ path: fetchTo, name: nameOf(snapshot), of: 'fetch-to' }, tools)
  const fetched = inFolder ?? (await chosen.fetch((left ?? scratch).folder.readBack, { level }))
  await ensureUnlocked(chosen, fetched, opener)
  const findings = await findWrong({ chosen, fetched, level, opener, maxAgeHours }, tools)
  say(findings, tools)
  const whole = findings.every(({ severity }) => severity === 'warning')
  const path = left && whole ? await leave(left.folder, { chosen, fetched, name: nameOf(snapshot), opener }, tools) : undefined

  const durationMs = performance.now() - startedMs
  tools.log.info(`Verified ${quoteOutside(snapshot)} in ${formatDuration(durationMs)}: ${countOf(findings)}`)
  return { chosen, level, findings, ageMs, path, durationMs }
}

/** The name becomes that of a folder. Shards are put together, so the part of the name that tells one of them goes. */
function nameOf(snapshot: string): string {
  const name = nameOfSet(snapshot)
  if (/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,250}$/.test(name) && !name.endsWith('.partial')) return name
  throw new BackupError({
    code: 'snapshot-invalid',
    title: 'The snapshot has no name for a folder',
    message: `Its manifest calls it "${quoteOutside(snapshot, 100)}", a name that this action never gives.`,
    hint: 'Choose another snapshot, or leave `fetch-to` out. Find out who changed the manifest of this one.',
  })
}

/** So many findings of a severity are in the log; the output and the summary have all. */
const loggedFindings = 20

/** Warns of what a warning is. Errors are shown as the run's own, together. */
function say(findings: readonly Finding[], { log }: Tools): void {
  for (const { kind, message } of findings.filter(({ severity }) => severity === 'warning').slice(0, loggedFindings)) {
    log.warning(`${kind}: ${message}`)
  }
  for (const { kind, message } of findings.filter(({ severity }) => severity === 'error').slice(0, loggedFindings)) {
    log.info(`Finding ${kind}: ${message}`)
  }
}

function countOf(findings: readonly Finding[]): string {
  if (findings.length === 0) return 'nothing is wrong with it'
  const errors = findings.filter(({ severity }) => severity === 'error').length
  return `${plural(errors, 'error')}, ${plural(findings.length - errors, 'warning')}`
}
