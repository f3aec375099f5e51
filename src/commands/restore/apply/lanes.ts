/** How many transactions may be on their way at once: fewer after one that another one got in the way of, and more again when all goes well. */
export type Lanes = {
  readonly during: <Result>(work: () => Promise<Result>) => Promise<Result>
  /** Half as many from now on. Those that have begun go on. */
  readonly narrow: () => void
}

/** Transactions at a time. */
export const atATime = 6

/** After so many that went well, one more may be on its way. */
const goodOnes = 20

/** Makes {@link Lanes}. Batches that refer to the same document wait for one another's locks (sanity.io/docs, transactions). */
export function makeLanes(most: number = atATime): Lanes {
  const waiting: (() => void)[] = []
  let open = most
  let used = 0
  let good = 0
  const letGo = (): void => {
    while (used < open) {
      const next = waiting.shift()
      if (!next) return
      used++
      next()
    }
  }
  return {
    during: async (work) => {
      await new Promise<void>((resolve) => {
        waiting.push(resolve)
        letGo()
      })
      try {
        return await work()
      } finally {
        used--
        good++
        if (good >= goodOnes && open < most) {
          open++
          good = 0
        }
        letGo()
      }
    },
    narrow: () => {
      open = Math.max(1, Math.floor(open / 2))
      good = 0
    },
  }
}
