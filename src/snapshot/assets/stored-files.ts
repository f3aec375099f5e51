import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { codecs } from '../../codec/codecs.ts'
import { findLedgerEntry, ledgerFile } from '../../format/ledger.ts'
import type { StoredManifest } from '../../format/manifest/manifest.ts'
import { longestLineBytes, splitLines } from '../../streams/lines.ts'
import { digestFile } from '../check/file-digests.ts'

/** The file of an asset as a snapshot that lies on this disk has it. `asUploaded`: whether its SHA-1 is the one in the asset's id. */
export type StoredFile = { readonly path: string; readonly sizeBytes: number; readonly asUploaded: boolean }

/** Finds the files of the assets with these ids, by the ledger. What is not in the result has no file in the snapshot. */
export async function findStoredFiles(
  { folder, manifest }: { readonly folder: string; readonly manifest: Pick<StoredManifest, 'files'> },
  ids: ReadonlySet<string>,
): Promise<ReadonlyMap<string, StoredFile>> {
  const found = new Map<string, StoredFile>()
  const files = new Set(manifest.files.map(({ path }) => path))
  if (!files.has(ledgerFile)) return found
  const chunks = createReadStream(join(folder, ledgerFile), { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>
  for await (const { lines } of splitLines(codecs.gzip.decompress(chunks), longestLineBytes)) {
    for (const line of lines) {
      const entry = findLedgerEntry(line)
      // The path is one that the manifest lists: those were checked to stay in the folder.
      if (!entry || !ids.has(entry.id) || !files.has(entry.path)) continue
      found.set(entry.id, { path: join(folder, entry.path), sizeBytes: entry.sizeBytes, asUploaded: entry.provenBy === 'sha1' })
    }
  }
  return found
}

/** The SHA-1 of a file on this disk, in hexadecimal digits. Throws what reading throws. */
export async function sha1OfFile(file: string, signal: AbortSignal): Promise<string> {
  return (await digestFile(file, ['sha1'], signal)).digests.sha1
}

/** Reads a file on this disk from its beginning. */
export function openFile(file: string): AsyncIterable<Buffer> {
  return createReadStream(file, { highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>
}
