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

type Expected = {
  readonly url: string
  readonly branch: string
  /** The snapshot's folder on the branch. */
  readonly folder: string
  /** Where the branch was sent. */
  readonly to: string
  readonly proof: Proof
  readonly signal: AbortSignal
  /** Asks again where the server fails for a reason that passes. */
  readonly asking: <Value>(work: () => Promise<Value>) => Promise<Value>
}

/**
 * Fetches the branch anew and compares what is there with what was stored: the commit and all trees by their names, which are digests; and the
 * content of the blobs that are new, or of all. Gives the commit that holds the snapshot: another run may have gone on from it, or made it anew while
 * it rewrote the history. Throws `verification-failed`.
 */
export async function readBackBranch(open: () => Promise<Repository>, expected: Expected): Promise<string> {
  try {
    const findings = await expected.asking(() => readNewest(open, expected))
    if (typeof findings === 'string') return findings
    throw verificationFailed('branch', findings.slice(0, 5).join('; '))
  } catch (error) {
    expected.signal.throwIfAborted()
    // What could not be read is not wrong.
    if (isUnread(error)) throw error
    const told = error instanceof BackupError && ['verification-failed', 'disk-full'].includes(error.code)
    throw told ? error : verificationFailed('branch', messageOf(error), error)
  }
}

/** Gives the commit, or what is wrong. */
async function readNewest(open: () => Promise<Repository>, expected: Expected): Promise<string | readonly string[]> {
  const { branch, to, proof } = expected
  using fresh = await open()
  const depth = proof.above === undefined ? 1 : 2
  const tip = await fetchFor(fresh, { ref: `refs/heads/${branch}`, depth }, expected)
  if (tip === undefined) return ['the branch is not there']
  if (tip === to) return (await findWrongAbove(fresh, expected)) ?? (await checkCommit(fresh, await ownCommit(fresh, expected), expected))
  return await readInHistory(open, expected)
}

/** Somebody has gone on already. The commit is there still, or is found by what it says: it may have another name by now. */
async function readInHistory(open: () => Promise<Repository>, expected: Expected): Promise<string | readonly string[]> {
  let wrong: readonly string[] = ['the commit is not in the branch']
  for (const commit of await findInHistory(open, expected)) {
    using repository = await open()
    await fetchFor(repository, { ref: commit, depth: 1 }, expected)
    const findings = await checkCommit(repository, commit, expected)
    if (typeof findings === 'string') return findings
    wrong = findings
  }
  return wrong
}

async function fetchFor({ git }: Repository, what: { ref: string; depth: number }, { url, proof }: Expected): Promise<string | undefined> {
  return await fetchCommit(git, url, { ...what, ...(proof.whole ? {} : { filter: 'blob:none' }) })
}

/** The commit of the snapshot where the branch is where it was sent. */
async function ownCommit({ offline }: Repository, { to, proof }: Pick<Expected, 'to' | 'proof'>): Promise<string> {
  return (await offline.run(['rev-parse', '--verify', proof.above === undefined ? to : `${to}^`])).toString('latin1').trim()
}

/** What is wrong with the commit on top that holds the newer snapshot again: its trees must be what they were. */
async function findWrongAbove({ offline }: Repository, { to, proof }: Expected): Promise<string[] | undefined> {
  if (proof.above === undefined) return undefined
  const tree = (await offline.run(['rev-parse', '--verify', `${to}^{tree}`])).toString('latin1').trim()
  if (tree !== proof.above) return ['the newer snapshot is not on top as it was']
  let files = 0
  for await (const _ of filesBelow(offline, tree)) files++
  return files > 0 ? undefined : ['the commit on top is empty']
}

/** Whether the branch holds what was pushed, at its tip or below it: another run may have gone on from it. */
export async function holdsSnapshot(open: () => Promise<Repository>, expected: Expected): Promise<boolean> {
  const { folder, proof } = expected
  for (const commit of await findInHistory(open, expected)) {
    using repository = await open()
    await fetchFor(repository, { ref: commit, depth: 1 }, expected)
    const there = await repository.git.run(['cat-file', 'blob', `${commit}:${folder}/${manifestFile}`])
    if (there.equals(printManifest(proof.manifest))) return true
  }
  return false
}

/** The commits of the branch that may be the one, by name or by what they say. */
async function findInHistory(open: () => Promise<Repository>, { url, branch, to, proof }: Expected): Promise<string[]> {
  using history = await open()
  const newest = await fetchCommit(history.git, url, { ref: `refs/heads/${branch}`, filter: 'tree:0' })
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

/** Gives the commit if its folder lists what was stored, and holds it. */
async function checkCommit(repository: Repository, commit: string, expected: Expected): Promise<string | readonly string[]> {
  const { folder, proof } = expected
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
  const findings = proof.whole ? await checkAll(repository, commit, expected) : await checkFresh(repository, expected)
  return findings.length > 0 ? findings : commit
}

/** Fetches the blobs that are new, and compares each with its name. */
async function checkFresh({ git, offline }: Repository, { proof, signal }: Expected): Promise<string[]> {
  const names = [...new Set(proof.fresh)]
  await fetchBlobs(git, names)
  const given = async function* () {
    yield* names
  }
  const wrong: string[] = []
  let at = 0
  for await (const content of readObjects(offline, given())) {
    signal.throwIfAborted()
    const name = names[at++] ?? ''
    if (objectName('blob', content) !== name) wrong.push(`the blob ${name} holds something else`)
  }
  return wrong
}

/** Reads every file of the snapshot, in the order in which git lists them. */
async function checkAll({ offline }: Repository, commit: string, { folder, proof, signal }: Expected): Promise<string[]> {
  const check = fileCheck(proof.manifest)
  const paths: string[] = []
  const names = async function* (): AsyncGenerator<string> {
    for await (const { name, path } of filesBelow(offline, `${commit}:${folder}`)) {
      paths.push(path)
      yield name
    }
  }
  for await (const content of readObjects(offline, names())) {
    signal.throwIfAborted()
    check.add(paths.shift() ?? '', content)
  }
  return check.findings()
}
