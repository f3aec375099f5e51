import { BackupError } from '../errors.ts'
import { type Digest, isDigest, type SumDigest } from '../streams/digest.ts'
import type { Shard } from './asset-id.ts'
import type { Depth } from './branch-layout.ts'
import type { Filters } from './filters.ts'

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
  readonly filters: Filters
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
    readonly missing: readonly MissingAsset[]
  }
  readonly access: { readonly fullRead: boolean | null }
  readonly encryption: null
  /** Only in a snapshot on a branch that has its documents in files of their own. */
  readonly branch?: { readonly layout: 'text'; readonly depth: Depth }
  readonly files: readonly FileEntry[]
}

/**
 * An asset whose file could not be saved. `status` is the last answer of the asset host: 200 if the bytes that came were wrong or too few, 0 if
 * there was no answer, or nothing that could be asked for.
 */
export type MissingAsset = { readonly id: string; readonly url: string; readonly status: number }

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
export function printManifest(manifest: Manifest): Buffer {
  return Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`)
}

/**
 * Reads the bytes of a manifest. Throws `snapshot-invalid` if they are not JSON, of a format whose major this version does not know, or lack
 * what a reader needs: names, counts, and the files with their sizes and digests.
 */
export function parseManifest(bytes: Buffer): Manifest {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw invalid('it is not JSON', error)
  }
  if (!isObject(value) || typeof value['format'] !== 'string') throw invalid('it names no format')
  if (!/^sanity-backup\/1(\.|$)/.test(value['format'])) throw invalid('it is of a format that this version does not know')
  const { snapshot, takenAt, source, documents, assets, files } = value
  if (typeof snapshot !== 'string' || typeof takenAt !== 'string' || Number.isNaN(Date.parse(takenAt)))
    throw invalid('its name or time is missing')
  if (!isObject(source) || typeof source['projectId'] !== 'string' || typeof source['dataset'] !== 'string')
    throw invalid('its source is missing')
  if (!isObject(documents) || !isCount(documents['count']) || !/^sumsha256:[0-9a-f]{64}$/.test(String(documents['contentDigest']))) {
    throw invalid('its documents are not counted')
  }
  // Who has no types to tell leaves it out.
  if (documents['byType'] === undefined) documents['byType'] = {}
  if (!isObject(documents['byType']) || !Object.values(documents['byType']).every(isCount)) throw invalid('its types are not counted')
  if (assets !== undefined && !(isObject(assets) && isCount(assets['count']))) throw invalid('its assets are not counted')
  if (!Array.isArray(files) || !files.every(isFileEntry)) throw invalid('its list of files is damaged')
  return value as Manifest
}

function isFileEntry(value: unknown): value is FileEntry {
  if (!isObject(value)) return false
  const { path, sizeBytes, digest, contentBytes, contentDigest } = value
  return (
    isSafePath(path) &&
    isCount(sizeBytes) &&
    isDigest(digest) &&
    (contentBytes === undefined || isCount(contentBytes)) &&
    (contentDigest === undefined || isDigest(contentDigest))
  )
}

/** A path below the snapshot's folder: nothing in a manifest may lead out of it. */
function isSafePath(value: unknown): boolean {
  return (
    typeof value === 'string' && /^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/.test(value) && !value.split('/').some((part) => /^\.+$/.test(part))
  )
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(why: string, cause?: unknown): BackupError {
  return new BackupError({
    code: 'snapshot-invalid',
    title: 'The snapshot cannot be read',
    message: `Its ${manifestFile} is not that of a snapshot: ${why}.`,
    hint: 'Choose another snapshot. If this one was made by a newer version of sanity-backup, update the action.',
    cause,
  })
}
