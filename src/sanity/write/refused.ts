import type { Answer } from '../errors/answer.ts'
import { conflicted, errorOfWrite, MayNotWrite, overQuota } from '../errors/write.ts'
import { isAboutDocuments, type Refusal, readRefusal, textIn } from './problems.ts'

/** What Sanity says of a write that is wrong in itself. 413 for one that is too large is INFERRED. */
const refusingStatuses: ReadonlySet<number> = new Set([400, 409, 413, 422])

/** Limits of a plan: sanity-io/sanity issues. That of releases is no reason to stop, and has a type of its own. */
const planLimit = /^(plan_limit_reached|documentLimitExceeded\w*)$/

/**
 * What an answer other than 200 has against what was sent. Throws everything that is not about the documents: what a further try can help
 * ({@link BackupError.retry}: a conflict, 408, 429, 5xx), and what ends a run: {@link MayNotWrite}, another 401 or 403, a plan's limit (402), a
 * redirect, an address that is not there. Told apart by the types that Sanity names, never by its words: sanity-io/sdk submissionErrors.ts.
 */
export function refusalOf(answer: Answer): Refusal {
  const { status } = answer
  const refusal = readRefusal(answer.body)
  const { faults } = refusal
  if (status === 408 || status === 429 || status >= 500) throw errorOfWrite(answer)
  if (isConflict(refusal)) throw conflicted(answer)
  const denied = faults.find(({ type }) => type === 'insufficientPermissionsError')
  if (denied) throw new MayNotWrite(answer, { permission: textIn(denied.members, 'permission'), index: denied.index })
  if (faults.some(({ type }) => planLimit.test(type))) throw overQuota(answer)
  if (refusingStatuses.has(status) || isAboutDocuments(refusal)) return refusal
  throw errorOfWrite(answer)
}

/** Whether a transaction was rolled back because of another one; it may be sent again under the same id: sanity-io/sdk submissionErrors.ts. */
export function isConflict({ faults }: Refusal): boolean {
  return faults.some(({ type }) => type === 'transactionConflictError')
}
