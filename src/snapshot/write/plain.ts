import { constants } from 'node:fs'
import { copyFile, mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Opener } from '../../codec/age.ts'
import { codecs } from '../../codec/codecs.ts'
import { ledgerFile } from '../../format/ledger.ts'
import { type FileEntry, manifestFile, printManifest, type StoredManifest } from '../../format/manifest/manifest.ts'
import { isSealed, plainName } from '../../format/manifest/sealed.ts'
import { digester } from '../../streams/digest.ts'
import { tap } from '../../streams/tap.ts'
import { openedManifest } from '../read/details.ts'
import { type DataFile, type DocumentFiles, dataFilesIn, documentLines, type PlacedLine, placedLines } from '../read/document-lines.ts'
import { openedFile, type Reading, unpackedFile } from '../read/opened.ts'
import { syncFolder } from '../workshop/files.ts'
import { writeLines } from './lines-file.ts'
import { unproven, writeOneOfMany, writeWhole } from './whole-file.ts'

/** A verified snapshot, or one of its shards, as it was fetched. */
export type PlainPart = {
  readonly manifest: StoredManifest
  readonly manifestBytes: Buffer
  readonly folder: string
  /** Whether its files may be moved; else they are copied. */
  readonly ours: boolean
  /** Where each document has a file of its own. */
  readonly documents: DocumentFiles | undefined
}

type Plain = {
  readonly parts: readonly PlainPart[]
  /** The name of the snapshot: that of a set of shards is another than those of its parts. */
  readonly name: string
  /** Opens what is encrypted. */
  readonly opener?: Opener | undefined
  readonly signal: AbortSignal
}

/** `reading`: how its files are read. Of an encrypted one the manifest also tells what it leaves out. */
type Source = PlainPart & { readonly reading: Reading }

/**
 * Writes what was fetched as one plain snapshot into an empty folder: what is encrypted is opened, shards are put together, the parts of a data file
 * joined, and documents that had files of their own written into one. What is plain already stays as it is, byte for byte. The manifest comes last.
 * Throws an `AgeError` for what cannot be opened.
 */
export async function writePlain(folder: string, { parts, name, opener, signal }: Plain): Promise<{ readonly rewritten: boolean }> {
  const reading = { opener, signal }
  const sources: Source[] = []
  for (const part of parts) sources.push({ ...part, manifest: await openedManifest(part, reading), reading })
  const files: FileEntry[] = [...(await dataOf(sources, folder)), ...(await ledgerOf(sources, folder))]
  for (const source of sources) {
    for (const file of source.manifest.files) {
      signal.throwIfAborted()
      const path = plainName(file.path)
      if (!path.startsWith('assets/') || files.some((other) => other.path === path)) continue
      files.push(await bringAsset(source, file, folder))
    }
  }
  await syncFolders(folder, files)
  const stored = new Set(parts.flatMap(({ manifest }) => manifest.files))
  await writeWhole(folder, manifestFile, { chunks: oneChunk(manifestOf(sources, files, name)), prove: unproven })
  return { rewritten: files.some((file) => !stored.has(file)) }
}

