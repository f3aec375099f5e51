import { BackupError } from '../../errors.ts'
import type { Wait } from '../../http/retry.ts'
import { mayStillBeThere, removedAgain } from './errors.ts'
import { type RunArtifacts, removeFinished } from './run.ts'

type WithdrawNeeds = { readonly client: RunArtifacts; readonly wait: Wait; readonly signal: AbortSignal }

/** How long a removal may take, in milliseconds. */
const removalMs = 20_000
/** The runner kills a cancelled process after ten seconds. */
const cancelledRemovalMs = 2_000

/** Removes a finished artifact that must not stay because of `error`. Gives the error to throw: it says whether that worked. */
export async function withdraw(name: string, error: unknown, { client, wait, signal }: WithdrawNeeds): Promise<unknown> {
  const overdue = timeOut(signal.aborted ? cancelledRemovalMs : removalMs)
  const removed = await Promise.race([removeFinished(client, name, waitAnyway(wait)), overdue.then(() => false)])
  if (!(error instanceof BackupError)) return error
  return removed ? removedAgain(error) : mayStillBeThere(error, name)
}

/**
 * Sees to an upload that was going on when the run was cancelled: the client cannot be stopped, and an artifact that it finishes in this moment must
 * not stay. Gives the error to throw.
 */
export async function abandonUpload(uploading: Promise<unknown>, name: string, { client, wait, signal }: WithdrawNeeds): Promise<unknown> {
  let finished = false
  const gone = uploading.then(
    async () => {
      finished = true
      return await removeFinished(client, name, waitAnyway(wait))
    },
    () => true,
  )
  const removed = await Promise.race([gone, timeOut(cancelledRemovalMs).then(() => !finished)])
  return removed || !(signal.reason instanceof BackupError) ? signal.reason : mayStillBeThere(signal.reason, name)
}

/** Waits although the run is cancelled: what was stored has to be settled all the same. */
export function waitAnyway(wait: Wait): (ms: number) => Promise<void> {
  return async (ms) => await wait(ms, new AbortController().signal)
}

function timeOut(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
}
