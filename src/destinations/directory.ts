import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { manifestFile } from '../format/manifest/manifest.ts'
import type { Stopwatch } from '../stopwatch.ts'
import { quoteOutside } from '../text.ts'
import type { Destination, SnapshotReader } from './destination.ts'
import { folderReader } from './folder.ts'
import { checkReadBack } from './read-back.ts'

type Source = { readonly projectId: string; readonly dataset: string }

type DirectoryNeeds = {
  /** Where the folders of snapshots lie. */
  readonly path: string
  /** What the snapshots are of. */
  readonly source: Source
  readonly signal: AbortSignal
  readonly stopwatch: Pick<Stopwatch, 'during'>
}

/** Leaves the snapshot in the folder that it was made in, under its final name, for the next step. */
export function directoryDestination({ path, source, signal, stopwatch }: DirectoryNeeds): Destination {
  return {
    kind: 'directory',
    reader: directoryReader(path, source),
    check: async () => undefined,
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

/** Reads the snapshots of a dataset whose folders lie in `path`. Throws as {@link folderReader} does. */
function directoryReader(path: string, { projectId, dataset }: Source): SnapshotReader {
  const start = `${projectId}-${dataset}-`
  const isOwn = (name: string): boolean => name.startsWith(start) && /^\d{8}T\d{6}Z(-.*)?$/.test(name.slice(start.length))
  return {
    newestFirst: folderReader(path, { only: isOwn }).newestFirst,
    whyNone: async () => {
      const others = (await readdir(path)).filter((name) => !name.endsWith('.partial'))
      const place = `the folder "${quoteOutside(path, 200)}"`
      return others.length === 0
        ? `${place} is empty, as it always is on a fresh runner`
        : `${place} holds no earlier snapshot of this dataset with the same filters`
    },
  }
}
