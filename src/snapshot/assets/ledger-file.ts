import type { Sealer } from '../../codec/age.ts'
import { type LedgerEntry, ledgerFile, ledgerLine } from '../../format/ledger.ts'
import type { FileEntry } from '../../format/manifest/manifest.ts'
import { writeLines } from '../write/lines-file.ts'

/** How many lines are made at a time. */
const batchLines = 1000

/** Writes the ledger: one line per asset, in the given order; encrypted, with a sealer. Gives its entry for the manifest. Throws `disk-full`. */
export async function writeLedger(folder: string, entries: readonly LedgerEntry[], sealer?: Sealer): Promise<FileEntry> {
  const lines = async function* (): AsyncGenerator<Buffer[]> {
    for (let start = 0; start < entries.length; start += batchLines) yield entries.slice(start, start + batchLines).map(ledgerLine)
  }
  return await writeLines(folder, ledgerFile.replace(/\.gz$/, ''), {
    lines: lines(),
    compression: 'gzip',
    level: 6,
    seal: await sealer?.newFile(),
  })
}
