import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Git } from './command.ts'
import { type Commit, readHistory } from './history.ts'
import { objectName } from './objects.ts'

/** A repository of our own that holds all commits and trees of a branch. */
type Place = { readonly git: Git; readonly folder: string }

export type Pruning = {
  /** Where the branch is to go. */
  readonly tip: string
  /** Where it is on the server. */
  readonly onServer: string | undefined
  /** The folder whose older versions go: `<one>/<other>`. */
  readonly folder: string
  /** How many versions of the folder stay. */
  readonly keep: number
}

/**
 * Makes the history below `tip` anew without the older versions of a folder, and gives the new tip; `tip` itself if there are none.
 *
 * A version is a commit that changes the folder. Older ones that changed nothing else are dropped; of all others before the oldest that stays, the
 * folder is taken out of the tree, and their messages, authors and dates stay. Commits that nothing of this concerns stay the same. Signatures of
 * the others are left out, since they would be wrong.
 */
export async function prune(place: Place, { tip, onServer, folder, keep }: Pruning): Promise<string> {
  await pretend(place, [])
  const commits = await readHistory(place.git, tip, folder)
  const versions = commits.filter(({ own, parents }) => own !== undefined && own !== parents[0]?.own)
  const oldest = versions.at(-keep)
  if (versions.length <= keep || oldest === undefined) return tip
  const kept = new Set(versions.slice(-keep).map(({ own }) => own))
  const oldestAt = commits.indexOf(oldest)

  const now = new Map<Commit, string | undefined>()
  const made: Made[] = []
  for (const [at, commit] of commits.entries()) {
    const parents = [...new Set(commit.parents.map((parent) => now.get(parent)).filter((name) => name !== undefined))]
    const stays = commit.own === undefined || kept.has(commit.own)
    if (at < oldestAt && changedOnlyOwn(commit)) {
      now.set(commit, parents[0])
      continue
    }
    const again = remade(commit, stays ? commit.tree : commit.rest.name, parents)
    if (again.name !== commit.name) made.push({ ...again, of: commit, parents })
    now.set(commit, again.name)
  }
  const newTip = now.get(commits.at(-1) as Commit) ?? tip
  await write(place, made)
  await pretend(
    place,
    made.map(({ name, parents, of }) => [name, ...parents, ...(of.name === tip ? [onServer ?? ''] : [of.name])]),
  )
  return newTip
}

type Made = { readonly name: string; readonly content: Buffer; readonly of: Commit; readonly parents: readonly string[] }

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

/** Writes what was made as git's objects: all trees, then all commits, with one process each. */
async function write(place: Place, made: readonly Made[]): Promise<void> {
  const trees = new Map(made.flatMap(({ of }) => of.rest.made.map(({ name, content }) => [name, content] as const)))
  await writeObjects(place, 'tree', [...trees.values()])
  await writeObjects(
    place,
    'commit',
    made.map(({ content }) => content),
  )
}

async function writeObjects({ git, folder }: Place, type: 'tree' | 'commit', contents: readonly Buffer[]): Promise<void> {
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
 * Lets git take the old commits for parents of the new ones, here only: so it knows that the server has their files, and neither fetches them nor
 * pushes them again. A git that knows no such thing does both, and comes to the same end. git-scm.com/docs/gitglossary, "grafts".
 */
async function pretend({ folder }: Place, lines: readonly (readonly string[])[]): Promise<void> {
  const file = join(folder, 'info', 'grafts')
  await rm(file, { force: true })
  if (lines.length === 0) return
  await mkdir(join(folder, 'info'), { recursive: true })
  await writeFile(file, lines.map((names) => `${names.filter((name) => name !== '').join(' ')}\n`).join(''))
}
