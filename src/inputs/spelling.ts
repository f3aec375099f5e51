/** The expected word that takes the fewest slips of a finger to become this one; the word itself if none is expected. */
export function nearest(word: string, expected: readonly string[]): string {
  // What is far longer than every expected word is near to none, and need not be compared as a whole.
  const slips = expected.map((candidate) => distance(word.slice(0, 100), candidate))
  return expected[slips.indexOf(Math.min(...slips))] ?? word
}

/** The expected word that was surely meant: at most two slips, and fewer than half of its letters. Undefined if there is none. */
export function findMeant(word: string, expected: readonly string[]): string | undefined {
  const near = nearest(word, expected)
  return expected.includes(near) && distance(word.slice(0, 100), near) <= Math.min(2, (near.length - 1) / 2) ? near : undefined
}

/** How many letters have to be put in, left out, changed or swapped with their neighbour to make one word of the other. */
function distance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const changed = at(last, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swapped =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? at(beforeLast, j - 2) + 1 : Number.POSITIVE_INFINITY
      row.push(Math.min(at(last, j) + 1, at(row, j - 1) + 1, changed, swapped))
    }
    beforeLast = last
    last = row
  }
  return at(last, b.length)
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY
}
