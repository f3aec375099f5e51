/** The clocks of two runners may differ by so much, in milliseconds. */
const skewMs = 10 * 60 * 1000

/** Whether the time at which a snapshot was taken is still to come, by more than clocks differ. */
export function isAhead({ takenAt }: { readonly takenAt: string }, now: Date): boolean {
  return Date.parse(takenAt) > now.getTime() + skewMs
}
