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

/** A version of a file, and the newest commit that holds it. */
type Version = { readonly commit: string; readonly content: Buffer }

/** The versions of a file, the newest first, and whether there are no older commits. */
export type Past = { readonly versions: AsyncIterable<Version>; readonly all: boolean }

/**
 * Fetches the versions of one file in the last commits of a branch, each once, into a repository that holds nothing yet. Beside the commits only the
 * folders on the way to the file are fetched, so that it costs little however large the branch is: one exchange with the server for each step of the
 * path.
 */
export async function fetchPast({ git, offline }: Repository, { url, branch, path, commits }: PastNeeds): Promise<Past> {
  const tip = await fetchCommit(git, url, { ref: `refs/heads/${branch}`, depth: commits + 1, filter: 'tree:0' })
  if (tip === undefined) return { versions: versionsOf(offline, new Map()), all: true }
  const listed = (await offline.run(['log', '--topo-order', '--format=%H %T', tip])).toString('latin1').trim().split('\n')
  const looked = listed.slice(0, commits).map((line) => line.split(' ') as [commit: string, tree: string])
  let names = [...new Set(looked.map(([, tree]) => tree))]
  const steps = path.split('/')
  for (const [depth, step] of steps.entries()) {
    await fetchObjects(git, url, names)
    names = await entriesIn(offline, names, { step, folder: depth < steps.length - 1 })
  }
  await fetchObjects(git, url, names)
  const holders = await holdersOf(
    offline,
    looked.map(([commit]) => commit),
    path,
  )
  return { versions: versionsOf(offline, holders), all: listed.length <= commits }
}

/** The versions of a file by their names, each with the first of the commits that holds it, in the order of the commits. */
async function holdersOf(git: Git, commits: readonly string[], path: string): Promise<Map<string, string>> {
  const input = async function* () {
    yield Buffer.from(commits.map((commit) => `${commit}:${path}\n`).join(''))
  }
  const answers = (await git.run(['cat-file', '--batch-check=%(objecttype) %(objectname)'], { input: input() }))
    .toString('latin1')
    .split('\n')
  const holders = new Map<string, string>()
  for (const [index, commit] of commits.entries()) {
    const [, name] = /^blob ([0-9a-f]+)$/.exec(answers[index] ?? '') ?? []
    if (name !== undefined && !holders.has(name)) holders.set(name, commit)
  }
  return holders
}

async function* versionsOf(git: Git, holders: ReadonlyMap<string, string>): AsyncGenerator<Version> {
  const commits = [...holders.values()]
  let next = 0
  for await (const content of contentsOf(git, [...holders.keys()])) yield { commit: commits[next++] as string, content }
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
