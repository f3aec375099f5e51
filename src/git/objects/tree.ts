import { objectName } from './objects.ts'

/** One entry of a tree object. Paths are bytes, one a character (latin1). */
export type TreeEntry = { readonly mode: string; readonly path: string; readonly name: string }

/** A tree object: its content and the name that git gives to it. */
export type Tree = { readonly name: string; readonly content: Buffer }

/** The mode of a folder. */
export const treeMode = '40000'

/** Takes a tree object apart: `<mode> <path>\0<20 bytes>` for each entry. git-scm.com/book, "Git Internals - Git Objects". */
export function parseTree(content: Buffer): TreeEntry[] {
  const entries: TreeEntry[] = []
  for (let at = 0; at < content.length; ) {
    const end = content.indexOf(0, at)
    const head = content.toString('latin1', at, end)
    const space = head.indexOf(' ')
    entries.push({ mode: head.slice(0, space), path: head.slice(space + 1), name: content.toString('hex', end + 1, end + 21) })
    at = end + 21
  }
  return entries
}

/** The inverse of {@link parseTree}. */
export function makeTree(entries: readonly TreeEntry[]): Tree {
  const content = Buffer.concat(
    entries.flatMap(({ mode, path, name }) => [Buffer.from(`${mode} ${path}\0`, 'latin1'), Buffer.from(name, 'hex')]),
  )
  return { name: objectName('tree', content), content }
}
