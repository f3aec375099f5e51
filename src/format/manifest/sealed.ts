import { digestOf } from '../../streams/digest.ts'
import { type Filters, filtersKey } from './filters.ts'
import type { FileEntry, Manifest, MissingAsset, SealedFilters, StoredManifest } from './manifest.ts'

/** Encrypted snapshots: every file but the manifest is an age file, and the manifest leaves out what is nobody else's business. */

/** What the name of an encrypted file ends in. */
const extension = '.age'

/** The name of a file once it is encrypted. */
export function sealedName(path: string): string {
  return `${path}${extension}`
}

/** Whether a file of a snapshot is encrypted. */
export function isSealed({ path }: Pick<FileEntry, 'path'>): boolean {
  return path.endsWith(extension)
}

/** The name of a file once it is opened. One that was never encrypted keeps its name. */
export function plainName(path: string): string {
  return path.endsWith(extension) ? path.slice(0, -extension.length) : path
}

/** The file that holds what the manifest of an encrypted snapshot leaves out; encrypted in its turn. */
export const detailsFile = 'details.json'

/** What the manifest of an encrypted snapshot leaves out. */
export type Details = {
  readonly filters: Filters
  readonly byType: Readonly<Record<string, number>>
  readonly missing: readonly MissingAsset[]
}

/** The manifest of a snapshot whose files anybody may read. */
export type PlainManifest = Omit<Manifest, 'filters' | 'assets'> & {
  readonly filters: Filters
  readonly assets: Omit<Manifest['assets'], 'missing'> & { readonly missing: readonly MissingAsset[] }
}

/** The bytes of the file of details. The same details give the same bytes. */
export function printDetails({ filters, documents: { byType }, assets: { missing } }: PlainManifest): Buffer {
  return Buffer.from(`${JSON.stringify({ filters, byType, missing } satisfies Details, null, 2)}\n`)
}

/** The manifest of the same snapshot encrypted to recipients: without ids, types and URLs. `details` is the entry of the encrypted file of details. */
export function sealManifest(manifest: PlainManifest, recipients: readonly string[], details: FileEntry): Manifest {
  const { filters, documents, assets, files } = manifest
  return {
    ...manifest,
    filters: sealFilters(filters),
    documents: { ...documents, byType: {} },
    assets: { ...assets, missing: assets.missing.length },
    encryption: { format: 'age/v1', recipients: recipients.map(shortRecipient) },
    files: [...files, details],
  }
}

/** The manifest of an encrypted snapshot together with what it leaves out; that it is encrypted still stands in it. */
export function openManifest(manifest: StoredManifest, { filters, byType, missing }: Details): StoredManifest {
  const { documents, assets } = manifest
  return { ...manifest, filters, documents: { ...documents, byType }, ...(assets ? { assets: { ...assets, missing } } : {}) }
}

/** Whether the filters that a manifest tells are those of its details. */
export function areFiltersOf(told: StoredManifest['filters'], filters: Filters): boolean {
  if (told === undefined) return true
  if (!('digest' in told)) return filtersKey(told) === filtersKey(filters)
  const sealed = sealFilters(filters)
  return (Object.keys(sealed) as (keyof SealedFilters)[]).every((key) => sealed[key] === told[key])
}

function sealFilters(filters: Filters): SealedFilters {
  const { includeDrafts, types, excludeTypes, excludeIds } = filters
  return {
    includeDrafts,
    types: types.length,
    excludeTypes: excludeTypes.length,
    excludeIds: excludeIds.length,
    digest: digestOf(Buffer.from(filtersKey(filters))),
  }
}

const longest = 64
const shown = 32

/** A recipient as a manifest names it: hybrid ones are too long to be read. */
function shortRecipient(recipient: string): string {
  return recipient.length > longest ? `${recipient.slice(0, shown)}…` : recipient
}

type Encrypted = Pick<StoredManifest, 'encryption'>

/** Whom a snapshot is encrypted to, and the other is not; what stands in both is left out. Of a snapshot in the clear: nobody. */
export function recipientsLost(from: Encrypted, to: Encrypted): readonly string[] {
  const there = new Set(to.encryption?.recipients)
  return (from.encryption?.recipients ?? []).filter((recipient) => !there.has(recipient))
}

/** Whether two snapshots can be opened by the same people: both by anybody, or both by the holders of the same keys. */
export function sameRecipients(one: Encrypted, other: Encrypted): boolean {
  return recipientsLost(one, other).length === 0 && recipientsLost(other, one).length === 0
}
