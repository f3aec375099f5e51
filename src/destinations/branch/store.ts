import { attributes } from '../../format/branch-layout.ts'
import { type Manifest, printManifest, type StoredManifest } from '../../format/manifest/manifest.ts'
import { findDataFile } from '../../snapshot/read/documents.ts'
import type { Stopwatch } from '../../stopwatch.ts'
import type { FinishedSnapshot, StoredOnBranch } from '../destination.ts'
import { isNewer, makeCommit, proofOfTip, vanishedIn } from './commit/commit.ts'
import type { BranchLayout } from './commit/files.ts'
import { keepNewest, type Ready } from './commit/keep-newest.ts'
import { type Delivered, deliverAndProve, deliverProven, type Staging } from './deliver.ts'
import { conflictError, defaultBranchError, emptyRepositoryError, inTheWayError, isUnread, notReadError } from './errors.ts'
import { refuseLoss } from './loss.ts'
import { tryToRemove } from './move.ts'
import { logOrder, requirePlace } from './order.ts'
import { readBackBranch } from './read-back/read-back.ts'
import { isWholeDue } from './read-back/whole.ts'
import { type BranchSession, type BranchState, currentState, inGitWords, refresh, refreshTipOnly, repositoryOf } from './session.ts'
import { leftovers, newStagingRef } from './staging.ts'
import type { BranchTip } from './tip.ts'

/** What writing snapshots on a branch needs beside its session. */
export type WritingNeeds = {
  readonly layout: BranchLayout
  /** How many snapshots of this dataset stay in the history; 0: all. */
  readonly keepLast: number
  /** The input `commit-message`. */
  readonly template: string
  /** What the snapshots are of. */
  readonly source: Pick<Manifest['source'], 'projectId' | 'dataset'>
  /** How much of what the tip holds a snapshot may take out of it; 100: all. */
  readonly maxShrinkPercent: number
  readonly clean: (text: string) => string
  readonly now: () => Date
  readonly stopwatch: Pick<Stopwatch, 'during'>
  readonly log: { readonly warning: (line: string) => void; readonly progress: (line: () => string) => void }
}

/** A snapshot on its way to a branch. */
export type Writing = {
  readonly session: BranchSession
  readonly needs: WritingNeeds
  /** The commit that was made before anything was stored; `storeOnBranch` takes it away. */
  prepared: Ready | undefined
  /** Whether the branch is moved before the commit is proven, because the server keeps no ref beside the branches. */
  pushesFirst: boolean
  /** Whether all files are to be read back; asked for the first commit. */
  wholeDue: Promise<boolean> | undefined
}

/** How many times moving the branch is tried. */
const tries = 5
/**
 * How long a run waits after its first lost race, and how much longer each time: those that have lost make way for the others. At least the given part
 * of what the try took: where machine or server are slow, so are the others.
 */
const firstWaitMs = 900
const waitOfTry = 0.4
const waitGrowth = 2.8
/** What removing refs may take, beside what putting the branch back takes. */
const removeMs = { cancelled: 1_000, failed: 30_000 }
/** How often the commit is made again, before each try, for a branch that is moved while it is made. */
const turns = 10

/** The tip of a branch that backups may be stored on. Throws if it is the default branch, or holds what is not ours where the snapshot belongs. */
export function requireOurs({ needs: { branch, remote } }: BranchSession, { overview, tip }: BranchState): BranchTip {
  if (overview.empty) throw emptyRepositoryError(remote.name)
  if (branch === overview.defaultBranch) throw defaultBranchError(branch, remote.name)
  if (tip.inTheWay !== undefined) throw inTheWayError(tip.inTheWay, branch)
  return tip
}

