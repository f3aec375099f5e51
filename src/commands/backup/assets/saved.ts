import type { Sealer } from '../../../codec/age.ts'
import type { LedgerEntry } from '../../../format/ledger.ts'
import type { FileEntry, MissingAsset } from '../../../format/manifest/manifest.ts'
import type { SavedAsset } from '../../../snapshot/assets/folder.ts'
import { writeLedger } from '../../../snapshot/assets/ledger-file.ts'
import type { Tools } from '../../../tools.ts'
import type { Missing } from './fetched.ts'
import type { Place } from './places.ts'

/** The assets of a snapshot, saved; those that could not be saved are listed. */
export type SavedAssets = {
  /** Assets whose file is in the snapshot. */
  readonly count: number
  /** Of all files together. */
  readonly sizeBytes: number
  /** Assets whose file came from the cache. */
  readonly reused: number
  /** Assets whose bytes are not those that were uploaded, but those that the asset host says it has. */
  readonly provenByHost: number
  readonly missing: readonly MissingFile[]
  /** The ledger, and the files of the assets in the order of their paths. */
  readonly files: readonly FileEntry[]
}

/** An asset without its file, as the manifest records it, and why it is missing. */
export type MissingFile = MissingAsset & Pick<Missing, 'lack' | 'why'>

/** What is said of assets in a snapshot that does not include them. */
export const noAssets: SavedAssets = { count: 0, sizeBytes: 0, reused: 0, provenByHost: 0, missing: [], files: [] }

/** `sealer` encrypts the ledger. */
type ConcludeNeeds = { readonly clean: Tools['clean']; readonly sealer?: Sealer | undefined }

/**
 * Writes the ledger into the folder of the snapshot and counts what became of the assets, each of which has been fetched or given up. Throws
 * `disk-full`.
 */
export async function concludeAssets(
  folder: string,
  assets: readonly [string, Place][],
  { clean, sealer }: ConcludeNeeds,
): Promise<SavedAssets> {
  const entries: (LedgerEntry & SavedAsset)[] = []
  const missing: MissingFile[] = []
  const reused = new Set<string>()
  for (const [id, { fetched }] of assets) {
    if (fetched === undefined) throw new Error('an asset was left out')
    if (fetched.kind === 'missing') missing.push(missingFile(id, fetched, clean))
    else entries.push({ id, ...fetched.file })
    if (fetched.kind === 'saved' && fetched.reused) reused.add(id)
  }
  entries.sort((a, b) => compare(a.path, b.path) || compare(a.id, b.id))
  missing.sort((a, b) => compare(a.id, b.id))
  const files = entries.filter(({ path }, index) => path !== entries[index - 1]?.path).map(({ entry, sizeBytes }) => ({ entry, sizeBytes }))
  return {
    count: entries.length,
    sizeBytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    reused: reused.size,
    provenByHost: entries.filter(({ provenBy }) => provenBy !== 'sha1').length,
    missing,
    files: [await writeLedger(folder, entries, sealer), ...files.map(({ entry }): FileEntry => entry)],
  }
}

function missingFile(id: string, { url, status, lack, why }: Missing, clean: Tools['clean']): MissingFile {
  return { id: clean(id), url: clean(url), status, lack, why: clean(why) }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
