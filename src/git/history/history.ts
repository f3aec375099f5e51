import type { Git } from '../command.ts'
import { readObjects } from '../objects/objects.ts'
import { makeTree, parseTree, type Tree, type TreeEntry, treeMode } from '../objects/tree.ts'

/** A commit as the rewriting of a history looks at it: `own` is one folder in it, `rest` all the others. */
export type Commit = {
  readonly name: string
  readonly content: Buffer
  readonly tree: string
  readonly parents: readonly Commit[]
  /** The folder's tree; undefined if it is not there. */
  readonly own: string | undefined
  readonly rest: Rest
}

/** What is left of a commit's tree without the folder. */
type Rest = {
  readonly name: string
  readonly withoutReadme: string
  /** The trees that it is made of where the folder has another tree, or none; the outermost last. */
  readonly treesWith: (own: string | undefined) => readonly Tree[]
}

/** Reads all commits below a tip, the oldest first, parents before children. Their trees must be at hand. */
export async function readHistory(git: Git, tip: string, folder: string): Promise<Commit[]> {
  const listed = (await git.run(['rev-list', '--topo-order', '--reverse', tip])).toString('latin1').trim().split('\n')
  const contents = await readAll(git, listed)
  const heads = new Map([...contents].map(([name, content]) => [name, headOf(content)]))
  const [outer = '', inner = ''] = folder.split('/')
  const roots = await readTrees(
    git,
    [...heads.values()].map(({ tree }) => tree),
  )
  const outerNames = [...roots.values()].flatMap((root) => findFolder(root, outer) ?? [])
  const outers = await readTrees(git, outerNames)

  const split = new Map([...roots].map(([name, root]) => [name, splitTree(root, { outer, inner, outers })]))
  const commits = new Map<string, Commit>()
  for (const name of listed) {
    const { tree, parents } = heads.get(name) as Head
    const known = parents.map((parent) => commits.get(parent)).filter((parent) => parent !== undefined)
    commits.set(name, { name, content: contents.get(name) as Buffer, tree, parents: known, ...(split.get(tree) as Split) })
  }
  return [...commits.values()]
}

type Head = { readonly tree: string; readonly parents: readonly string[] }

/** The first lines of a commit object: `tree <name>`, then `parent <name>` for each parent. What follows may be anything. */
function headOf(content: Buffer): Head {
  const [head = ''] = /^tree .*(?:\nparent .*)*/.exec(content.toString('latin1')) ?? []
  const [tree = '', ...parents] = head.split('\n').map((line) => line.slice(line.indexOf(' ') + 1))
  return { tree, parents }
}

type Split = Pick<Commit, 'own' | 'rest'>

function splitTree(root: readonly TreeEntry[], names: { outer: string; inner: string; outers: ReadonlyMap<string, TreeEntry[]> }): Split {
  const { outer, inner, outers } = names
  const above = outers.get(findFolder(root, outer) ?? '')
  const own = above && findFolder(above, inner)
  const treesWith = (other: string | undefined): Tree[] => {
    if (above === undefined || own === undefined) return [makeTree(root)]
    const left = above.flatMap((entry) => (entry.path !== inner ? [entry] : other === undefined ? [] : [{ ...entry, name: other }]))
    const made = left.length > 0 ? [makeTree(left)] : []
    return [...made, makeTree(root.flatMap((entry) => (entry.path === outer ? made.map(({ name }) => ({ ...entry, name })) : [entry])))]
  }
  const rest = treesWith(undefined).at(-1) as Tree
  const withoutReadme = makeTree(parseTree(rest.content).filter(({ path }) => path !== 'README.md')).name
  return { own, rest: { name: rest.name, withoutReadme, treesWith } }
}

function findFolder(entries: readonly TreeEntry[], path: string): string | undefined {
  return entries.find((entry) => entry.path === path && entry.mode === treeMode)?.name
}

async function readTrees(git: Git, names: readonly string[]): Promise<Map<string, TreeEntry[]>> {
  return new Map([...(await readAll(git, names))].map(([name, content]) => [name, parseTree(content)]))
}

async function readAll(git: Git, names: readonly string[]): Promise<Map<string, Buffer>> {
  const distinct = [...new Set(names)]
  const contents = new Map<string, Buffer>()
  let next = 0
  const given = async function* () {
    yield* distinct
  }
  for await (const content of readObjects(git, given())) contents.set(distinct[next++] as string, Buffer.from(content))
  return contents
}

/** Reads the blob at a path of each of some trees; undefined where there is none. */
export async function readInTrees(git: Git, trees: readonly string[], path: string): Promise<(Buffer | undefined)[]> {
  const read = await readTrees(git, trees)
  const names = trees.map((tree) => read.get(tree)?.find((entry) => entry.path === path && entry.mode !== treeMode)?.name)
  const contents = await readAll(
    git,
    names.filter((name) => name !== undefined),
  )
  return names.map((name) => (name === undefined ? undefined : contents.get(name)))
}
