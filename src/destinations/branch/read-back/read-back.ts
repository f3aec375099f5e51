import { BackupError, messageOf } from '../../../errors.ts'
import { type Listed, listing } from '../../../format/listing.ts'
import { manifestFile, printManifest, type StoredManifest } from '../../../format/manifest.ts'
import { fetchBlobs } from '../../../git/objects/blobs.ts'
import { fileMode, filesBelow, objectName, readObjects } from '../../../git/objects/objects.ts'
import type { Repository } from '../../../git/repository.ts'
import { fetchCommit } from '../../../git/server/remote.ts'
import { fileCheck } from '../../../snapshot/read/check-branch.ts'
import { quoteOutside } from '../../../text.ts'
import { verificationFailed } from '../../read-back.ts'
import { snapshotLine } from '../commit/message.ts'
import { isUnread } from '../errors.ts'
import { asking, type BranchSession, openAnother } from '../session.ts'

/** What a commit must come back as. */
export type Proof = {
  readonly manifest: StoredManifest
  /** All files of the snapshot's folder. */
  readonly listed: Listed
  /** The blobs that are new in it; none where all are fetched. */
  readonly fresh: readonly string[]
  /** Whether all blobs are fetched and compared, and not only new ones. */
  readonly whole: boolean
  /** The tree of the commit that was put on top of it, with a newer snapshot; undefined if there is none. */
  readonly above: string | undefined
}

/** `to`: the commit that the branch was moved to. */
type Expected = { readonly to: string; readonly proof: Proof }

/**
 * Fetches the branch into a repository of its own, and compares what is there with what was stored: the commit and all trees by their names, which are
 * digests; and the content of the blobs that are new, or of all. Returns the commit that holds the snapshot: another run may have gone on from it, or
 * replaced it while it rewrote the history. Throws `verification-failed`, `disk-full`, or a `branch-rejected` if the server gives no answer.
 */
export async function readBackBranch(session: BranchSession, expected: Expected): Promise<string> {
  const { signal } = session.needs.git
  try {
    const findings = await asking(session, () => readNewest(session, expected))
    if (typeof findings === 'string') return findings
    throw verificationFailed('branch', findings.slice(0, 5).join('; '))
  } catch (error) {
    signal.throwIfAborted()
    // What could not be read is not wrong.
    if (isUnread(error)) throw error
    const saysWhy = error instanceof BackupError && ['verification-failed', 'disk-full'].includes(error.code)
    throw saysWhy ? error : verificationFailed('branch', messageOf(error), error)
  }
}

/** Returns the commit, or what is wrong. */
async function readNewest(session: BranchSession, expected: Expected): Promise<string | readonly string[]> {
  const { to, proof } = expected
  using repository = await openAnother(session)
  const reading: Reading = { session, repository, proof }
  const depth = proof.above === undefined ? 1 : 2
  const tip = await fetchFor(reading, { ref: `refs/heads/${session.needs.branch}`, depth })
  if (tip === undefined) return ['the branch is not there']
  if (tip !== to) return await readInHistory(session, expected)
  return (await findWrongAbove(repository, expected)) ?? (await checkCommit(reading, await ownCommit(repository, expected)))
}

/** Another run has gone on already. The commit is still there, or is found by its message: it may have another name by now. */
async function readInHistory(session: BranchSession, expected: Expected): Promise<string | readonly string[]> {
  let wrong: readonly string[] = ['the commit is not in the branch']
  for (const commit of await findInHistory(session, expected)) {
    using repository = await openAnother(session)
    const reading: Reading = { session, repository, proof: expected.proof }
    await fetchFor(reading, { ref: commit, depth: 1 })
    const findings = await checkCommit(reading, commit)
    if (typeof findings === 'string') return findings
    wrong = findings
  }
  return wrong
}

/** What is read back into a repository that held nothing. */
type Reading = { readonly session: BranchSession; readonly repository: Repository; readonly proof: Proof }

async function fetchFor({ session, repository, proof }: Reading, commits: { ref: string; depth: number }): Promise<string | undefined> {
  return await fetchCommit(repository.git, session.url, { ...commits, ...(proof.whole ? {} : { filter: 'blob:none' }) })
}

/** The commit of the snapshot where the branch is where it was sent. */
async function ownCommit({ offline }: Repository, { to, proof }: Expected): Promise<string> {
  return (await offline.run(['rev-parse', '--verify', proof.above === undefined ? to : `${to}^`])).toString('latin1').trim()
}

