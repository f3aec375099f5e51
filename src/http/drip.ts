/** A stream that has sent less than `leastBytes` in the last `windowMs` milliseconds, though it sent something most of the time. */
export type Drip = { readonly windowMs: number; readonly leastBytes: number }

const slotCount = 12
/** So many windows, all together, must bring as much as one, however it comes: a byte now and then keeps the idle deadline from ever coming. */
const longWindows = 10

/** The bytes of one twelfth of a window. */
type Slot = { readonly number: number; bytes: number }

/**
 * Makes the function that takes the number of bytes of each chunk as it comes, and says in words when the stream only drips; undefined as long as
 * it does not. Time is cut into slots; a stream that was silent in most of one window is waiting, not dripping: that is the idle deadline's matter.
 * `now` is a clock in milliseconds.
 */
export function dripWatch(
  { windowMs, leastBytes }: Drip,
  now: () => number = () => performance.now(),
): (bytes: number) => string | undefined {
  const slotMs = windowMs / slotCount
  const startMs = now()
  let slots: Slot[] = []
  return (bytes) => {
    const number = Math.floor((now() - startMs) / slotMs)
    const last = slots.at(-1)
    if (last?.number === number) last.bytes += bytes
    else slots.push({ number, bytes })
    slots = slots.filter((slot) => slot.number >= number - longWindows * slotCount)
    const windows = [1, longWindows].find((count) => hasTooLittle(slots, { number, windows: count, leastBytes }))
    return windows === undefined ? undefined : `less than ${leastBytes} bytes came in ${(windows * windowMs) / 1000} s`
  }
}

/** Whether too few bytes came in the last so many windows. */
function hasTooLittle(
  slots: readonly Slot[],
  { number, windows, leastBytes }: { readonly number: number; readonly windows: number; readonly leastBytes: number },
): boolean {
  if (number < windows * slotCount) return false
  // The slot that has only begun says nothing yet.
  const complete = slots.filter((slot) => slot.number < number && slot.number >= number - windows * slotCount)
  const mostSilent = windows === 1 && complete.length * 2 <= slotCount
  return !mostSilent && complete.reduce((sum, slot) => sum + slot.bytes, 0) < leastBytes
}
