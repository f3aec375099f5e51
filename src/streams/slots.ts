/** One of the places that {@link slots} gives out. Taking it twice, or leaving it twice, is the same as once. Left when disposed. */
export type Slot = Disposable & { readonly take: () => Promise<void>; readonly leave: () => void }

/** Gives out places, of which `count` may be taken at a time. Whoever asked first comes first. */
export function slots(count: number): () => Slot {
  let free = count
  const queue: (() => void)[] = []

  return () => {
    let taken = false
    const leave = () => {
      if (!taken) return
      taken = false
      const next = queue.shift()
      if (next) next()
      else free++
    }
    return {
      take: async () => {
        if (taken) return
        if (free > 0) free--
        else await new Promise<void>((resolve) => queue.push(resolve))
        taken = true
      },
      leave,
      [Symbol.dispose]: leave,
    }
  }
}