async function* oneChunk(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

async function bring({ folder, ours }: PlainPart, path: string, into: string): Promise<void> {
  const target = join(into, path)
  await mkdir(dirname(target), { recursive: true, mode: 0o700 })
  if (ours) await rename(join(folder, path), target)
  else await copyFile(join(folder, path), target, constants.COPYFILE_FICLONE)
}

async function bringAsset(source: Source, file: FileEntry, folder: string): Promise<FileEntry> {
  if (isSealed(file)) {
    const { path, sizeBytes, digest } = await bringOpened(source, { name: file.path, parts: [file] }, folder)
    return { path, sizeBytes, digest }
  }
  await bring(source, file.path, folder)
  return file
}

/** Of shards only one has documents. */
async function dataOf(sources: readonly Source[], folder: string): Promise<FileEntry[]> {
  const written: FileEntry[] = []
  for (const source of sources) {
    const { manifest, documents, reading } = source
    if (documents !== undefined) {
      written.push(await writeLinesOf([documentLines(source, reading)], 'data.ndjson', folder))
      continue
    }
    for (const file of dataFilesIn(manifest)) written.push(await bringPacked(source, file, folder))
  }
  return written
}

/** The ledger of one is brought as it is; those of shards become one. */
async function ledgerOf(sources: readonly Source[], folder: string): Promise<FileEntry[]> {
  const ledgers = sources.flatMap((source) =>
    source.manifest.files.filter(({ path }) => plainName(path) === ledgerFile).map((file) => ({ source, file })),
  )
  const [first, second] = ledgers
  if (first === undefined) return []
  if (second === undefined) return [await bringPacked(first.source, { name: first.file.path, parts: [first.file] }, folder)]
  const lines = ledgers.map(({ source, file }) => placedLines({ folder: source.folder, path: file.path }, source.reading))
  return [await writeLinesOf(lines, ledgerFile.replace(/\.gz$/, ''), folder)]
}

async function writeLinesOf(streams: readonly AsyncIterable<readonly PlacedLine[]>[], name: string, folder: string): Promise<FileEntry> {
  const lines = async function* () {
    for (const stream of streams) for await (const batch of stream) yield batch.map(({ line }) => line)
  }
  return await writeLines(folder, name, { lines: lines(), compression: 'gzip', level: codecs.gzip.levels.default })
}

/** A compressed file, as it is or opened and in one piece. */
async function bringPacked(source: Source, file: DataFile, folder: string): Promise<FileEntry> {
  const [entry, more] = file.parts
  if (entry !== undefined && more === undefined && entry.path === file.name && !isSealed(entry)) {
    await bring(source, entry.path, folder)
    return entry
  }
  const { path, sizeBytes, digest } = await bringOpened(source, file, folder)
  // What the manifest says of the content was compared; of a file in parts it says nothing.
  const { contentBytes, contentDigest } = entry ?? {}
  if (contentBytes !== undefined && contentDigest !== undefined) return { path, sizeBytes, digest, contentBytes, contentDigest }
  const content = digester()
  for await (const chunk of unpackedFile({ folder, path }, source.reading)) content.update(chunk)
  const { bytes, digest: found } = content.result()
  return { path, sizeBytes, digest, contentBytes: bytes, contentDigest: found }
}

/** Writes a file opened and in one piece, under its name in the clear. What it was made of goes, where it may: there may not be room for both. */
async function bringOpened({ folder: from, ours, reading }: Source, { name, parts }: DataFile, folder: string): Promise<FileEntry> {
  const path = plainName(name)
  const written = digester()
  const paths = parts.map((part) => part.path)
  await mkdir(dirname(join(folder, path)), { recursive: true, mode: 0o700 })
  await writeOneOfMany(folder, path, {
    chunks: tap(openedFile({ folder: from, path: name, parts: paths }, reading), written.update),
    prove: unproven,
  })
  if (ours) for (const each of paths) await rm(join(from, each), { force: true })
  const { bytes: sizeBytes, digest } = written.result()
  return { path, sizeBytes, digest }
}

async function syncFolders(folder: string, files: readonly FileEntry[]): Promise<void> {
  for (const each of new Set(files.map(({ path }) => dirname(join(folder, path))))) await syncFolder(each)
}

function manifestOf(parts: readonly Source[], files: readonly FileEntry[], name: string): Buffer {
  const [first] = parts
  const main = parts.find(({ manifest }) => manifest.documents.count > 0) ?? first
  if (main === undefined) throw new Error('there is no part of a snapshot')
  const { manifest, manifestBytes } = main
  const same = parts.length === 1 && manifest.branch === undefined && manifest.encryption == null && manifest.snapshot === name
  if (same && files.length === manifest.files.length && manifest.shard === null) return manifestBytes
  const { branch: _, ...rest } = manifest
  const assets = parts.length === 1 ? manifest.assets : assetsOf(parts, manifest)
  return printManifest({ ...rest, snapshot: name, shard: null, ...(assets ? { assets } : {}), encryption: null, files })
}

function assetsOf(parts: readonly Source[], { assets }: StoredManifest): StoredManifest['assets'] {
  if (assets === undefined) return undefined
  const sum = (of: (each: NonNullable<StoredManifest['assets']>) => number) =>
    parts.reduce((total, { manifest }) => total + (manifest.assets ? of(manifest.assets) : 0), 0)
  const missing = parts.flatMap(({ manifest }) => (Array.isArray(manifest.assets?.missing) ? manifest.assets.missing : []))
  return {
    ...assets,
    count: sum(({ count }) => count),
    sizeBytes: sum(({ sizeBytes = 0 }) => sizeBytes),
    reused: sum(({ reused = 0 }) => reused),
    missing,
  }
}
