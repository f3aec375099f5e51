import { BackupError } from '../../errors.ts'
import { attributesFile, documentsFolder } from '../../format/branch-layout.ts'
import { type FileEntry, manifestFile } from '../../format/manifest/manifest.ts'
import type { Git } from '../../git/command.ts'
import { type Entry, fileMode, filesBelow, readObjects } from '../../git/objects/objects.ts'
import { fetchCommit } from '../../git/server/remote.ts'
import { writeFetched } from '../../snapshot/write/fetched.ts'
import { quoteOutside } from '../../text.ts'
import type { DocumentFiles, Fetched, Found, Level, ListedFile, OddFile } from '../destination.ts'
import { asking, type BranchSession, inGitWords, openAnother } from './session.ts'

/** A snapshot at a commit. */
type At = Pick<Found, 'manifest' | 'manifestBytes'> & { readonly commit: string }

/**
 * Fetches a snapshot out of a commit, straight from git's objects: there is no work tree, so no disk, line end or file name can bend it. At the level
 * `structure` only the trees are fetched. Where each document has a file of its own, these are read from the objects when they are wanted.
 */
export async function fetchFiles(session: BranchSession, at: At, { into, level }: { into: string; level: Level }): Promise<Fetched> {
  const { commit, manifest, manifestBytes } = at
  const repository = session.fetched.use(await openAnother(session))
  const filter = level === 'structure' ? { filter: 'blob:none' as const } : {}
  const fetched = await asking(session, () => fetchCommit(repository.git, session.url, { ref: commit, depth: 1, ...filter }))
  if (fetched === undefined) throw goneSince(commit, session.needs.branch)
  const { offline } = repository
  const tree = { git: offline, name: `${commit}:${session.needs.folder}`, sizes: level === 'data', isText: manifest.branch !== undefined }
  return await inGitWords(session, async () => {
    const { files, listed, odd } = await sort(tree, manifest.files)
    await writeFetched(into, { path: manifestFile, sizeBytes: manifestBytes.length }, chunksOf(manifestBytes))
    if (level === 'data') await writeAll(session, { git: offline, files, into })
    return { folder: into, listed, odd, ...(tree.isText ? { documents: documentsOf(tree) } : {}) }
  })
}

async function* chunksOf(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

/** The snapshot's folder in git. */
type Tree = { readonly git: Git; readonly name: string; readonly sizes: boolean; readonly isText: boolean }

type WantedFile = { readonly file: FileEntry; readonly name: string }

/** Of a folder full of nonsense not all is told. */
const mostOdd = 100
/** Sanity takes no document of this size, and git must not make us hold a larger one. */
const largestDocument = 100 * 1024 * 1024

async function sort(tree: Tree, known: readonly FileEntry[]) {
  const byPath = new Map(known.map((file) => [file.path, file]))
  const files: WantedFile[] = []
  const listed: ListedFile[] = []
  const odd: OddFile[] = []
  const refuse = (kind: OddFile['kind'], path: string, message: string): void => {
    if (odd.length < mostOdd) odd.push({ kind, path: quoteOutside(path, 200), message })
  }
  for await (const entry of filesBelow(tree.git, tree.name, { sizes: tree.sizes })) {
    const { path, mode, name, sizeBytes } = entry
    const file = byPath.get(path)
    if (mode !== fileMode) refuse('file-unexpected', path, 'is not an ordinary file')
    else if (isDocument(tree, entry)) {
      if (sizeBytes !== undefined && sizeBytes > largestDocument)
        refuse('size-differs', path, `has ${sizeBytes} bytes, more than any document`)
    } else if (file || path === manifestFile || path === attributesFile) listed.push({ path, sizeBytes })
    else refuse('file-unexpected', path, 'is not listed in the manifest')
    if (file && mode === fileMode) {
      if (sizeBytes !== undefined && sizeBytes > file.sizeBytes) {
        refuse('size-differs', path, `has ${sizeBytes} bytes instead of ${file.sizeBytes}, and was not fetched`)
      } else files.push({ file, name })
    }
  }
  return { files, listed, odd }
}

function isDocument({ isText }: Tree, { path }: Entry): boolean {
  return isText && path.startsWith(`${documentsFolder}/`)
}

type Writing = { readonly git: Git; readonly files: readonly WantedFile[]; readonly into: string }

async function writeAll(session: BranchSession, { git, files, into }: Writing): Promise<void> {
  const names = async function* () {
    for (const { name } of files) yield name
  }
  let next = 0
  for await (const content of readObjects(git, names())) {
    session.needs.git.signal.throwIfAborted()
    const { file } = files[next++] as WantedFile
    await writeFetched(into, file, chunksOf(content))
  }
}

/** The documents, in git's order. */
function documentsOf(tree: Tree): DocumentFiles {
  const entries = async function* (): AsyncGenerator<Entry> {
    for await (const entry of filesBelow(tree.git, tree.name, { sizes: tree.sizes })) {
      if (isDocument(tree, entry) && entry.mode === fileMode && (entry.sizeBytes ?? 0) <= largestDocument) yield entry
    }
  }
  return {
    paths: async function* () {
      for await (const { path } of entries()) yield path
    },
    files: async function* () {
      const paths: string[] = []
      const names = async function* (): AsyncGenerator<string> {
        for await (const { path, name } of entries()) {
          paths.push(path)
          yield name
        }
      }
      for await (const content of readObjects(tree.git, names())) yield { path: paths.shift() ?? '', content }
    },
  }
}

function goneSince(commit: string, branch: string): BackupError {
  return new BackupError({
    code: 'snapshot-missing',
    title: 'The commit is gone',
    message: `The commit ${commit} was found on the branch "${quoteOutside(branch)}", and the server no longer hands it out.`,
    hint: 'A backup with `keep-last` may have written the history anew in this moment. Run the job again.',
  })
}
