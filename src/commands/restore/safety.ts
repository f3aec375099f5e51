import { codecs } from '../../codec/codecs.ts'
import { BackupError, type ErrorCode, reworded } from '../../errors.ts'
import { printManifest, type StoredManifest } from '../../format/manifest/manifest.ts'
import type { RestoreInputs } from '../../inputs/restore.ts'
import type { Runner } from '../../runner.ts'
import { writeData } from '../../snapshot/write/data-file.ts'
import { writeManifest } from '../../snapshot/write/whole-file.ts'
import type { Tools } from '../../tools.ts'
import { noAssets } from '../backup/assets/saved.ts'
import type { NamedFolder } from '../backup/folder.ts'
import { makeManifest } from '../backup/manifest.ts'
import { openSealing, type Sealing, sealUp } from '../backup/sealing.ts'
import { storeSnapshot } from '../backup/store.ts'
import { artifactNamed } from '../destinations.ts'
import type { WayNeeds } from '../documents/way.ts'
import type { Prepared } from './prepare.ts'
import { unwritten } from './target.ts'

/** The label of the snapshot of a target as it was before the first write. */
export const safetyLabel = 'pre-restore'

/** Where the safety snapshot was stored. */
export type StoredSafety = { readonly name: string; readonly url: string; readonly snapshot: string; readonly encrypted: boolean }

/** Makes the target as it was a snapshot, out of the very export that the plan was made from. */
export type Safety = {
  readonly write: WayNeeds['write']
  /** Stores it and reads it back. Throws what storing a backup throws; then nothing was written to the target. */
  readonly store: (prepared: Prepared) => Promise<StoredSafety | undefined>
}

/** Who encrypts the snapshots of a dataset may not want to find it in the clear beside them. */
export function warnOfClearSafety({ mode, safetySnapshot, encryptTo }: RestoreInputs, source: StoredManifest, { log }: Tools): void {
  if (mode !== 'apply' || !safetySnapshot || encryptTo !== undefined || !source.encryption) return
  log.warning(
    'The snapshot is encrypted, and the safety snapshot of the target will be stored in the clear. Set `encrypt-to` as in the backup to encrypt it, too.',
  )
}

type SafetyNeeds = { readonly runner: Runner; readonly place: NamedFolder }

/** Prepares for the safety snapshot, and finds out whether it may be stored before anything is fetched. Does nothing where none is wanted. */
export async function openSafety(inputs: RestoreInputs, { runner, place }: SafetyNeeds, tools: Tools): Promise<Safety> {
  if (inputs.mode !== 'apply' || !inputs.safetySnapshot) return { write: unwritten, store: async () => undefined }
  const { target, encryptTo, allowPublic, which } = inputs
  const sealing = await openSealing(encryptTo, tools)
  const name = `sanity-${target.projectId}-${target.dataset}-${safetyLabel}`
  const wanted = { retentionDays: undefined, githubToken: which.githubToken, allowPublic, encryptTo }
  const destination = artifactNamed(name, { inputs: wanted, runner, tools })
  await inWordsOfRestore(async () => await destination.check())
  return {
    write: async (lines) =>
      await writeData(place.folder.path, { lines, compression: 'gzip', level: codecs.gzip.levels.default, sealer: sealing?.sealer }),
    store: async (prepared) => {
      const manifest = await finish(inputs, { prepared, place, runner, sealing }, tools)
      const snapshot = { folder: place.folder, manifest, manifestBytes: printManifest(manifest) }
      const storing = { destinations: [destination], missingError: undefined, path: runner.temp }
      const { stored } = await inWordsOfRestore(async () => await storeSnapshot(snapshot, storing, tools))
      const [artifact] = stored
      if (artifact?.kind !== 'artifact') throw notStored()
      tools.log.info(`The safety snapshot ${place.name} is stored as the artifact "${artifact.name}"`)
      return { name: artifact.name, url: artifact.url, snapshot: place.name, encrypted: sealing !== undefined }
    },
  }
}

type FinishNeeds = SafetyNeeds & { readonly prepared: Prepared; readonly sealing: Sealing | undefined }

async function finish({ target }: RestoreInputs, { prepared, place, runner, sealing }: FinishNeeds, { now, clean }: Tools) {
  const plain = makeManifest({
    name: place.name,
    label: safetyLabel,
    shard: null,
    takenAt: place.takenAt,
    finishedAt: now(),
    source: target,
    run: runner.run,
    filters: prepared.targetFilters,
    documents: prepared.target.documents,
    includeAssets: false,
    assets: noAssets,
    fullRead: prepared.fullRead,
    clean,
  })
  const manifest = sealing ? await sealUp(place.folder.path, plain, sealing) : plain
  await writeManifest(place.folder.path, manifest)
  return manifest
}

/** Errors of artifacts name inputs of a backup. What helps here is said instead. */
async function inWordsOfRestore<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof BackupError)) throw error
    const hint = /`(destination|label|retention-days)/.test(error.hint) ? cures.get(error.code) : undefined
    if (hint === undefined) throw error
    throw reworded(error, { message: `The target as it was cannot be stored, so nothing was written. ${error.message}`, hint })
  }
}

const without = 'set `safety-snapshot: false` if a backup by a step before this one holds the target as it is'

const cures: ReadonlyMap<ErrorCode, string> = new Map([
  [
    'artifact-name-taken',
    `Let each restore of a dataset be a workflow run of its own: the safety snapshot of the one before is never replaced. Or ${without}.`,
  ],
  ['artifact-quota', `Raise the spending limit under Settings, Billing, or delete artifacts and wait. Or ${without}.`],
  [
    'artifact-failed',
    `Run the restore as an action with \`uses:\` where GitHub’s artifact service can be reached, and try again. Or ${without}.`,
  ],
])

function notStored(): BackupError {
  return new BackupError({
    code: 'artifact-failed',
    title: 'The safety snapshot was not stored',
    message: 'The target as it was could not be stored as an artifact, so nothing was written.',
    hint: 'Run it again. `safety-snapshot: false` does without, at your own risk.',
  })
}
