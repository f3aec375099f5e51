import type { Git } from '../command.ts'
import { readObjects } from '../objects/objects.ts'
import { parseTree, treeMode } from '../objects/tree.ts'
import type { Repository } from '../repository.ts'
import { fetchCommit, fetchObjects } from '../server/remote.ts'

type PastNeeds = {
  readonly url: string
  readonly branch: string
  /** The file's path, in ASCII. */
  readonly path: string
  /** How many commits are looked at, the newest first. */
  readonly commits: number
}

/** The versions of a file, the newest first, and whether there are no older commits. */
export type Past = { readonly versions: AsyncIterable<Buffer>; readonly all: boolean }

/**
 * Fetches the versions of one file in the last commits of a branch, each once, into a repository that holds nothing yet. Beside the commits only the
 * folders on the way to the file are fetched, so that it costs little however large the branch is: one exchange with the server for each step of the
 * path.
 */
export async function fetchPast({ git, offline }: Repository, { url, branch, path, commits }: PastNeeds): Promise<Past> {
  const tip = await fetchCommit(git, url, { ref: `refs/heads/${branch}`, depth: commits + 1, filter: 'tree:0' })
  if (tip === undefined) return { versions: contentsOf(offline, []), all: true }
  const roots = (await offline.run(['log', '--topo-order', '--format=%T', tip])).toString('latin1').trim().split('\n')
  let names = [...new Set(roots.slice(0, commits))]
  const steps = path.split('/')
  for (const [depth, step] of steps.entries()) {
    await fetchObjects(git, url, names)
    names = await entriesIn(offline, names, { step, folder: depth < steps.length - 1 })
  }
  await fetchObjects(git, url, names)
  return { versions: contentsOf(offline, names), all: roots.length <= commits }
}

/** The objects of one name in the given folders, each once. */
async function entriesIn(git: Git, trees: readonly string[], { step, folder }: { step: string; folder: boolean }): Promise<string[]> {
  const found = new Set<string>()
  for await (const content of contentsOf(git, trees)) {
    const entry = parseTree(content).find(({ path, mode }) => path === step && (mode === treeMode) === folder)
    if (entry) found.add(entry.name)
  }
  return [...found]
}

async function* contentsOf(git: Git, names: readonly string[]): AsyncGenerator<Buffer> {
  const given = async function* () {
    yield* names
  }
  // What is read next may lie where this lay.
  for await (const content of readObjects(git, given())) yield Buffer.from(content)
}
