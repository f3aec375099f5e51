import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { ArtifactClient } from '@actions/artifact'
import type { Forge } from '../../github/forge.ts'
import type { Wait } from '../../http/retry.ts'
import type { Stopwatch } from '../../stopwatch.ts'
import type { Destination, SnapshotReader } from '../destination.ts'
import { noService, unsupportedServer } from './errors.ts'
import { ensureRoomToReadBack, readBackArtifact } from './read-back.ts'
import { uploadUnderFreeName } from './upload.ts'
import { withdraw } from './withdraw.ts'

type ArtifactNeeds = {
  readonly client: ArtifactClient
  readonly name: string
  readonly retentionDays: number | undefined
  /** 2 or more when the run is repeated: its earlier attempts' artifacts still hold their names. */
  readonly runAttempt: number
  /** Page of the workflow run. */
  readonly runUrl: string
  /** Whether the runner handed this step the artifact service. */
  readonly hasService: boolean
  readonly serverUrl: string
  readonly forge: Forge
  /** Reads the artifacts of this name, of this run and of earlier ones. */
  readonly reader: SnapshotReader
  /** Throws if the snapshot must not be stored in this repository. */
  readonly checkVisibility: () => Promise<void>
  readonly signal: AbortSignal
  readonly wait: Wait
  readonly stopwatch: Pick<Stopwatch, 'during'>
}

/** Stores the snapshot as a workflow artifact: its folder as a zip, not compressed again. */
export function artifactDestination(needs: ArtifactNeeds): Destination {
  const { client, name, retentionDays, runAttempt, signal, wait, stopwatch } = needs
  return {
    kind: 'artifact',
    reader: needs.reader,
    check: async () => {
      if (needs.forge !== 'github') throw unsupportedServer(needs.forge, needs.serverUrl)
      if (!needs.hasService) throw noService()
      await needs.checkVisibility()
    },
    prepare: async () => undefined,
    store: async (snapshot) => {
      const folder = snapshot.folder.path
      const files = await filesOf(folder)
      await ensureRoomToReadBack(files, snapshot)
      const uploaded = await uploadUnderFreeName({ folder, files }, { client, name, retentionDays, runAttempt, signal, wait })
      try {
        await stopwatch.during('verify', () => readBackArtifact(uploaded, snapshot, { client, wait, signal }))
        signal.throwIfAborted()
      } catch (error) {
        throw await withdraw(uploaded.name, error, { client, wait, signal })
      }
      const { id, sizeBytes } = uploaded
      return { kind: 'artifact', name: uploaded.name, id, url: `${needs.runUrl}/artifacts/${id}`, sizeBytes }
    },
    [Symbol.dispose]: () => undefined,
  }
}

/** Keeps the files of a folder as an artifact, as they are, and gives its name. Throws what an upload throws. */
export async function keepAsArtifact(
  folder: string,
  needs: Pick<ArtifactNeeds, 'client' | 'name' | 'runAttempt' | 'signal' | 'wait'>,
): Promise<string> {
  return (await uploadUnderFreeName({ folder, files: await filesOf(folder) }, { ...needs, retentionDays: undefined })).name
}

/** All files of the snapshot. An artifact exists when its zip is there as a whole, so their order in it says nothing. */
async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}
