import { formatDuration } from '../text.ts'

/** A clock that is off by more than this, in milliseconds, gives snapshots wrong times and spoils their order. */
const toleratedMs = 5 * 60 * 1000

/**
 * Makes the function that takes the `Date` header of each answer and warns, once, when the runner's clock is more than five minutes off.
 * Headers that hold no date tell nothing.
 */
export function skewWatch({ now, warn }: { now: () => Date; warn: (line: string) => void }): (date: string | string[] | undefined) => void {
  let warned = false
  return (date) => {
    const serverMs = typeof date === 'string' ? Date.parse(date) : Number.NaN
    const aheadMs = now().getTime() - serverMs
    if (warned || !(Math.abs(aheadMs) > toleratedMs)) return
    warned = true
    warn(
      `The clock of this runner is ${formatDuration(Math.abs(aheadMs))} ${aheadMs > 0 ? 'ahead of' : 'behind'} Sanity’s, so the snapshot’s name and times will be wrong. Set the runner’s clock (NTP).`,
    )
  }
}
