import { attributes, attributesFile, documentsFolder } from '../../../format/branch-layout.ts'
import { totalOf } from '../../../format/compare.ts'
import { listingOf } from '../../../format/listing.ts'
import { type Manifest, manifestFile, printManifest, type StoredManifest } from '../../../format/manifest/manifest.ts'
import type { Git } from '../../../git/command.ts'
import { commitTree, type ImportStep, importObjects } from '../../../git/objects/import.ts'
import { objectName } from '../../../git/objects/objects.ts'
import { findDataFile } from '../../../snapshot/read/documents.ts'
import { plural } from '../../../text.ts'
import type { FinishedSnapshot, StoredOnBranch } from '../../destination.ts'
import type { Proof } from '../read-back/read-back.ts'
import { asking, type BranchSession, repositoryOf } from '../session.ts'
import type { BranchTip } from '../tip.ts'
import { type BranchLayout, branchManifest, type LaidOut, type Layout, layFiles } from './files.ts'
import { branchReadme, commitMessage, topMessage } from './message.ts'
import { findKept, saysEnough } from './unchanged.ts'

/** What becomes of the branch: a commit that stores the snapshot, or none where it lies there already. */
export type Made = Pick<StoredOnBranch, 'manifest' | 'sizeBytes' | 'digest' | 'byType'> & {
  readonly commit: string | undefined
  /** The commit that the branch then ends in: another than `commit` where a newer snapshot stays on top. */
  readonly top: string | undefined
  /** Undefined without a commit. */
  readonly proof: Proof | undefined
}

type CommitNeeds = {
  readonly session: BranchSession
  readonly tip: BranchTip
  readonly snapshot: FinishedSnapshot
  readonly layout: BranchLayout
  readonly template: string
  /** Whether it is time again to read back all files. */
  readonly isWholeDue: () => Promise<boolean>
  /** Whether the commit may say that all files were read back: it is not shown to anybody before that is done. */
  readonly claimsWhole: boolean
  readonly clean: (text: string) => string
  readonly now: () => Date
  readonly progress: (line: () => string) => void
}

/**
 * Makes the commit for a snapshot on top of a branch, in the session's repository; and another one above it if the snapshot on the branch is newer.
 * Throws `branch-too-large` for a file that GitHub does not take.
 */
export async function makeCommit(needs: CommitNeeds): Promise<Made> {
  const { session, tip, snapshot, template, clean } = needs
  const { git } = await repositoryOf(session)
  const snapshotHere = { folder: snapshot.folder.path, manifest: snapshot.manifest, layout: needs.layout }
  // What lies on the branch is fetched when it is read.
  const kept = await asking(session, () => findKept(git, tip, snapshotHere))
  let made: Contents | undefined
  const steps = async function* (): AsyncGenerator<ImportStep> {
    made = yield* importSteps(needs, { ...snapshotHere, before: tip.before, kept })
  }
  const commit = await importObjects(git, steps())
  if (made === undefined) throw new Error('git took no commit')
  if (commit === undefined || !isNewer(tip.manifest, snapshot.manifest)) return { ...made, commit, top: commit }
  const tree = await treeOf(git, tip.commit ?? '')
  const message = topMessage({ template, clean, manifest: tip.manifest })
  const top = await commitTree(git, { tree, parent: commit, message, time: needs.now() })
  return { ...made, commit, top, proof: made.proof && { ...made.proof, above: tree } }
}

/** What a commit holds, without its name. */
type Contents = Omit<Made, 'commit' | 'top'>

/** Whether what lies on the branch was taken later than a snapshot. */
export function isNewer(there: StoredManifest | undefined, { takenAt }: Manifest): there is StoredManifest {
  return there !== undefined && Date.parse(there.takenAt) > Date.parse(takenAt)
}

async function treeOf(git: Git, commit: string): Promise<string> {
  return (await git.run(['rev-parse', '--verify', `${commit}^{tree}`])).toString('latin1').trim()
}

async function* importSteps(needs: CommitNeeds, layout: Layout): AsyncGenerator<ImportStep, Contents> {
  const { tip, snapshot } = needs
  const { before, kept } = layout
  const isText = layout.layout === 'text'
  const laid = yield* layAll(needs, layFiles(layout))
  const known = tip.manifest === undefined || (isText && hasDocuments(before) && tip.manifest.branch?.layout === 'text')
  const byType = known && isText ? laid.byType : undefined

  const unchanged = kept !== undefined && laid.changes.length === 0
  if (unchanged && tip.manifest !== undefined && saysEnough(tip.manifest, snapshot.manifest)) {
    const bytes = printManifest(tip.manifest).length + (before.has(attributesFile) ? attributes.length : 0)
    const digest = findDataFile(tip.manifest)?.digest
    return { manifest: tip.manifest, sizeBytes: laid.sizeBytes + bytes, digest, byType, proof: undefined }
  }
  const manifest = await branchManifest(layout)
  const proof = yield* commitSteps(needs, { laid, manifest, byType })
  const data = findDataFile(kept && tip.manifest ? tip.manifest : snapshot.manifest)
  const sizeBytes = laid.sizeBytes + printManifest(manifest).length + attributes.length
  return { manifest, sizeBytes, digest: isText ? undefined : data?.digest, byType, proof }
}

type CommitContents = { readonly laid: LaidOut; readonly manifest: Manifest; readonly byType: Made['byType'] }

/** The commit, with the files that are the same in every snapshot; returns what it must come back as. */
async function* commitSteps(needs: CommitNeeds, { laid, manifest, byType }: CommitContents): AsyncGenerator<ImportStep, Proof> {
  const { session, tip, template, clean } = needs
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
  const whole = tip.manifest === undefined || otherLayout(tip.manifest, manifest) || (await needs.isWholeDue())
  const message = commitMessage({ template, clean, manifest, previous: tip.manifest, byType, whole: whole && needs.claimsWhole })
  const changes = function* () {
    if (!tip.hasReadme) yield { path: 'README.md', name: objectName('blob', readme) }
    for (const { path, name } of fresh) yield { path: `${session.needs.folder}/${path}`, name }
  }
  yield { kind: 'commit', commit: { parent: tip.commit, message, time: needs.now(), changes: changes() } }
  return { manifest, listed: laid.listed.result(), fresh: whole ? [] : fresh.flatMap(({ name }) => name ?? []), whole, above: undefined }
}

/** How many documents of the tip a commit lacks, by their files; undefined where those lie in other folders, or in none. */
export function vanishedIn({ byType, manifest }: Pick<Made, 'byType' | 'manifest'>, tip: BranchTip): number | undefined {
  if (byType === undefined || tip.manifest === undefined || otherLayout(tip.manifest, manifest)) return undefined
  return totalOf(byType).deleted
}

function otherLayout(one: StoredManifest, other: Manifest): boolean {
  return one.branch?.layout !== other.branch?.layout || one.branch?.depth !== other.branch?.depth
}

function blobOf(content: Buffer): ImportStep {
  return { kind: 'blob', blob: { sizeBytes: content.length, chunks: [content] } }
}

/** What the snapshot at the tip must come back as where nothing is added to it. */
export function proofOfTip({ before }: BranchTip, manifest: StoredManifest): Proof {
  return { manifest, listed: listingOf(before), fresh: [], whole: true, above: undefined }
}

async function* layAll({ progress, snapshot }: CommitNeeds, files: ReturnType<typeof layFiles>): AsyncGenerator<ImportStep, LaidOut> {
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
