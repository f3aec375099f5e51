import { BackupError } from '../../errors.ts'
import { manifestFile, type StoredManifest } from '../../format/manifest/manifest.ts'
import type { Git } from '../../git/command.ts'
import { entriesAt, fileMode, filesBelow } from '../../git/objects/objects.ts'
import { manifestOrReason } from '../../snapshot/read/newest-first.ts'

/** What lies on the branch now. */
export type BranchTip = {
  /** Undefined if there is no such branch. */
  readonly commit: string | undefined
  /** Of the snapshot that lies there; undefined if there is none, or none that this version can read. */
  readonly manifest: StoredManifest | undefined
  /** The bytes of that manifest. */
  readonly manifestBytes: Buffer | undefined
  /** Why the manifest that lies there cannot be read; undefined if it can be, or there is none. */
  readonly unreadable: BackupError | undefined
  /** The files in the snapshot's folder: the name of the blob by the path. */
  readonly before: ReadonlyMap<string, string>
  readonly hasReadme: boolean
  /** A file where the snapshot's folder belongs. */
  readonly inTheWay: string | undefined
}

export const noBranch: BranchTip = {
  commit: undefined,
  manifest: undefined,
  manifestBytes: undefined,
  unreadable: undefined,
  before: new Map(),
  hasReadme: false,
  inTheWay: undefined,
}

/** A name in other letters would be the same file on a Mac or on Windows. */
const readmes = ['README.md', 'readme.md', 'Readme.md', 'ReadMe.md', 'README', 'readme']

/** Reads what lies at a commit; its trees are there, its blobs are fetched when they are read. The folder may be empty: then of no dataset. */
export async function readTip(git: Git, commit: string, folder: string): Promise<BranchTip> {
  if (folder === '') return { ...noBranch, commit }
  const [project = ''] = folder.split('/')
  // git lists what is in a folder if something in it is asked for too.
  const entries = await entriesAt(git, commit, [...readmes, project, folder])
  const hasReadme = entries.some(({ path }) => readmes.includes(path))
  const inTheWay = entries.find(({ path, type }) => (path === project || path === folder) && type !== 'tree')?.path
  const own = entries.find(({ path }) => path === folder)
  if (own === undefined || inTheWay !== undefined) return { ...noBranch, commit, hasReadme, inTheWay }
  const before = new Map<string, string>()
  // What is not an ordinary file is never the same as one.
  for await (const { path, mode, name } of filesBelow(git, own.name)) before.set(path, mode === fileMode ? name : '')
  const blob = before.get(manifestFile)
  const manifestBytes = blob ? await git.run(['cat-file', 'blob', blob]) : undefined
  const manifest = manifestBytes && manifestOrReason(manifestBytes, 'on the branch')
  return manifest instanceof BackupError
    ? { ...noBranch, commit, unreadable: manifest, before, hasReadme }
    : { ...noBranch, commit, manifest, manifestBytes, before, hasReadme }
}
