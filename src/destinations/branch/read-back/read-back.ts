import { BackupError, messageOf } from '../../../errors.ts'
import { type Listed, listing } from '../../../format/listing.ts'
import { manifestFile, printManifest, type StoredManifest } from '../../../format/manifest/manifest.ts'
import { fetchBlobs } from '../../../git/objects/blobs.ts'
import { fileMode, filesBelow, objectName, readObjects } from '../../../git/objects/objects.ts'
import type { Repository } from '../../../git/repository.ts'
import { isDamaged } from '../../../git/server/refusals.ts'
import { fetchCommit } from '../../../git/server/remote.ts'
import { fileCheck } from '../../../snapshot/check/branch.ts'
import { plural, quoteOutside } from '../../../text.ts'
import { verificationFailed } from '../../read-back.ts'
import { snapshotLine } from '../commit/message.ts'
import { isUnread } from '../errors.ts'
import { asking, type BranchSession, openAnother } from '../session.ts'
import { lostError } from './lost.ts'

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

/** `to`: the commit that the ref was moved to. */
type Expected = { readonly to: string; readonly proof: Proof }

/**
 * Fetches the branch into a repository of its own, and compares what is there with what was stored: the commit and all trees by their names, which are
 * digests; and the content of the blobs that are new, or of all. Returns the commit that holds the snapshot: another run may have gone on from it, or
 * replaced it while it rewrote the history. Throws `verification-failed`, `disk-full`, or a `branch-rejected` if the server gives no answer.
 */
export async function readBackBranch(session: BranchSession, expected: Expected): Promise<string> {
  const ref = `refs/heads/${session.needs.branch}`
  return await provenBy(session, expected, async () => {
    const read = await readAt(session, { ref, ...expected })
    if (read === undefined) return ['the branch is not there']
    return read === 'elsewhere' ? await readInHistory(session, expected) : read
  })
}

/** The same of a ref that nobody else moves. Undefined if the server does not show it. */
export async function readBackRef(session: BranchSession, expected: Expected & { readonly ref: string }): Promise<string | undefined> {
  return await provenBy(session, expected, async () => {
    const read = await readAt(session, expected)
    return read === 'elsewhere' ? ['it is another commit'] : read
  })
}

/** The commit that was read and is right. */
async function provenBy<Commit extends string | undefined>(
  session: BranchSession,
  { to }: Expected,
  read: () => Promise<Commit | readonly string[]>,
): Promise<Commit> {
  const { signal } = session.needs.git
  try {
    const result = await asking(session, read)
    if (Array.isArray(result)) throw verificationFailed('branch', result.slice(0, 5).join('; '))
    return result as Commit
  } catch (error) {
    signal.throwIfAborted()
    // What could not be read is not wrong.
    if (isUnread(error)) throw error
    if (error instanceof BackupError && isDamaged(error)) throw await lostError(session, error, to)
    const saysWhy = error instanceof BackupError && ['verification-failed', 'disk-full'].includes(error.code)
    throw saysWhy ? error : verificationFailed('branch', messageOf(error), error)
  }
}

/** Reads what a ref is at: returns the commit of the snapshot, or what is wrong; `elsewhere` if it is at another commit, undefined if it is not there. */
async function readAt(
  session: BranchSession,
  { ref, to, proof }: Expected & { readonly ref: string },
): Promise<string | readonly string[] | undefined> {
  using repository = await openAnother(session)
  const reading: Reading = { session, repository, proof }
  const tip = await fetchFor(reading, { ref, depth: proof.above === undefined ? 1 : 2 })
  if (tip !== to) return tip && 'elsewhere'
  return (await findWrongAbove(repository, { to, proof })) ?? (await checkCommit(reading, await ownCommit(repository, { to, proof })))
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

/** Finds the commit of what was pushed on the branch, at its tip or below it: another run may have gone on from it. */
export async function findStored(session: BranchSession, expected: Expected): Promise<string | undefined> {
  const { proof } = expected
  for (const commit of await findInHistory(session, expected)) {
    using repository = await openAnother(session)
    await fetchFor({ session, repository, proof }, { ref: commit, depth: 1 })
    const stored = await repository.git.run(['cat-file', 'blob', `${commit}:${session.needs.folder}/${manifestFile}`])
    if (stored.equals(printManifest(proof.manifest))) return commit
  }
  return undefined
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
  if (differs)
    odd.push(
      count === proof.listed.count
        ? `the commit lists other files than the ${count} that were stored`
        : `the commit lists ${plural(count, 'file')}, and ${proof.listed.count} were stored`,
    )
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
  return check.findings().map(({ message }) => message)
}