/** Makes the commit for a snapshot, in the repository of the session. Throws `dataset-shrunk` if it would take too much out of what the tip holds. */
export async function makeReady(writing: Writing, snapshot: FinishedSnapshot, tip: BranchTip): Promise<Ready> {
  const { session, needs } = writing
  const { branch, folder } = session.needs
  const { layout, template, clean, now, maxShrinkPercent, keepLast } = needs
  const { progress } = needs.log
  const isDue = async () => await isWholeDueIn(writing, tip)
  const claimsWhole = !writing.pushesFirst
  return await inGitWords(session, async () => {
    const made = await makeCommit({ session, tip, snapshot, layout, template, isWholeDue: isDue, claimsWhole, clean, now, progress })
    const loss = { branch, maxShrinkPercent, vanished: vanishedIn(made, tip) }
    // An older snapshot goes below the newer one, and takes nothing out of it.
    if (!isNewer(tip.manifest, snapshot.manifest)) refuseLoss(snapshot.manifest, tip.manifest, loss)
    return await keepNewest(made, { tip, repository: await repositoryOf(session), folder, keep: keepLast })
  })
}

async function isWholeDueIn(writing: Writing, { commit }: BranchTip): Promise<boolean> {
  const { session, needs } = writing
  writing.wholeDue ??= isWholeDue(session, { source: needs.source, now: needs.now(), tip: commit })
  return await writing.wholeDue
}

/** Stores a snapshot, again if other runs move the branch first. See the law of `store` in destination.ts. */
export async function storeOnBranch(writing: Writing, snapshot: FinishedSnapshot): Promise<StoredOnBranch> {
  const { session, needs } = writing
  const { signal } = session.needs.git
  signal.throwIfAborted()
  const staging: Staging = { ref: newStagingRef(needs.now()), at: undefined, perhapsThere: false }
  try {
    return await storeAgain(writing, snapshot, staging)
  } finally {
    const own = staging.perhapsThere ? [staging.ref] : []
    const within = signal.aborted ? removeMs.cancelled : removeMs.failed
    await tryToRemove(session, own, within)
    if (!signal.aborted) await tryToRemove(session, leftovers(session.overview.below.keys(), needs.now()), within)
  }
}

async function storeAgain(writing: Writing, snapshot: FinishedSnapshot, staging: Staging): Promise<StoredOnBranch> {
  const { session, needs } = writing
  const { branch, log } = session.needs
  const { keepLast, now } = needs
  for (let tryNumber = 1; ; tryNumber++) {
    const began = performance.now()
    const { tip, ready } = await makeOnTop(writing, snapshot)
    const order = { branch, keepLast, now, snapshot: snapshot.manifest, newest: tip.manifest }
    requirePlace(ready, order)
    const delivered = await bring(writing, { ready, tip, staging })
    if (delivered.kind === 'refused') throw delivered.error
    if (delivered.kind === 'proven') {
      logOrder(
        { notKept: ready.notKept, unchanged: ready.commit === undefined },
        { ...order, log: { info: log.info, warning: needs.log.warning } },
      )
      return branchResult(session, { ready, tip, commit: delivered.commit })
    }
    if (delivered.kind === 'unstaged') writing.pushesFirst = true
    else {
      await waitAfterRace(session, tryNumber, performance.now() - began)
      await refreshTipOnly(session)
    }
  }
}

/** What is reported: of the snapshot, or of the newer one that is there in its place. `commit`: the one that holds it. */
function branchResult(session: BranchSession, { ready, tip, commit }: { ready: Ready; tip: BranchTip; commit: string }): StoredOnBranch {
  const { branch, remote } = session.needs
  const { manifest, sizeBytes, digest, byType, notKept } = ready
  const place = { kind: 'branch', repository: remote.name, branch, commit } as const
  if (!notKept || tip.manifest === undefined)
    return { ...place, manifest, sizeBytes, digest, byType, notKept, unchanged: ready.commit === undefined }
  return { ...place, ...sizeOf(tip.manifest), manifest: filledUp(tip.manifest, manifest), byType: undefined, notKept, unchanged: true }
}

