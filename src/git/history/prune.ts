import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { objectName } from '../objects/objects.ts'
import type { Tree } from '../objects/tree.ts'
import type { Repository } from '../repository.ts'
import { type Commit, readHistory } from './history.ts'

/** A repository of our own that holds all commits and trees of a branch. */
type HistoryRepository = Pick<Repository, 'git' | 'folder'>

export type Pruning = {
  /** Where the branch is to go. */
  readonly tip: string
  /** Where it is on the server. */
  readonly onServer: string | undefined
  /** The folder whose older versions go: `<one>/<other>`. */
  readonly folder: string
  /** How many versions of the folder stay. */
  readonly keep: number
  /** When each of some versions was made, in milliseconds. Given is the tree of the folder, and the message of the commit that brought it. */
  readonly timesOf: (versions: readonly Version[]) => Promise<readonly number[]>
}

export type Version = { readonly tree: string; readonly message: string }

export type Pruned = {
  readonly tip: string
  /** The name that a commit has now; undefined if it was dropped. */
  readonly nameNow: (commit: string) => string | undefined
}

/**
 * Rewrites the history below `tip` without the older versions of a folder, and returns the new tip; `tip` itself if there are none.
 *
 * A version is a tree of the folder. The newest by their times stay, and the one at the tip. A commit that brought another and changed nothing else is
 * dropped. All others are kept, with their messages, authors and dates; a version that goes is replaced by the one before it that stays, or
 * by nothing. Commits that nothing of this concerns stay the same. Signatures of the others are left out, since they would be wrong.
 */
export async function prune(repository: HistoryRepository, pruning: Pruning): Promise<Pruned> {
  const { tip, onServer } = pruning
  await graft(repository, [])
  const commits = await readHistory(repository.git, tip, pruning.folder)
  const kept = await keptVersions(commits, pruning)
  if (kept === undefined) return { tip, nameNow: (commit) => commit }

  const { now, made } = replay(commits, kept)
  await write(repository, made)
  // What was made here is not on the server.
  const known = new Set(commits.slice(0, commits.findIndex(({ name }) => name === onServer) + 1))
  await graft(
    repository,
    made.map(({ name, parents, of }) => [name, ...parents, known.has(of) ? of.name : (onServer ?? '')]),
  )
  const names = new Map([...now].map(([{ name }, { again }]) => [name, again]))
  return {
    tip: now.get(commits.at(-1) as Commit)?.name ?? tip,
    nameNow: (commit) => names.get(commit),
  }
}

/** The versions that stay; undefined if all do. */
async function keptVersions(commits: readonly Commit[], { keep, timesOf }: Pruning): Promise<ReadonlySet<string> | undefined> {
  const found = new Map<string, string>()
  for (const { own, parents, content } of commits) {
    if (own !== undefined && own !== parents[0]?.own && !found.has(own)) found.set(own, bodyOf(content))
  }
  if (found.size <= keep) return undefined
  const versions = [...found].map(([tree, message]) => ({ tree, message }))
  const times = await timesOf(versions)
  const last = commits.at(-1)?.own
  // Of those with the same time the later in the history is the newer. The tip is what it is.
  const newestFirst = versions
    .map(({ tree }, index) => ({ tree, index, time: tree === last ? Number.POSITIVE_INFINITY : (times[index] ?? 0) }))
    .sort((one, other) => other.time - one.time || other.index - one.index)
  return new Set(newestFirst.slice(0, keep).map(({ tree }) => tree))
}

/** What a commit became: a name, the version of the folder there, and whether it is the commit itself or one that stands in for it. */
type Now = { readonly name: string | undefined; readonly own: string | undefined; readonly again: string | undefined }

function replay(commits: readonly Commit[], kept: ReadonlySet<string>): { now: ReadonlyMap<Commit, Now>; made: Made[] } {
  const now = new Map<Commit, Now>()
  const made: Made[] = []
  for (const commit of commits) {
    const before = commit.parents.map((parent) => now.get(parent))
    const parents = [...new Set(before.map((parent) => parent?.name).filter((name) => name !== undefined))]
    const own = commit.own === undefined || kept.has(commit.own) ? commit.own : before[0]?.own
    if (own === before[0]?.own && changedOnlyOwn(commit)) {
      now.set(commit, { name: parents[0], own, again: undefined })
      continue
    }
    const trees = own === commit.own ? [] : commit.rest.treesWith(own)
    const { name, content } = remade(commit, trees.at(-1)?.name ?? commit.tree, parents)
    if (name !== commit.name) made.push({ name, content, of: commit, parents, trees })
    now.set(commit, { name, own, again: name })
  }
  return { now, made }
}

