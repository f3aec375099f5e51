import { type Chosen, OfAnother } from '../../destinations/choose.ts'
import { BackupError, reworded } from '../../errors.ts'
import type { Finding } from '../../format/findings/finding.ts'
import type { FileEntry, StoredManifest } from '../../format/manifest/manifest.ts'
import { nameOfSet } from '../../format/manifest/snapshot-name.ts'
import type { RestoreInputs } from '../../inputs/restore.ts'
import type { Runner } from '../../runner.ts'
import { findDataFile } from '../../snapshot/read/documents.ts'
import { readManifest } from '../../snapshot/read/manifest-file.ts'
import type { SnapshotFolder } from '../../snapshot/workshop/workshop.ts'
import { writePlain } from '../../snapshot/write/plain.ts'
import { plural, quoteOutside } from '../../text.ts'
import type { Tools } from '../../tools.ts'
import { type FoundSnapshot, findSnapshot } from '../find-snapshot.ts'
import { ensureUnlocked, openerFor } from '../unlock.ts'
import { findWrong } from '../verify/findings.ts'

/** A snapshot that was proven whole and lies on this disk, in the clear, as one: the documents in one file, the files of assets beside it. */
export type HeldSnapshot = {
  readonly chosen: Pick<Chosen, 'main'>
  readonly manifest: StoredManifest
  readonly folder: string
  readonly data: FileEntry
}

type HoldNeeds = { readonly runner: Runner; readonly workshop: SnapshotFolder }

/**
 * Finds the snapshot that is to come back, fetches it and proves every byte. Throws `verification-failed` if anything is wrong with it, and what
 * {@link findSnapshot} throws.
 */
export async function holdSnapshot(inputs: RestoreInputs, { runner, workshop }: HoldNeeds, tools: Tools): Promise<HeldSnapshot> {
  using chosen = await findSource(inputs, { runner, tools, scratch: workshop.scratch })
  const opener = openerFor(chosen, inputs.which.identities, tools)
  const fetched = await chosen.fetch(workshop.readBack, { level: 'data' })
  await ensureUnlocked(chosen, fetched, opener)
  const findings = await findWrong({ chosen, fetched, level: 'data', opener, maxAgeHours: undefined }, tools)
  refuseBroken(findings, chosen.main.manifest)
  for (const { kind, message } of findings.slice(0, 5)) tools.log.info(`Finding ${kind}: ${message}`)
  const parts = chosen.parts.flatMap(({ manifest, manifestBytes }, index) => {
    const part = fetched[index]
    if (part === undefined) return []
    const ours = part.folder.startsWith(workshop.readBack)
    return [{ manifest, manifestBytes, folder: part.folder, ours, documents: part.documents }]
  })
  const [only, second] = parts
  if (only && !second && isPlain(only)) return held(chosen, only.manifest, only.folder)
  await writePlain(workshop.path, { parts, name: nameOfSet(chosen.main.manifest.snapshot), opener, signal: tools.signal })
  const manifest = await readManifest(workshop.path)
  return held(chosen, manifest, workshop.path)
}

type Part = { readonly manifest: StoredManifest; readonly documents: unknown }

/** Whether the data lies in one file that can be read as it is. */
function isPlain({ manifest, documents }: Part): boolean {
  return documents === undefined && findDataFile(manifest) !== undefined
}

function held(chosen: Pick<Chosen, 'main'>, manifest: StoredManifest, folder: string): HeldSnapshot {
  const data = findDataFile(manifest)
  if (data !== undefined) return { chosen, manifest, folder, data }
  throw new BackupError({
    code: 'snapshot-invalid',
    title: 'The snapshot holds no documents',
    message: `${quoteOutside(manifest.snapshot, 200)} has no data file: it is a shard of assets, and the shard with the documents is missing.`,
    hint: 'Choose a whole snapshot, with `at`, `run-id` or `path`.',
  })
}

/** The snapshot of the source that the user names; unnamed it is the target's, or of the only dataset of which any lie there. */
async function findSource(
  { which, source, target }: RestoreInputs,
  needs: { readonly runner: Runner; readonly tools: Tools; readonly scratch: string },
): Promise<FoundSnapshot> {
  const named = source.projectId !== undefined || source.dataset !== undefined
  const wanted = { projectId: source.projectId ?? target.projectId, dataset: source.dataset ?? target.dataset }
  const namesPlace = which.place.kind !== 'artifact' || which.place.name !== undefined
  try {
    return await findSnapshot(which, wanted, needs)
  } catch (error) {
    // One of the target's that is broken, or too new, is no reason to take another dataset's.
    const isOfNone = error instanceof OfAnother || (error instanceof BackupError && error.code === 'snapshot-missing')
    if (!named && !namesPlace && isOfNone) throw ofAnother(error)
    if (named || !namesPlace || !(error instanceof OfAnother)) throw error
    try {
      return await findSnapshot(which, { projectId: undefined, dataset: undefined }, needs)
    } catch (other) {
      throw other instanceof BackupError && other.code === 'input-invalid' ? unnamed(other) : error
    }
  }
}

/** Into another dataset, one easily forgets to say from which. */
function ofAnother(error: BackupError): BackupError {
  return reworded(error, {
    hint: `${error.hint} If it is to come from another dataset, name that one with \`source-dataset\` (and \`source-project-id\`).`,
  })
}

function unnamed(error: BackupError): BackupError {
  return reworded(error, {
    hint: 'None of them is of the target. Say which snapshot is to come back with `source-project-id` and `source-dataset`.',
  })
}

function refuseBroken(findings: readonly Finding[], { snapshot }: StoredManifest): void {
  const errors = findings.filter(({ severity }) => severity === 'error')
  if (errors.length === 0) return
  const named = errors.slice(0, 5).map(({ kind, message }) => `${kind}: ${message}`)
  const more = errors.length > named.length ? [`and ${plural(errors.length - named.length, 'more finding')}`] : []
  throw new BackupError({
    code: 'verification-failed',
    title: 'The snapshot is not whole',
    message: [`Nothing was restored from ${quoteOutside(snapshot, 200)}:`, ...named, ...more].join('\n'),
    hint: 'Restore another snapshot: with `at` an older one, or from another place. `verify` tells more about this one.',
  })
}
