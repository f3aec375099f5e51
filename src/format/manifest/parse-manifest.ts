import { BackupError } from '../../errors.ts'
import { type Digest, isDigest, isSumDigest, type SumDigest } from '../../streams/digest.ts'
import { count, either, listOf, mapOf, oneOf, orNull, record, saying, text, that, time, truth } from './fields.ts'
import { manifestFile, type StoredManifest } from './manifest.ts'
import type { Details } from './sealed.ts'
import { isShard, type Shard } from './shard.ts'

/**
 * Reads the bytes of a manifest into a new value, which holds the known keys only. Throws `snapshot-invalid` if they are not JSON, of a format whose
 * major this version does not know, lack what a reader needs (names, counts, and the files with their sizes and digests), or hold a value of
 * another type than docs/format.md says.
 */
export function parseManifest(bytes: Buffer): StoredManifest {
  const value = parseJson(bytes)
  try {
    const { format } = saying('it names no format', record({ format: text }, {}))(value)
    if (!/^sanity-backup\/1(\.|$)/.test(format)) throw new Error('it is of a format that this version does not know')
    return readManifest(value)
  } catch (error) {
    throw invalid(Error.isError(error) ? error.message : String(error), error)
  }
}

/** Reads the bytes of the file of details of an encrypted snapshot; undefined if they are not what docs/format.md says. */
export function parseDetails(bytes: Buffer): Details | undefined {
  try {
    return readDetails(parseJson(bytes))
  } catch {
    return undefined
  }
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw invalid('it is not JSON', error)
  }
}

const digest = that<Digest>(isDigest)
const sumDigest = that<SumDigest>(isSumDigest)

/** What a name may have at most on most file systems, in bytes; and a path, far below what they take. */
const longestName = 255
const longestPath = 1024

/** A path below the snapshot's folder: nothing in a manifest may lead out of it. */
const safePath = that(
  (value): value is string =>
    typeof value === 'string' &&
    /^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/.test(value) &&
    value.length <= longestPath &&
    !value.split('/').some((part) => part.length > longestName || /^\.+$/.test(part)),
)

const file = record({ path: safePath, sizeBytes: count, digest }, { contentBytes: count, contentDigest: digest })

type File = ReturnType<typeof file>

/** Files that can all lie in one folder, beside the manifest: no two of one name, and none where another has its folder. */
const files = (value: unknown): readonly File[] =>
  saying(
    `two of its files have one name, one is below another, or one is the ${manifestFile}`,
    that((listed): listed is readonly File[] => areApart((listed as readonly File[]).map(({ path }) => path))),
  )(listOf(file)(value))

function areApart(paths: readonly string[]): boolean {
  const taken = new Set([manifestFile, ...paths])
  if (taken.size !== paths.length + 1) return false
  return paths.every((path) => {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) if (taken.has(path.slice(0, end))) return false
    return true
  })
}

const source = record({ projectId: text, dataset: text }, { apiVersion: text, mode: oneOf('stream', 'cursor') })

const run = record({ repository: text, runId: text, runAttempt: count, event: text, sha: text }, {})

const lists = { types: listOf(text), excludeTypes: listOf(text), excludeIds: listOf(text) }
const filters = record({ includeDrafts: truth, ...lists }, {})
const sealedFilters = record({ includeDrafts: truth, types: count, excludeTypes: count, excludeIds: count, digest: text }, {})

const missing = listOf(record({ id: text, url: text, status: count }, {}))
const assets = record({ count }, { included: truth, sizeBytes: count, reused: count, missing: either(missing, count) })

const readDetails = record({ filters, byType: mapOf(count), missing }, {})

/** A snapshot that has no types to tell leaves them out. */
const byType = (value: unknown) => (value === undefined ? {} : mapOf(count)(value))
const documents = record(
  { count, byType: saying('its types are not counted', byType), contentDigest: sumDigest },
  { drafts: count, versions: count, excluded: count, liveCountBefore: count, liveCountAfter: count },
)

/** A name as backups make it: it goes into outputs, and from there into scripts. */
const name = that((value): value is string => typeof value === 'string' && /^[A-Za-z0-9._-]{1,250}$/.test(value))
const nameOrTime = 'its name or time is missing or is none'
const optional = <Value>(key: string, read: (value: unknown) => Value) => saying(`its key "${key}" is damaged`, read)

const numbers = record({ index: count, of: count }, {})
/** One whose numbers are those of no shard would be taken for a part that needs no documents. */
const shard = (value: unknown): Shard => that((numbered): numbered is Shard => isShard(numbered as Shard))(numbers(value))

const readManifest = record(
  {
    format: text,
    snapshot: saying(nameOrTime, name),
    takenAt: saying(nameOrTime, time),
    source: saying('its source is missing', source),
    documents: saying('its documents are not counted', documents),
    files: saying('its list of files is damaged', files),
  },
  {
    label: optional('label', orNull(text)),
    shard: optional('shard', orNull(shard)),
    finishedAt: optional('finishedAt', time),
    complete: optional('complete', truth),
    tool: optional('tool', record({ name: text, version: text }, {})),
    run: optional('run', orNull(run)),
    filters: optional('filters', either(filters, sealedFilters)),
    assets: saying('its assets are not counted', assets),
    access: optional('access', record({ fullRead: orNull(truth) }, {})),
    encryption: optional('encryption', orNull(record({ format: text, recipients: listOf(text) }, {}))),
    branch: optional('branch', record({ layout: oneOf('text'), depth: oneOf(1, 2) }, {})),
    recent: optional('recent', listOf(record({ snapshot: text, takenAt: time, documents: count, sizeBytes: count }, {}))),
  },
)

function invalid(why: string, cause: unknown): BackupError {
  return new BackupError({
    code: 'snapshot-invalid',
    title: 'The snapshot cannot be read',
    message: `Its ${manifestFile} is not that of a snapshot: ${why}.`,
    hint: 'Choose another snapshot. If this one was made by a newer version of sanity-backup, update the action.',
    cause,
  })
}
