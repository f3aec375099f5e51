import { constants, createReadStream } from 'node:fs'
import { copyFile, mkdir, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { codecs, findCodec } from '../../codec/codecs.ts'
import { joinDocument } from '../../format/document-file.ts'
import { ledgerFile } from '../../format/ledger.ts'
import { type FileEntry, manifestFile, printManifest, type StoredManifest } from '../../format/manifest/manifest.ts'
import { digester } from '../../streams/digest.ts'
import { splitLines } from '../../streams/lines.ts'
import { tap } from '../../streams/tap.ts'
import { writeLines } from './lines-file.ts'
import { unproven, writeWhole } from './whole-file.ts'

/** A verified snapshot, or one of its shards, as it was fetched. */
export type PlainPart = {
  readonly manifest: StoredManifest
  readonly manifestBytes: Buffer
  readonly folder: string
  /** Whether its files may be moved; else they are copied. */
  readonly ours: boolean
  /** Where each document has a file of its own. */
  readonly documents: (() => AsyncIterable<{ readonly path: string; readonly content: Buffer }>) | undefined
}

type Plain = {
  readonly parts: readonly PlainPart[]
  /** The name of the snapshot: that of a set of shards is another than those of its parts. */
  readonly name: string
  readonly signal: AbortSignal
}

/**
 * Writes what was fetched as one plain snapshot into an empty folder: shards are put together, the parts of a data file joined, and documents that had
 * files of their own written into one. What is one already stays as it is, byte for byte. The manifest comes last.
 */
export async function writePlain(folder: string, { parts, name, signal }: Plain): Promise<{ readonly rewritten: boolean }> {
  const files: FileEntry[] = [...(await dataOf(parts, folder)), ...(await ledgerOf(parts, folder))]
  const stored = new Set(parts.flatMap(({ manifest }) => manifest.files))
  const rewritten = files.some((file) => !stored.has(file))
  for (const part of parts) {
    for (const file of part.manifest.files) {
      signal.throwIfAborted()
      if (!file.path.startsWith('assets/') || files.some(({ path }) => path === file.path)) continue
      await bring(part, file.path, folder)
      files.push(file)
    }
  }
  await writeWhole(folder, manifestFile, { chunks: oneChunk(manifestOf(parts, files, name)), prove: unproven })
  return { rewritten }
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

/** Of shards only one has documents. */
async function dataOf(parts: readonly PlainPart[], folder: string): Promise<FileEntry[]> {
  const written: FileEntry[] = []
  for (const part of parts) {
    const stored = part.manifest.files.filter(({ path }) => /^data\.ndjson\./.test(path))
    const [first] = stored
    if (part.documents !== undefined) written.push(await writeDocuments(part.documents(), folder))
    else if (first !== undefined && stored.length === 1 && findCodec(first.path)) {
      await bring(part, first.path, folder)
      written.push(first)
    } else if (first !== undefined) written.push(await joinPieces(part, stored, folder))
  }
  return written
}

async function writeDocuments(files: ReturnType<NonNullable<PlainPart['documents']>>, folder: string): Promise<FileEntry> {
  const lines = async function* () {
    for await (const { content } of files) yield [joinDocument(content)]
  }
  return await writeLines(folder, 'data.ndjson', { lines: lines(), compression: 'gzip', level: codecs.gzip.levels.default })
}

async function joinPieces({ folder: from }: PlainPart, pieces: readonly FileEntry[], folder: string): Promise<FileEntry> {
  const path = pieces[0]?.path.replace(/\.\d{3}$/, '') ?? ''
  const stored = digester()
  const content = digester()
  const all = async function* (): AsyncGenerator<Buffer> {
    for (const piece of pieces.toSorted((a, b) => (a.path < b.path ? -1 : 1))) yield* readChunks(join(from, piece.path))
  }
  await writeWhole(folder, path, { chunks: tap(all(), stored.update), prove: unproven })
  const codec = findCodec(path)
  const unpacked = codec ? codec.decompress(readChunks(join(folder, path))) : readChunks(join(folder, path))
  for await (const chunk of unpacked) content.update(chunk)
  const { bytes: sizeBytes, digest } = stored.result()
  const { bytes: contentBytes, digest: contentDigest } = content.result()
  return { path, sizeBytes, digest, contentBytes, contentDigest }
}

function readChunks(file: string): AsyncIterable<Buffer> {
  return createReadStream(file, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>
}

/** The ledger of one is moved; those of shards become one. */
async function ledgerOf(parts: readonly PlainPart[], folder: string): Promise<FileEntry[]> {
  const ledgers = parts.flatMap((part) => part.manifest.files.filter(({ path }) => path === ledgerFile).map((file) => ({ part, file })))
  const [first, ...others] = ledgers
  if (first === undefined) return []
  if (others.length === 0) {
    await bring(first.part, first.file.path, folder)
    return [first.file]
  }
  const lines = async function* () {
    for (const { part } of ledgers) {
      const unpacked = codecs.gzip.decompress(readChunks(join(part.folder, ledgerFile)))
      for await (const batch of splitLines(unpacked, Number.POSITIVE_INFINITY)) yield batch.lines
    }
  }
  const name = ledgerFile.replace(/\.gz$/, '')
  return [await writeLines(folder, name, { lines: lines(), compression: 'gzip', level: codecs.gzip.levels.default })]
}

function manifestOf(parts: readonly PlainPart[], files: readonly FileEntry[], name: string): Buffer {
  const [first] = parts
  const main = parts.find(({ manifest }) => manifest.documents.count > 0) ?? first
  if (main === undefined) throw new Error('there is no part of a snapshot')
  const { manifest, manifestBytes } = main
  const same = parts.length === 1 && manifest.branch === undefined && manifest.snapshot === name && files.length === manifest.files.length
  if (same && manifest.shard === null) return manifestBytes
  const { branch: _, ...rest } = manifest
  const assets = parts.length === 1 ? manifest.assets : assetsOf(parts, manifest)
  return printManifest({ ...rest, snapshot: name, shard: null, ...(assets ? { assets } : {}), files })
}

function assetsOf(parts: readonly PlainPart[], { assets }: StoredManifest): StoredManifest['assets'] {
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