type Made = {
  readonly name: string
  readonly content: Buffer
  readonly of: Commit
  readonly parents: readonly string[]
  readonly trees: readonly Tree[]
}

/** Whether a commit changed the folder and nothing else. Our README counts as ours when it came with it: every later commit has it too. */
function changedOnlyOwn({ own, rest, parents: [parent, ...others] }: Commit): boolean {
  if (own === parent?.own || others.length > 0) return false
  const before = parent?.rest ?? emptyRest
  return rest.name === before.name || (rest.withoutReadme === before.name && before.withoutReadme === before.name)
}

/** git's name for a tree without entries. */
const emptyTree = '4b825dc642cb6eb9a060e54bf8d69288fbee4904'
const emptyRest = { name: emptyTree, withoutReadme: emptyTree }

/** The commit with another tree and other parents; the same one where these are the same. */
function remade(
  { name, content, tree, parents }: Commit,
  newTree: string,
  newParents: readonly string[],
): { name: string; content: Buffer } {
  if (newTree === tree && newParents.join() === parents.map((parent) => parent.name).join()) return { name, content }
  const end = endOfHeaders(content)
  // Values that go on begin with a space: git-scm.com/docs/gitformat-signature.
  const headers = content.toString('latin1', 0, end).split(/\n(?! )/)
  const left = headers.filter((header) => !/^(tree|parent|gpgsig|gpgsig-sha256|mergetag) /.test(header))
  const head = [`tree ${newTree}`, ...newParents.map((parent) => `parent ${parent}`), ...left].join('\n')
  const bytes = Buffer.concat([Buffer.from(head, 'latin1'), content.subarray(end)])
  return { name: objectName('commit', bytes), content: bytes }
}

/** Where the headers of a commit end. One without a message may end with them, and git minds neither that nor a missing end of line. */
function endOfHeaders(content: Buffer): number {
  const blank = content.indexOf('\n\n')
  if (blank !== -1) return blank
  return content.at(-1) === 0x0a ? content.length - 1 : content.length
}

function bodyOf(content: Buffer): string {
  return content.subarray(endOfHeaders(content)).toString('utf8')
}

/** Writes what was made as git's objects: all trees, then all commits, with one process each. */
async function write(repository: HistoryRepository, made: readonly Made[]): Promise<void> {
  const trees = new Map(made.flatMap((each) => each.trees.map(({ name, content }) => [name, content] as const)))
  await writeObjects(repository, 'tree', [...trees.values()])
  await writeObjects(
    repository,
    'commit',
    made.map(({ content }) => content),
  )
}

async function writeObjects({ git, folder }: HistoryRepository, type: 'tree' | 'commit', contents: readonly Buffer[]): Promise<void> {
  const files = join(folder, 'made')
  await mkdir(files)
  for (const [index, content] of contents.entries()) await writeFile(join(files, String(index)), content)
  const paths = async function* () {
    for (const index of contents.keys()) yield Buffer.from(`${join(files, String(index))}\n`)
  }
  // Named by us already, so that what they name need not be read.
  await git.run(['hash-object', '-t', type, '-w', '--literally', '--no-filters', '--stdin-paths'], { input: paths() })
  await rm(files, { recursive: true })
}

/**
 * Makes git take the old commits for parents of the new ones, in this repository only: so it knows that the server has their files, and neither
 * fetches them nor pushes them again. A git that knows no such thing does both, and comes to the same end. git-scm.com/docs/gitglossary, "grafts".
 */
async function graft({ folder }: HistoryRepository, lines: readonly (readonly string[])[]): Promise<void> {
  const file = join(folder, 'info', 'grafts')
  await rm(file, { force: true })
  if (lines.length === 0) return
  await mkdir(join(folder, 'info'), { recursive: true })
  await writeFile(file, lines.map((names) => `${names.filter((name) => name !== '').join(' ')}\n`).join(''))
}
