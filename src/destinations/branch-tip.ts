import type { Git } from '../git/command.ts'
import { entriesAt, fileMode, filesBelow } from '../git/objects.ts'
import { type Manifest, manifestFile, parseManifest } from '../snapshot/manifest.ts'

/** What lies on the branch now. */
export type BranchTip = {
  /** Undefined if there is no such branch. */
  readonly commit: string | undefined
  /** Of the snapshot that lies there; undefined if there is none, or none that this version can read. */
  readonly manifest: Manifest | undefined
  /** The files in the snapshot's folder: the name of the blob by the path. */
  readonly before: ReadonlyMap<string, string>
  readonly hasReadme: boolean
  /** A file where the snapshot's folder belongs. */
  readonly inTheWay: string | undefined
}

export const noBranch: BranchTip = { commit: undefined, manifest: undefined, before: new Map(), hasReadme: false, inTheWay: undefined }

/** Reads what lies at a commit; its trees are there, its blobs are fetched when they are read. */
export async function readTip(git: Git, commit: string, folder: string): Promise<BranchTip> {
  const [project = ''] = folder.split('/')
  // git lists what is in a folder if something in it is asked for too.
  const entries = await entriesAt(git, commit, ['README.md', project, folder])
  const hasReadme = entries.some(({ path }) => path === 'README.md')
  const inTheWay = entries.find(({ path, type }) => (path === project || path === folder) && type !== 'tree')?.path
  const there = entries.find(({ path }) => path === folder)
  if (there === undefined || inTheWay !== undefined) return { commit, manifest: undefined, before: new Map(), hasReadme, inTheWay }
  const before = new Map<string, string>()
  // What is not an ordinary file is never the same as one.
  for await (const { path, mode, name } of filesBelow(git, there.name)) before.set(path, mode === fileMode ? name : '')
  return { commit, manifest: await findManifest(git, before.get(manifestFile)), before, hasReadme, inTheWay }
}

async function findManifest(git: Git, blob: string | undefined): Promise<Manifest | undefined> {
  if (!blob) return undefined
  const bytes = await git.run(['cat-file', 'blob', blob])
  try {
    return parseManifest(bytes)
  } catch {
    // Nothing that could be compared with: the next commit puts a good one in its place.
    return undefined
  }
}
