import type { FileEntry } from '../../format/manifest.ts'
import { type Digest, isDigest } from '../../streams/digest.ts'
import { writeLines } from '../write/lines-file.ts'
import type { SavedFile } from './folder.ts'

/** The file that ties the id of each asset to its file. Always gzip, whatever the data file is. */
export const ledgerFile = 'assets.ndjson.gz'

/** One asset of a snapshot, as a line of the ledger. Two ids may share one file. */
export type LedgerEntry = { readonly id: string } & SavedFile

/** How many lines are made at a time. */
const batchLines = 1000

/** Writes the ledger: one line per asset, in the given order. Gives its entry for the manifest. Throws `disk-full`. */
export async function writeLedger(folder: string, entries: readonly LedgerEntry[]): Promise<FileEntry> {
  const lines = async function* (): AsyncGenerator<Buffer[]> {
    for (let start = 0; start < entries.length; start += batchLines) yield entries.slice(start, start + batchLines).map(lineOf)
  }
  return await writeLines(folder, ledgerFile.replace(/\.gz$/, ''), { lines: lines(), compression: 'gzip', level: 6 })
}

function lineOf({ id, path, sizeBytes, digest, provenBy }: LedgerEntry): Buffer {
  return Buffer.from(JSON.stringify({ id, path, sizeBytes, digest, provenBy }))
}

/** Reads a line of a ledger; undefined if it is none. What proved an asset is not looked at: later versions may know other ways. */
export function findLedgerEntry(line: Buffer): { id: string; path: string; sizeBytes: number; digest: Digest } | undefined {
  try {
    const { id, path, sizeBytes, digest } = JSON.parse(line.toString('utf8')) as Record<string, unknown>
    if (typeof id !== 'string' || typeof path !== 'string' || typeof sizeBytes !== 'number' || !isDigest(digest)) return undefined
    return { id, path, sizeBytes, digest }
  } catch {
    return undefined
  }
}
