import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Comparable } from '../format/compare.ts'
import { manifestFile } from '../format/manifest.ts'
import { findComparable, snapshotsBelow } from '../snapshot/read/newest-first.ts'
import type { Stopwatch } from '../stopwatch.ts'
import { quoteOutside } from '../text.ts'
import type { Destination } from './destination.ts'
import { checkReadBack } from './read-back.ts'

type Options = {
  /** Where the folders of snapshots lie. */
  readonly path: string
  readonly of: Comparable
  readonly signal: AbortSignal
  readonly stopwatch: Pick<Stopwatch, 'during'>
}

/** Leaves the snapshot in the folder that it was made in, under its final name, for the next step. */
export function directoryDestination({ path, of, signal, stopwatch }: Options): Destination {
  return {
    kind: 'directory',
    check: async () => undefined,
    findPrevious: async () => ({ ...(await findComparable(snapshotsBelow(path, of.source), of)), nothing: await nothingIn(path) }),
    prepare: async () => undefined,
    store: async (snapshot) => {
      const { folder, manifestBytes } = snapshot
      try {
        await folder.publish()
        await stopwatch.during('verify', () => checkReadBack(folder.path, { manifestBytes, where: 'snapshot folder', signal }))
      } catch (error) {
        // Others may still have to store it.
        folder.withdraw()
        throw error
      }
      return { kind: 'directory', folder: folder.path, manifest: join(folder.path, manifestFile) }
    },
    [Symbol.dispose]: () => undefined,
  }
}

async function nothingIn(path: string): Promise<string> {
  const others = (await readdir(path)).filter((name) => !name.endsWith('.partial'))
  const place = `the folder "${quoteOutside(path, 200)}"`
  return others.length === 0
    ? `${place} is empty, as it always is on a fresh runner`
    : `${place} holds no earlier snapshot of this dataset with the same filters`
}
