import Sequencer from '@jest/test-sequencer'

/** Where tests run the bundle or git. Of these each file takes many times as long as any other. */
const slow = ['test/chaos/', 'test/action/', 'test/destinations/branch/', 'test/git/']

/**
 * Begins with the files that take longest, so that none is left alone at the end. Jest does so by what it has measured; where it has measured nothing,
 * as in a fresh clone, it goes by the size of the files, which says little.
 */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    const sorted = super.sort(tests)
    if (sorted.every(({ duration }) => duration !== undefined)) return sorted
    return sorted.toSorted((one, other) => rankOf(one) - rankOf(other))
  }
}

function rankOf({ path, context }) {
  const rank = slow.findIndex((folder) => path.startsWith(`${context.config.rootDir}/${folder}`))
  return rank === -1 ? slow.length : rank
}
