import { rm, stat } from 'node:fs/promises'
import type { ArtifactClient } from '@actions/artifact'
import { messageOf } from '../../errors.ts'
import type { Wait } from '../../http/retry.ts'
import { ensureRoom } from '../../snapshot/workshop/room.ts'
import { unlessAborted } from '../../streams/abort.ts'
import type { FinishedSnapshot } from '../destination.ts'
import { checkReadBack, verificationFailed } from '../read-back.ts'
import { lagsMs } from './run.ts'
import type { Uploaded } from './upload.ts'

type ReadBackNeeds = { readonly client: ArtifactClient; readonly wait: Wait; readonly signal: AbortSignal }

/** What fills a disk beside the bytes of the files: their last blocks and the folder itself. */
const slackBytes = 64 * 1024

/** Throws `disk-full` if the snapshot would not fit on the disk a second time. The client takes a full disk for a bad download, and tries five times: better to know before. */
export async function ensureRoomToReadBack(files: readonly string[], { folder }: FinishedSnapshot): Promise<void> {
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size))
  const neededBytes = sizes.reduce((sum, size) => sum + size, slackBytes)
  await ensureRoom(folder.readBack, { neededBytes, why: 'To read the artifact back' })
}

/** Downloads the artifact as any reader would, and compares all of it with what was written; throws `verification-failed` if it is not that. The client itself tries five times. */
export async function readBackArtifact(
  uploaded: Uploaded,
  { folder, manifestBytes }: FinishedSnapshot,
  needs: ReadBackNeeds,
): Promise<void> {
  try {
    await download(uploaded, folder.readBack, needs)
    await checkReadBack(folder.readBack, { manifestBytes, where: 'artifact', signal: needs.signal })
  } finally {
    await rm(folder.readBack, { recursive: true, force: true })
  }
}

async function download(uploaded: Uploaded, path: string, needs: ReadBackNeeds): Promise<void> {
  const { digestMismatch } = await downloadListed(uploaded, path, needs).catch((error: unknown) => {
    needs.signal.throwIfAborted()
    throw verificationFailed('artifact', `the download failed (${messageOf(error)})`, error)
  })
  // The client only tells of it; it does not fail.
  if (digestMismatch === true) throw verificationFailed('artifact', 'its digest is another')
}

/** What was stored a moment ago need not be listed yet, and the client gives up at once, as it does when a connection breaks. */
async function downloadListed({ id, digest }: Uploaded, path: string, { client, wait, signal }: ReadBackNeeds) {
  for (let turn = 0; ; turn++) {
    try {
      return await unlessAborted(client.downloadArtifact(id, { path, ...(digest === undefined ? {} : { expectedHash: digest }) }), signal)
    } catch (error) {
      const lagMs = lagsMs[turn]
      const passing = /No artifacts found for ID|Unable to make request/.test(messageOf(error))
      if (signal.aborted || lagMs === undefined || !passing) throw error
      await wait(lagMs, signal)
    }
  }
}
