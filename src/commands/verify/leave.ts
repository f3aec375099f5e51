import type { Opener } from '../../codec/age.ts'
import { AgeError } from '../../codec/age-error.ts'
import type { Chosen } from '../../destinations/choose.ts'
import type { Fetched } from '../../destinations/destination.ts'
import { BackupError } from '../../errors.ts'
import { checkSnapshot } from '../../snapshot/check/check.ts'
import type { SnapshotFolder } from '../../snapshot/workshop/workshop.ts'
import { type PlainPart, writePlain } from '../../snapshot/write/plain.ts'
import { quoteOutside } from '../../text.ts'
import type { Tools } from '../../tools.ts'

/** A snapshot in which nothing is wrong, as it was fetched, and the name that its folder gets. */
type LeaveNeeds = {
  readonly chosen: Pick<Chosen, 'parts'>
  readonly fetched: readonly Fetched[]
  readonly name: string
  /** Opens what is encrypted. */
  readonly opener: Opener | undefined
}

/**
 * Leaves a verified snapshot in its folder, as one that is plain and whole, and gives the path of that folder. Throws `verification-failed` if what was
 * written there is not what was verified; then nothing is left.
 */
export async function leave(
  folder: SnapshotFolder,
  { chosen, fetched, name, opener }: LeaveNeeds,
  { signal, log }: Tools,
): Promise<string> {
  const parts = chosen.parts.flatMap(({ manifest, manifestBytes }, index): PlainPart[] => {
    const part = fetched[index]
    if (part === undefined) return []
    const ours = part.folder.startsWith(folder.readBack)
    return [{ manifest, manifestBytes, folder: part.folder, ours, documents: part.documents }]
  })
  const { rewritten } = await writePlain(folder.path, { parts, name, opener, signal }).catch((error: unknown) => {
    throw error instanceof AgeError ? notTheSame(error.message) : error
  })
  // Files that were only moved are the ones that were verified.
  if (rewritten || parts.some(({ ours }) => !ours)) await checkLeft(folder.path, { rewritten, signal })
  await folder.publish()
  log.info(`Left the verified snapshot in "${folder.path}"`)
  return folder.path
}

async function checkLeft(path: string, { rewritten, signal }: { rewritten: boolean; signal: AbortSignal }): Promise<void> {
  const findings = await checkSnapshot(path, { level: rewritten ? 'data' : 'stored', signal })
  const [first] = findings.filter(({ severity }) => severity === 'error')
  if (first !== undefined) throw notTheSame(first.message)
}

function notTheSame(says: string): BackupError {
  return new BackupError({
    code: 'verification-failed',
    title: 'The snapshot could not be handed on',
    message: `It was verified, and then what was written to \`fetch-to\` was not the same: ${quoteOutside(says, 500)}. Nothing was left there.`,
    hint: 'Run it again. If it comes back, look at the runner’s disk, and at what else changes the snapshot meanwhile.',
  })
}
