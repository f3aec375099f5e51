import { type ImportStep, importObjects } from '../git/import.ts'
import { objectName } from '../git/objects.ts'
import type { Repository } from '../git/repository.ts'
import { documentsFolder } from '../snapshot/layout.ts'
import { manifestFile, printManifest } from '../snapshot/manifest.ts'
import { findDataFile } from '../snapshot/read.ts'
import { plural } from '../text.ts'
import { type BranchLayout, branchManifest, type Laid, type Laying, layFiles } from './branch-files.ts'
import { findKept, mustBeSaid } from './branch-kept.ts'
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
  /** Asks again where the server fails for a reason that passes: what lies on the branch is fetched when it is read. */
  readonly asking: <Value>(work: () => Promise<Value>) => Promise<Value>
}

/** Makes the commit for a snapshot on top of a branch, in the repository at hand. */
export async function makeCommit(making: Making): Promise<Made> {
  const { repository, tip, snapshot, layout } = making
  const lying = { folder: snapshot.folder.path, manifest: snapshot.manifest }
  const kept = await making.asking(() => findKept(repository.git, tip, { ...lying, layout }))
  let made: Omit<Made, 'commit'> | undefined
  const steps = async function* (): AsyncGenerator<ImportStep> {
    made = yield* importSteps(making, { ...lying, before: tip.before, kept })
  }
  const commit = await importObjects(repository.git, steps())
  if (made === undefined) throw new Error('git took no commit')
  return { ...made, commit }
}

async function* importSteps(making: Making, laying: Laying): AsyncGenerator<ImportStep, Omit<Made, 'commit'>> {
  const { tip, snapshot, layout, folder } = making
  const { before, kept } = laying
  const laid = yield* layAll(making, layFiles(laying, layout))
  const known = tip.manifest === undefined || (layout === 'text' && hasDocuments(before) && tip.manifest.branch?.layout === 'text')
  const byType = known && layout === 'text' ? laid.byType : undefined

  const unchanged = kept !== undefined && laid.changes.length === 0
  if (unchanged && tip.manifest !== undefined && !mustBeSaid(snapshot.manifest, tip.manifest)) {
    return {
      manifest: tip.manifest,
      sizeBytes: laid.sizeBytes + printManifest(tip.manifest).length,
      digest: findDataFile(tip.manifest)?.digest,
      byType,
    }
  }
  const manifest = await branchManifest(laying, layout)
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
  const data = findDataFile(kept && tip.manifest ? tip.manifest : snapshot.manifest)
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

function hasDocuments(before: ReadonlyMap<string, string>): boolean {
  for (const path of before.keys()) if (path.startsWith(`${documentsFolder}/`)) return true
  return false
}
