import { BackupError, messageOf } from '../errors.ts'
import type { Git } from '../git/command.ts'
import { fileMode, filesBelow, readObjects } from '../git/objects.ts'
import { fetchCommit } from '../git/remote.ts'
import type { Repository } from '../git/repository.ts'
import { fileCheck } from '../snapshot/check-files.ts'
import { type Manifest, manifestFile, printManifest } from '../snapshot/manifest.ts'
import { quoteOutside } from '../text.ts'
import { isUnread } from './branch-errors.ts'
import { snapshotLine } from './branch-message.ts'
import { verificationFailed } from './readback.ts'

type Expected = {
  readonly url: string
  readonly branch: string
  /** The snapshot's folder on the branch. */
  readonly folder: string
  readonly manifest: Manifest
  readonly signal: AbortSignal
  /** Asks again where the server fails for a reason that passes. */
  readonly asking: <Value>(work: () => Promise<Value>) => Promise<Value>
}

/**
 * Fetches the branch anew and compares all of the snapshot with its manifest. Gives the commit that holds it: another run may have gone on from it,
 * or made it anew while it rewrote the history. Throws `verification-failed`.
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
async function readNewest(open: () => Promise<Repository>, expected: Expected): Promise<string | string[]> {
  const { url, branch, folder, manifest } = expected
  using fresh = await open()
  const tip = await fetchCommit(fresh.git, url, { ref: `refs/heads/${branch}`, depth: 1 })
  if (tip === undefined) return ['the branch is not there']
  const there = await fresh.git.attempt(['cat-file', 'blob', `${tip}:${folder}/${manifestFile}`])
  if (there.exitCode === 0 && there.stdout.equals(printManifest(manifest))) return await checkCommit(fresh.git, tip, expected)

  using history = await open()
  const commit = await findInHistory(history.git, expected)
  if (commit === undefined) return ['the commit is not in the branch']
  using second = await open()
  await fetchCommit(second.git, url, { ref: commit, depth: 1 })
  return await checkCommit(second.git, commit, expected)
}

/** Whether the branch holds a snapshot, at its tip or below it. */
export async function holdsSnapshot(open: () => Promise<Repository>, expected: Expected): Promise<boolean> {
  using history = await open()
  const commit = await findInHistory(history.git, expected)
  if (commit === undefined) return false
  const there = await history.git.run(['cat-file', 'blob', `${commit}:${expected.folder}/${manifestFile}`])
  return there.equals(printManifest(expected.manifest))
}

/** Somebody has gone on already. The commit is found by what it says, for it may have another name by now. */
async function findInHistory(git: Git, { url, branch, manifest }: Expected): Promise<string | undefined> {
  const newest = await fetchCommit(git, url, { ref: `refs/heads/${branch}`, filter: 'tree:0' })
  if (newest === undefined) return undefined
  const line = `^${snapshotLine(manifest.snapshot).replaceAll('.', '\\.')}$`
  const found = await git.run(['rev-list', '--max-count=1', `--grep=${line}`, newest])
  return found.toString('latin1').trim() || undefined
}

/** Reads every file of the snapshot, in the order in which git lists them. */
async function checkCommit(git: Git, commit: string, { folder, manifest, signal }: Expected): Promise<string | string[]> {
  const check = fileCheck(manifest)
  const odd: string[] = []
  const paths: string[] = []
  const names = async function* (): AsyncGenerator<string> {
    for await (const { mode, name, path } of filesBelow(git, `${commit}:${folder}`)) {
      if (mode !== fileMode) odd.push(`${quoteOutside(path)} is not an ordinary file`)
      else {
        paths.push(path)
        yield name
      }
    }
  }
  for await (const content of readObjects(git, names())) {
    signal.throwIfAborted()
    check.add(paths.shift() ?? '', content)
  }
  const findings = [...odd, ...check.findings()]
  return findings.length > 0 ? findings : commit
}
