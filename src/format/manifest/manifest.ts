import type { Digest, SumDigest } from '../../streams/digest.ts'
import type { Depth } from '../branch-layout.ts'
import type { Filters } from './filters.ts'
import type { Shard } from './shard.ts'

/** The file that makes a folder a snapshot. */
export const manifestFile = 'manifest.json'

/** The format that this version writes. A reader refuses another major and ignores keys that it does not know. */
export const manifestFormat = 'sanity-backup/1'

/** One file of a snapshot. The `content…` fields are those of the data before compression. */
export type FileEntry = {
  readonly path: string
  readonly sizeBytes: number
  readonly digest: Digest
  readonly contentBytes?: number
  readonly contentDigest?: Digest
}

/** What a snapshot holds and how it came about; docs/format.md describes each field. */
export type Manifest = {
  readonly format: typeof manifestFormat
  readonly snapshot: string
  readonly label: string | null
  readonly shard: Shard | null
  readonly takenAt: string
  readonly finishedAt: string
  readonly complete: boolean
  readonly source: { readonly projectId: string; readonly dataset: string; readonly apiVersion: string; readonly mode: ExportMode }
  readonly tool: { readonly name: 'sanity-backup'; readonly version: string }
  readonly run: Run | null
  /** Of an encrypted snapshot numbers. */
  readonly filters: Filters | SealedFilters
  readonly documents: {
    readonly count: number
    readonly drafts: number
    readonly versions: number
    readonly excluded: number
    readonly byType: Readonly<Record<string, number>>
    readonly liveCountBefore: number
    readonly liveCountAfter: number
    readonly contentDigest: SumDigest
  }
  readonly assets: {
    readonly included: boolean
    readonly count: number
    readonly sizeBytes: number
    readonly reused: number
    /** Of an encrypted snapshot their number. */
    readonly missing: readonly MissingAsset[] | number
  }
  readonly access: { readonly fullRead: boolean | null }
  readonly encryption: Encryption | null
  /** Up to 30 snapshots that came before at the same destination, the newest first. */
  readonly recent?: readonly RecentSnapshot[]
  /** Only in a snapshot on a branch that has its documents in files of their own. */
  readonly branch?: { readonly layout: 'text'; readonly depth: Depth }
  readonly files: readonly FileEntry[]
}

/** How the files of a snapshot are encrypted, and for whom: age's public keys, long ones cut. */
type Encryption = { readonly format: string; readonly recipients: readonly string[] }

/** What a manifest keeps of a snapshot that came before. */
export type RecentSnapshot = { readonly snapshot: string; readonly takenAt: string; readonly documents: number; readonly sizeBytes: number }

/** The filters of an encrypted snapshot: how many entries each list has, and a digest that tells equal filters from others. */
export type SealedFilters = {
  readonly includeDrafts: boolean
  readonly types: number
  readonly excludeTypes: number
  readonly excludeIds: number
  readonly digest: string
}

/**
 * A manifest as it was read: each value that is there is of its type. Older versions, and other programs, may leave out what no reader needs; of an
 * encrypted snapshot the lists are numbers.
 */
export type StoredManifest = Pick<Manifest, 'snapshot' | 'takenAt' | 'files'> &
  Partial<Pick<Manifest, 'label' | 'shard' | 'finishedAt' | 'complete' | 'run' | 'access' | 'encryption' | 'branch' | 'recent'>> & {
    readonly format: string
    readonly source: Needed<Manifest['source'], 'projectId' | 'dataset'>
    readonly tool?: { readonly name: string; readonly version: string }
    readonly filters?: Filters | SealedFilters
    readonly documents: Needed<Manifest['documents'], 'count' | 'byType' | 'contentDigest'>
    readonly assets?: Needed<Manifest['assets'], 'count'>
  }

type Needed<Value, Keys extends keyof Value> = Pick<Value, Keys> & Partial<Value>

/**
 * An asset whose file could not be saved. `status` is the last answer of the asset host: 200 if the bytes that came were wrong or too few, 0 if
 * there was no answer, or nothing that could be asked for.
 */
export type MissingAsset = { readonly id: string; readonly url: string; readonly status: number }

/** How many files of assets a snapshot lacks. */
export function missingCount({ missing }: Pick<Manifest['assets'], 'missing'>): number {
  return typeof missing === 'number' ? missing : missing.length
}

/** How the documents were fetched: in one request, as they were at one moment, or page by page. */
export type ExportMode = 'stream' | 'cursor'

/** The workflow run that made a snapshot. */
export type Run = {
  readonly repository: string
  readonly runId: string
  readonly runAttempt: number
  readonly event: string
  readonly sha: string
}

/** The manifest as the bytes of its file: two-space JSON, keys in the order of the type. */
export function printManifest(manifest: Manifest | StoredManifest): Buffer {
  return Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`)
}
