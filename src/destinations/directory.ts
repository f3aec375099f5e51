import { join } from 'node:path'
import { manifestFile } from '../snapshot/manifest.ts'
import type { Stopwatch } from '../stopwatch.ts'
import type { Destination } from './destination.ts'
import { checkReadBack } from './readback.ts'

/** Leaves the snapshot in the folder that it was made in, under its final name, for the next step. */
export function directoryDestination({ signal, stopwatch }: { signal: AbortSignal; stopwatch: Pick<Stopwatch, 'during'> }): Destination {
  return {
    kind: 'directory',
    check: async () => undefined,
    findPrevious: async () => undefined,
    prepare: async () => undefined,
    store: async (snapshot) => {
      const { folder, manifestBytes } = snapshot
      await folder.publish()
      try {
        await stopwatch.during('verify', () => checkReadBack(folder.path, { manifestBytes, where: 'snapshot folder', signal }))
      } catch (error) {
        folder.discard()
        throw error
      }
      return { kind: 'directory', folder: folder.path, manifest: join(folder.path, manifestFile) }
    },
    [Symbol.dispose]: () => undefined,
  }
}
