import { BackupError, messageOf } from '../errors.ts'
import { checkSnapshot } from '../snapshot/check/check.ts'
import { quoteOutside } from '../text.ts'

/** Checks what was read back from a destination. Throws `verification-failed` with the findings if it is not what was written. */
export async function checkReadBack(
  folder: string,
  { manifestBytes, where, signal }: { manifestBytes: Buffer; where: string; signal: AbortSignal },
): Promise<void> {
  let findings: string[]
  try {
    const found = await checkSnapshot(folder, { manifestBytes, level: 'stored', signal })
    findings = found.filter(({ severity }) => severity === 'error').map(({ message }) => message)
  } catch (error) {
    signal.throwIfAborted()
    throw verificationFailed(where, messageOf(error), error)
  }
  if (findings.length > 0) throw verificationFailed(where, findings.slice(0, 5).join('; '))
}

/** The error for a snapshot that did not come back as it was stored. */
export function verificationFailed(where: string, fact: string, cause?: unknown): BackupError {
  return new BackupError({
    code: 'verification-failed',
    title: `The ${where} did not come back as it was stored`,
    message: `After storing, the ${where} was read back and compared with what was written: ${quoteOutside(fact, 1000)}`,
    hint: 'Run the backup once more; if it happens again, see githubstatus.com and check the runner’s disk.',
    cause,
  })
}
