import { type Digest, isDigest } from '../streams/digest.ts'

/** The file that ties the id of each asset to its file. Always gzip, whatever the data file is. */
export const ledgerFile = 'assets.ndjson.gz'

/** What proved the bytes of an asset: the SHA-1 in its name or its document, or what the asset host says of the bytes that it has stored. */
export type ProvenBy = 'sha1' | 'sha1hash' | 'x-sanity-md5' | 'x-sanity-sha1'

/** An asset's file as it lies in the snapshot. */
export type SavedFile = { readonly path: string; readonly sizeBytes: number; readonly digest: Digest; readonly provenBy: ProvenBy }

/** One asset of a snapshot, as a line of the ledger: of an encrypted snapshot, too, with its name, size and digest in the clear. Two ids may share one file. */
export type LedgerEntry = { readonly id: string } & SavedFile

/** The line of an entry, without a line feed. */
export function ledgerLine({ id, path, sizeBytes, digest, provenBy }: LedgerEntry): Buffer {
  return Buffer.from(JSON.stringify({ id, path, sizeBytes, digest, provenBy }))
}

/** Reads a line of a ledger; undefined if it is none. What proved an asset may be anything: later versions may know other ways. */
export function findLedgerEntry(line: Buffer): (Omit<LedgerEntry, 'provenBy'> & { readonly provenBy: string }) | undefined {
  try {
    const { id, path, sizeBytes, digest, provenBy } = JSON.parse(line.toString('utf8')) as Record<string, unknown>
    if (typeof id !== 'string' || typeof path !== 'string' || typeof sizeBytes !== 'number' || !isDigest(digest)) return undefined
    return { id, path, sizeBytes, digest, provenBy: typeof provenBy === 'string' ? provenBy : '' }
  } catch {
    return undefined
  }
}
