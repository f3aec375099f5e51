import { randomUUID } from 'node:crypto'

/**
 * Where a commit lies until it is proven: a ref of its own beside the branches, which no clone fetches and no workflow hears of. Its name is a UUID of
 * version 7, which holds the time: that is all that a list of refs can tell.
 */
export const stagingRefs = 'refs/sanity-backup/'

/** A ref for this run alone. */
export function newStagingRef(now: Date): string {
  const ms = Math.max(0, now.getTime()).toString(16).padStart(12, '0')
  const random = randomUUID()
  return `${stagingRefs}${ms.slice(0, 8)}-${ms.slice(8)}-7${random.slice(15)}`
}

/** After so long no run needs its ref any more: it was killed. */
const leftAfterMs = 24 * 60 * 60 * 1000
/** How many are removed at a time. */
const mostRemoved = 50

/** The refs that killed runs have left. */
export function leftovers(refs: Iterable<string>, now: Date): string[] {
  return [...refs].filter((ref) => now.getTime() - madeMs(ref) > leftAfterMs).slice(0, mostRemoved)
}

/** When a ref was made; what is none of ours stays for ever. */
function madeMs(ref: string): number {
  const [, high = '', low = ''] =
    /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/.exec(ref.slice(stagingRefs.length)) ?? []
  return high === '' ? Number.POSITIVE_INFINITY : Number.parseInt(high + low, 16)
}