/** A manifest that another version wrote may lack fields; those are taken from this snapshot's manifest. */
function filledUp(there: StoredManifest, own: Manifest): Manifest {
  const { assets, documents } = own
  const missing = Array.isArray(there.assets?.missing) ? there.assets.missing : []
  return {
    ...own,
    ...{ snapshot: there.snapshot, takenAt: there.takenAt, label: there.label ?? null, files: there.files },
    documents: { ...documents, ...there.documents },
    assets: { ...assets, ...there.assets, missing },
  }
}

/** What the manifest on a branch tells of its files. Where each document has a file of its own, it does not list those. */
function sizeOf(manifest: StoredManifest): Pick<StoredOnBranch, 'sizeBytes' | 'digest'> {
  const bytes = manifest.files.reduce((sum, file) => sum + file.sizeBytes, printManifest(manifest).length + attributes.length)
  return { sizeBytes: manifest.branch === undefined ? bytes : undefined, digest: findDataFile(manifest)?.digest }
}

/**
 * Makes the commit on top of the branch as it is. When it is made, the branch is looked at again: a commit on top of what was there a moment ago seldom
 * loses a race.
 */
async function makeOnTop(writing: Writing, snapshot: FinishedSnapshot): Promise<{ readonly tip: BranchTip; readonly ready: Ready }> {
  const { session } = writing
  let tip = requireOurs(session, await currentState(session))
  let ready = writing.prepared ?? (await makeReady(writing, snapshot, tip))
  writing.prepared = undefined
  for (let turn = 1; turn < turns; turn++) {
    const now = requireOurs(session, await refresh(session))
    if (now.commit === tip.commit) break
    tip = now
    ready = await makeReady(writing, snapshot, tip)
  }
  return { tip, ready }
}

/** Brings the branch to where it is to go, proven. */
async function bring(writing: Writing, { ready, tip, staging }: { ready: Ready; tip: BranchTip; staging: Staging }): Promise<Delivered> {
  const { session, needs } = writing
  const unchanged = ready.commit === undefined
  if (ready.to === undefined || ready.to === tip.commit) {
    if (unchanged && !ready.notKept && (await isWholeDueIn(writing, tip))) await proveTip(writing, tip)
    return { kind: 'proven', commit: tip.commit ?? '' }
  }
  const proof = ready.proof ?? proofOfTip(tip, ready.manifest)
  const delivery = { from: tip.commit, to: ready.to, grows: tip.commit !== undefined && !ready.rewritten, proof, unchanged }
  const tools = { session, stopwatch: needs.stopwatch }
  return writing.pushesFirst ? await deliverAndProve(tools, delivery) : await deliverProven(tools, staging, delivery)
}

/** Reads the snapshot at the tip back where nothing new was stored, and the last whole read-back is too old. */
async function proveTip({ session, needs }: Writing, tip: BranchTip): Promise<void> {
  if (tip.manifest === undefined || tip.commit === undefined) return
  const expected = { to: tip.commit, proof: proofOfTip(tip, tip.manifest) }
  try {
    await needs.stopwatch.during('verify', () => readBackBranch(session, expected))
  } catch (error) {
    throw isUnread(error) ? notReadError(error, session.needs.branch) : error
  }
}

/** Waits longer after each lost race, and never as long as another run that lost it too. Throws after the last. */
async function waitAfterRace({ needs: { branch, wait, git, log } }: BranchSession, tryNumber: number, tookMs: number): Promise<void> {
  if (tryNumber === tries) throw conflictError(branch, tries)
  log.info(`Another run has moved the branch "${branch}". The commit is made again on top of it (try ${tryNumber + 1} of ${tries}).`)
  const waitMs = Math.max(firstWaitMs, waitOfTry * tookMs) * waitGrowth ** (tryNumber - 1)
  await wait(Math.round((0.5 + Math.random()) * waitMs), git.signal)
}
