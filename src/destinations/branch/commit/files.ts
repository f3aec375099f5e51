import { join } from 'node:path'
import { BackupError } from '../../../errors.ts'
import { attributesFile, depthFor, documentPath, partsOf, typeInPath } from '../../../format/branch-layout.ts'
import { countChanges, type TypeChanges } from '../../../format/compare.ts'
import { indentDocument, indentedBytes } from '../../../format/document-file.ts'
import { type Listing, listing } from '../../../format/listing.ts'
import { type FileEntry, type Manifest, manifestFile } from '../../../format/manifest/manifest.ts'
import type { FileChange, NewBlob } from '../../../git/objects/import.ts'
import { blobNameOf, bytesOf, objectName } from '../../../git/objects/objects.ts'
import { digestOfFile, findDataFile, readDocuments } from '../../../snapshot/read/documents.ts'
import { formatBytes, quoteOutside } from '../../../text.ts'

/** How a snapshot lies on a branch. */
export type BranchLayout = 'text' | 'compressed'

/** A snapshot in a folder here, and how it is to lie on the branch. */
export type SnapshotHere = { readonly folder: string; readonly manifest: Manifest; readonly layout: BranchLayout }

/** The snapshot that is to lie on the branch, and what its folder there holds now: the blob of each file by its path. */
export type Layout = SnapshotHere & {
  readonly before: ReadonlyMap<string, string>
  /** The files there that stay, because they hold the same content; undefined if they do not ({@link findKept}). */
  readonly kept: readonly FileEntry[] | undefined
}

/** What a snapshot changes on the branch. */
export type LaidOut = {
  /** Paths below the snapshot's folder on the branch. */
  readonly changes: FileChange[]
  readonly byType: ReadonlyMap<string, TypeChanges>
  readonly sizeBytes: number
  /** All files that lie there then, but for the manifest and git's attributes. */
  readonly listed: Listing
}

/** GitHub takes no larger file: docs.github.com, "About large files on GitHub". */
const largestFileBytes = 100 * 1024 * 1024

/**
 * Compares each file of the snapshot, as it will lie on the branch, with what lies there, by its blob's name. Yields the content of those that are
 * new, and returns all that changes, without the manifest. Throws `branch-too-large` for a file that GitHub does not take.
 */
export async function* layFiles({ folder, manifest, layout, before, kept }: Layout): AsyncGenerator<NewBlob, LaidOut> {
  const changes = fileChanges(before)
  const counted = countChanges()
  if (layout === 'text') {
    for await (const { path, type, content } of documentFiles(folder, manifest)) {
      if (!changes.isNew(path, objectName('blob', content), content.length)) continue
      counted.add(type, before.has(path) ? 'changed' : 'created')
      yield { sizeBytes: content.length, chunks: [content] }
    }
  }
  for (const { path, sizeBytes } of kept ?? []) changes.keep(path, before.get(path) ?? '', sizeBytes)
  for (const { path, of, start, end } of kept ? [] : piecesOf(manifest, layout)) {
    refuseLarge(path, end - start)
    const file = join(folder, of)
    const name = await blobNameOf(file, { start, end })
    if (changes.isNew(path, name, end - start)) yield { sizeBytes: end - start, chunks: bytesOf(file, { start, end }) }
  }
  for (const path of changes.removeRest()) {
    const type = typeInPath(path)
    if (type !== undefined) counted.add(type, 'deleted')
  }
  return { changes: changes.all, byType: counted.sorted(), sizeBytes: changes.sizeBytes(), listed: changes.listed }
}

/** Compares files with what lies there, one after the other, and collects what changes. */
function fileChanges(before: Layout['before']) {
  const all: FileChange[] = []
  const stays = new Set<string>([manifestFile, attributesFile])
  const listed = listing()
  let sizeBytes = 0
  const keep = (path: string, name: string, bytes: number): void => {
    sizeBytes += bytes
    listed.add(path, name)
    stays.add(path)
  }
  return {
    all,
    listed,
    sizeBytes: () => sizeBytes,
    keep,
    /** Whether the file is a new or another one. */
    isNew: (path: string, name: string, bytes: number): boolean => {
      keep(path, name, bytes)
      if (before.get(path) === name) return false
      all.push({ path, name })
      return true
    },
    /** Removes all files that were not named, and returns their paths. */
    removeRest: (): string[] => {
      const rest = [...before.keys()].filter((path) => !stays.has(path))
      for (const path of rest) all.push({ path, name: undefined })
      return rest
    },
  }
}

type DocumentFile = { readonly path: string; readonly type: string; readonly content: Buffer }

async function* documentFiles(folder: string, manifest: Manifest): AsyncGenerator<DocumentFile> {
  const depth = depthFor(manifest.documents.count)
  const data = findDataFile(manifest)
  if (data === undefined) return
  for await (const batch of readDocuments(folder, data)) {
    for (const { id, type, line } of batch) {
      const path = documentPath({ id, type }, depth)
      refuseLarge(path, indentedBytes(line))
      yield { path, type, content: indentDocument(line) }
    }
  }
}

type Piece = { readonly path: string; readonly of: string; readonly start: number; readonly end: number }

/** The files that lie on the branch as they are, or in parts. */
export function piecesOf(manifest: Manifest, layout: BranchLayout): Piece[] {
  const data = findDataFile(manifest)
  return manifest.files.flatMap(({ path, sizeBytes }) => {
    if (path !== data?.path) return [{ path, of: path, start: 0, end: sizeBytes }]
    return layout === 'text' ? [] : partsOf(path, sizeBytes).map((part) => ({ ...part, of: path }))
  })
}

/** The manifest of a snapshot as it lies on the branch. */
export async function branchManifest({ folder, manifest, layout, kept }: Omit<Layout, 'before'>): Promise<Manifest> {
  const { files, ...rest } = manifest
  const data = findDataFile(manifest)
  const others = files.filter((file) => file !== data)
  if (layout === 'text') {
    return { ...rest, branch: { layout, depth: depthFor(manifest.documents.count) }, files: kept ?? others }
  }
  if (kept) return { ...rest, files: kept }
  const parts: FileEntry[] = []
  for (const part of data === undefined ? [] : partsOf(data.path, data.sizeBytes)) {
    const digest = await digestOfFile(join(folder, data?.path ?? ''), part)
    parts.push(part.path === data?.path ? data : { path: part.path, sizeBytes: part.end - part.start, digest })
  }
  return { ...rest, files: [...parts, ...others] }
}

function refuseLarge(path: string, bytes: number): void {
  if (bytes <= largestFileBytes) return
  throw new BackupError({
    code: 'branch-too-large',
    title: 'A file is too large for a branch',
    message: `The file "${quoteOutside(path)}" would have ${formatBytes(bytes)}, and GitHub takes no file over 100 MB in a repository. Nothing was stored.`,
    hint: 'Leave the document out with `exclude-ids`, or the assets with `include-assets: false`; or use `destination: artifact`, which takes files of any size. Documents of this size fit a branch with `branch-layout: compressed`.',
  })
}
