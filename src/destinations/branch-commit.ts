import { type ImportStep, importObjects } from '../git/import.ts'
import { objectName } from '../git/objects.ts'
import type { Repository } from '../git/repository.ts'
import { documentsFolder } from '../snapshot/layout.ts'
import { type Manifest, manifestFile, printManifest } from '../snapshot/manifest.ts'
import { findDataFile } from '../snapshot/read.ts'
import { plural } from '../text.ts'
import { type BranchLayout, branchManifest, holdsSame, type Laid, layFiles } from './branch-files.ts'
import { branchReadme, commitMessage } from './branch-message.ts'
import type { BranchTip } from './branch-tip.ts'
import type { FinishedSnapshot, StoredOnBranch } from './destination.ts'

/** What becomes of the branch: a commit that stores the snapshot, or none where it lies there already. */
export type Made = Pick<StoredOnBranch, 'manifest' | 'sizeBytes' | 'digest' | 'byType'> & { readonly commit: string | undefined }

export type Making = {
  readonly repository: Repository
  /** Folder of the snapshot on the branch. */
  readonly folder: string
  readonly tip: BranchTip
  readonly snapshot: FinishedSnapshot
  readonly layout: BranchLayout
  readonly template: string
  readonly clean: (text: string) => string
  readonly now: () => Date
  readonly progress: (line: () => string) => void
}

/** After so long a manifest is renewed although nothing has changed, so that age can be told from silence. */
const renewedAfterMs = 7 * 24 * 60 * 60 * 1000

/** Makes the commit for a snapshot on top of a branch, in the repository at hand. */
export async function makeCommit(making: Making): Promise<Made> {
  let made: Omit<Made, 'commit'> | undefined
  const steps = async function* (): AsyncGenerator<ImportStep> {
    made = yield* importSteps(making)
  }
  const commit = await importObjects(making.repository.git, steps())
  if (made === undefined) throw new Error('git took no commit')
  return { ...made, commit }
}

async function* importSteps(making: Making): AsyncGenerator<ImportStep, Omit<Made, 'commit'>> {
  const { tip, snapshot, layout, folder } = making
  const { before } = tip
  const same = tip.manifest !== undefined && holdsSame(tip.manifest, snapshot.manifest, { layout, before })
  const laying = { folder: snapshot.folder.path, manifest: snapshot.manifest, before, same }
  // Compressed, the same documents give other bytes in another order: what lies there is kept.
  const laid = same && layout === 'compressed' ? keptAsItIs(tip.manifest) : yield* layAll(making, layFiles(laying, layout))
  const known = tip.manifest === undefined || (layout === 'text' && hasDocuments(before) && tip.manifest.branch?.layout === 'text')
  const byType = known && layout === 'text' ? laid.byType : undefined

  const unchanged = same && laid.changes.length === 0
  if (unchanged && tip.manifest !== undefined && !mustBeSaid(snapshot.manifest, tip.manifest)) {
    return {
      manifest: tip.manifest,
      sizeBytes: laid.sizeBytes + printManifest(tip.manifest).length,
      digest: findDataFile(tip.manifest)?.digest,
      byType,
    }
  }
  const written = await branchManifest(laying, layout)
  const manifest = unchanged && tip.manifest ? { ...written, files: tip.manifest.files } : written
  const bytes = printManifest(manifest)
  yield { kind: 'blob', blob: { sizeBytes: bytes.length, chunks: [bytes] } }
  const readme = Buffer.from(branchReadme)
  if (!tip.hasReadme) yield { kind: 'blob', blob: { sizeBytes: readme.length, chunks: [readme] } }
  const message = commitMessage({ ...making, manifest, previous: tip.manifest, byType })
  const changes = function* () {
    if (!tip.hasReadme) yield { path: 'README.md', name: objectName('blob', readme) }
    for (const { path, name } of laid.changes) yield { path: `${folder}/${path}`, name }
    yield { path: `${folder}/${manifestFile}`, name: objectName('blob', bytes) }
  }
  yield { kind: 'commit', commit: { parent: tip.commit, message, time: making.now(), changes: changes() } }
  const data = findDataFile(same && tip.manifest ? tip.manifest : snapshot.manifest)
  return { manifest, sizeBytes: laid.sizeBytes + bytes.length, digest: layout === 'text' ? undefined : data?.digest, byType }
}

async function* layAll({ progress, snapshot }: Making, files: ReturnType<typeof layFiles>): AsyncGenerator<ImportStep, Laid> {
  let fresh = 0
  for (;;) {
    const { done, value } = await files.next()
    if (done) return value
    fresh++
    progress(() => `Preparing the branch: ${plural(fresh, 'new file')} so far, of ${plural(snapshot.manifest.documents.count, 'document')}`)
    yield { kind: 'blob', blob: value }
  }
}

function keptAsItIs(manifest: Manifest | undefined): Laid {
  const sizeBytes = (manifest?.files ?? []).reduce((sum, file) => sum + file.sizeBytes, 0)
  return { changes: [], byType: new Map(), sizeBytes }
}

function hasDocuments(before: ReadonlyMap<string, string>): boolean {
  for (const path of before.keys()) if (path.startsWith(`${documentsFolder}/`)) return true
  return false
}

/** Whether a snapshot is stored although the same content lies there: a restore point with a name must exist, and an old manifest says nothing. */
function mustBeSaid(manifest: Manifest, there: Manifest): boolean {
  if (manifest.label !== null && manifest.label !== there.label) return true
  return Date.parse(manifest.takenAt) - Date.parse(there.takenAt) > renewedAfterMs
}
