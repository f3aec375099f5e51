import { attributes, attributesFile, documentsFolder } from '../../../format/branch-layout.ts'
import { listingOf } from '../../../format/listing.ts'
import { type Manifest, manifestFile, printManifest, type StoredManifest } from '../../../format/manifest.ts'
import type { Git } from '../../../git/command.ts'
import { commitTree, type ImportStep, importObjects } from '../../../git/objects/import.ts'
import { objectName } from '../../../git/objects/objects.ts'
import type { Repository } from '../../../git/repository.ts'
import { findDataFile } from '../../../snapshot/read/documents.ts'
import { plural } from '../../../text.ts'
import type { FinishedSnapshot, StoredOnBranch } from '../../destination.ts'
import type { Proof } from '../read-back/read-back.ts'
import type { BranchTip } from '../tip.ts'
import { type BranchLayout, branchManifest, type Laid, type Laying, layFiles } from './files.ts'
import { branchReadme, commitMessage, topMessage } from './message.ts'
import { findKept, staysGood } from './unchanged.ts'

/** What becomes of the branch: a commit that stores the snapshot, or none where it lies there already. */
export type Made = Pick<StoredOnBranch, 'manifest' | 'sizeBytes' | 'digest' | 'byType'> & {
  readonly commit: string | undefined
  /** The commit that the branch then ends in: another than `commit` where a newer snapshot stays on top. */
  readonly top: string | undefined
  /** Undefined without a commit. */
  readonly proof: Proof | undefined
}

export type Making = {
  readonly repository: Repository
  /** Folder of the snapshot on the branch. */
  readonly folder: string
  readonly tip: BranchTip
  readonly snapshot: FinishedSnapshot
  readonly layout: BranchLayout
  readonly template: string
  /** Whether it is time again to read back all files. */
  readonly isWholeDue: () => Promise<boolean>
  readonly clean: (text: string) => string
  readonly now: () => Date
  readonly progress: (line: () => string) => void
  /** Asks again where the server fails for a reason that passes: what lies on the branch is fetched when it is read. */
  readonly asking: <Value>(work: () => Promise<Value>) => Promise<Value>
}

/** Makes the commit for a snapshot on top of a branch, in the repository at hand; and another one above it if the snapshot there is newer. */
export async function makeCommit(making: Making): Promise<Made> {
  const { repository, tip, snapshot, layout } = making
  const lying = { folder: snapshot.folder.path, manifest: snapshot.manifest }
  const kept = await making.asking(() => findKept(repository.git, tip, { ...lying, layout }))
  let made: Omit<Made, 'commit' | 'top'> | undefined
  const steps = async function* (): AsyncGenerator<ImportStep> {
    made = yield* importSteps(making, { ...lying, before: tip.before, kept })
  }
  const commit = await importObjects(repository.git, steps())
  if (made === undefined) throw new Error('git took no commit')
  if (commit === undefined || !isNewer(tip.manifest, snapshot.manifest)) return { ...made, commit, top: commit }
  const above = { tree: await treeOf(repository.git, tip.commit ?? ''), parent: commit }
  const message = topMessage({ ...making, manifest: tip.manifest })
  const top = await commitTree(repository.git, { ...above, message, time: making.now() })
  return { ...made, commit, top, proof: made.proof && { ...made.proof, above: above.tree } }
}

/** Whether what lies on the branch was taken later than a snapshot. */
export function isNewer(there: StoredManifest | undefined, { takenAt }: Manifest): there is StoredManifest {
  return there !== undefined && Date.parse(there.takenAt) > Date.parse(takenAt)
}

async function treeOf(git: Git, commit: string): Promise<string> {
  return (await git.run(['rev-parse', '--verify', `${commit}^{tree}`])).toString('latin1').trim()
}

async function* importSteps(making: Making, laying: Laying): AsyncGenerator<ImportStep, Omit<Made, 'commit' | 'top'>> {
  const { tip, snapshot, layout } = making
  const { before, kept } = laying
  const laid = yield* layAll(making, layFiles(laying, layout))
  const known = tip.manifest === undefined || (layout === 'text' && hasDocuments(before) && tip.manifest.branch?.layout === 'text')
  const byType = known && layout === 'text' ? laid.byType : undefined

  const unchanged = kept !== undefined && laid.changes.length === 0
  if (unchanged && tip.manifest !== undefined && staysGood(tip.manifest, snapshot.manifest)) {
    const bytes = printManifest(tip.manifest).length + (before.has(attributesFile) ? attributes.length : 0)
    const digest = findDataFile(tip.manifest)?.digest
    return { manifest: tip.manifest, sizeBytes: laid.sizeBytes + bytes, digest, byType, proof: undefined }
  }
  const manifest = await branchManifest(laying, layout)
  const proof = yield* commitSteps(making, { laid, manifest, byType })
  const data = findDataFile(kept && tip.manifest ? tip.manifest : snapshot.manifest)
  const sizeBytes = laid.sizeBytes + printManifest(manifest).length + attributes.length
  return { manifest, sizeBytes, digest: layout === 'text' ? undefined : data?.digest, byType, proof }
}

type Committing = { readonly laid: Laid; readonly manifest: Manifest; readonly byType: Made['byType'] }

/** The commit, with the files that are the same in every snapshot; gives what it must come back as. */
async function* commitSteps(making: Making, { laid, manifest, byType }: Committing): AsyncGenerator<ImportStep, Proof> {
  const { tip, folder } = making
  const fixed = [
    [attributesFile, attributes],
    [manifestFile, printManifest(manifest)],
  ] as const
  const fresh = [...laid.changes]
  for (const [path, content] of fixed) {
    const name = objectName('blob', content)
    laid.listed.add(path, name)
    if (tip.before.get(path) === name) continue
    fresh.push({ path, name })
    yield blobOf(content)
  }
  const readme = Buffer.from(branchReadme)
  if (!tip.hasReadme) yield blobOf(readme)
  const whole = tip.manifest === undefined || otherLayout(tip.manifest, manifest) || (await making.isWholeDue())
  const message = commitMessage({ ...making, manifest, previous: tip.manifest, byType, whole })
  const changes = function* () {
    if (!tip.hasReadme) yield { path: 'README.md', name: objectName('blob', readme) }
    for (const { path, name } of fresh) yield { path: `${folder}/${path}`, name }
  }
  yield { kind: 'commit', commit: { parent: tip.commit, message, time: making.now(), changes: changes() } }
  return { manifest, listed: laid.listed.result(), fresh: whole ? [] : fresh.flatMap(({ name }) => name ?? []), whole, above: undefined }
}

function otherLayout(one: StoredManifest, other: Manifest): boolean {
  return one.branch?.layout !== other.branch?.layout || one.branch?.depth !== other.branch?.depth
}

function blobOf(content: Buffer): ImportStep {
  return { kind: 'blob', blob: { sizeBytes: content.length, chunks: [content] } }
}

/** What the snapshot that lies there must come back as where nothing is added to it. */
export function proofOfTip({ before }: BranchTip, manifest: StoredManifest): Proof {
  return { manifest, listed: listingOf(before), fresh: [], whole: true, above: undefined }
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