/** What is wrong with the commit on top that holds the newer snapshot again, whose trees must be the same as before; undefined if nothing is. */
async function findWrongAbove({ offline }: Repository, { to, proof }: Expected): Promise<string[] | undefined> {
  if (proof.above === undefined) return undefined
  const tree = (await offline.run(['rev-parse', '--verify', `${to}^{tree}`])).toString('latin1').trim()
  if (tree !== proof.above) return ['the newer snapshot is not on top as it was']
  let files = 0
  for await (const _ of filesBelow(offline, tree)) files++
  return files > 0 ? undefined : ['the commit on top is empty']
}

/** Whether the branch holds what was pushed, at its tip or below it: another run may have gone on from it. */
export async function holdsSnapshot(session: BranchSession, expected: Expected): Promise<boolean> {
  const { proof } = expected
  for (const commit of await findInHistory(session, expected)) {
    using repository = await openAnother(session)
    await fetchFor({ session, repository, proof }, { ref: commit, depth: 1 })
    const stored = await repository.git.run(['cat-file', 'blob', `${commit}:${session.needs.folder}/${manifestFile}`])
    if (stored.equals(printManifest(proof.manifest))) return true
  }
  return false
}

/** The commits of the branch that may be the one, by their names or their messages. */
async function findInHistory(session: BranchSession, { to, proof }: Expected): Promise<string[]> {
  using history = await openAnother(session)
  const newest = await fetchCommit(history.git, session.url, { ref: `refs/heads/${session.needs.branch}`, filter: 'tree:0' })
  if (newest === undefined) return []
  const { offline } = history
  const { exitCode } = await offline.attempt(['merge-base', '--is-ancestor', to, newest])
  if (exitCode === 0) return [await ownCommit(history, { to, proof })]
  const line = `^${snapshotLine(proof.manifest.snapshot).replaceAll('.', '\\.')}$`
  const found = await offline.run(['rev-list', '--max-count=5', `--grep=${line}`, newest])
  return found
    .toString('latin1')
    .split('\n')
    .filter((name) => name !== '')
}

/** Returns the commit if its folder lists what was stored, and holds it; otherwise what is wrong. */
async function checkCommit(reading: Reading, commit: string): Promise<string | readonly string[]> {
  const { session, repository, proof } = reading
  const { folder } = session.needs
  const { add, result } = listing()
  const odd: string[] = []
  for await (const { mode, name, path } of filesBelow(repository.offline, `${commit}:${folder}`)) {
    add(path, name)
    if (mode !== fileMode) odd.push(`${quoteOutside(path)} is not an ordinary file`)
  }
  const { count, digest } = result()
  const differs = count !== proof.listed.count || digest !== proof.listed.digest
  if (differs) odd.push(`the commit does not list the ${proof.listed.count} files that were stored (${count} files)`)
  if (odd.length > 0) return odd
  const findings = proof.whole ? await checkAll(reading, commit) : await checkNew(reading)
  return findings.length > 0 ? findings : commit
}

/** Fetches the blobs that are new, and compares each with its name. */
async function checkNew({ session, repository, proof }: Reading): Promise<string[]> {
  const { git, offline } = repository
  const names = [...new Set(proof.fresh)]
  await fetchBlobs(git, names)
  const given = async function* () {
    yield* names
  }
  const wrong: string[] = []
  let at = 0
  for await (const content of readObjects(offline, given())) {
    session.needs.git.signal.throwIfAborted()
    const name = names[at++] ?? ''
    if (objectName('blob', content) !== name) wrong.push(`the blob ${name} holds something else`)
  }
  return wrong
}

/** Reads every file of the snapshot, in the order in which git lists them. */
async function checkAll({ session, repository, proof }: Reading, commit: string): Promise<string[]> {
  const { offline } = repository
  const { folder } = session.needs
  const check = fileCheck(proof.manifest)
  const paths: string[] = []
  const names = async function* (): AsyncGenerator<string> {
    for await (const { name, path } of filesBelow(offline, `${commit}:${folder}`)) {
      paths.push(path)
      yield name
    }
  }
  for await (const content of readObjects(offline, names())) {
    session.needs.git.signal.throwIfAborted()
    check.add(paths.shift() ?? '', content)
  }
  return check.findings()
}
