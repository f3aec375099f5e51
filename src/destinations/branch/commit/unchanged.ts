import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { depthFor } from '../../../format/branch-layout.ts'
import { sameFilters } from '../../../format/compare.ts'
import type { FileEntry, Manifest, StoredManifest } from '../../../format/manifest/manifest.ts'
import { sameRecipients } from '../../../format/manifest/sealed.ts'
import type { Git } from '../../../git/command.ts'
import { blobNameOf } from '../../../git/objects/objects.ts'
import type { BranchTip } from '../tip.ts'
import { type BranchLayout, piecesOf, type SnapshotHere } from './files.ts'

/**
 * Finds the files at the tip of a branch that can stay as they are because they hold what the snapshot holds, in the same layout; undefined if
 * there is anything else to store. Each is proven: it has the name of the blob that it would become, or was read and has the digest that its
 * manifest promises. Documents in files of their own are not among them.
 */
export async function findKept(
  git: Git,
  { manifest: there, before }: BranchTip,
  { folder, manifest, layout }: SnapshotHere,
): Promise<readonly FileEntry[] | undefined> {
  if (there === undefined || !holdsSame(there, manifest, layout)) return undefined
  const pieces = new Map(piecesOf(manifest, layout).map((piece) => [piece.path, piece]))
  for (const file of there.files) {
    const blob = before.get(file.path)
    if (!blob) return undefined
    const piece = pieces.get(file.path)
    // The same content can be compressed in other ways, and in another order.
    if (piece && (await blobNameOf(join(folder, piece.of), piece)) === blob) continue
    if (!(await isWhole(git, blob, file))) return undefined
  }
  return there.files
}

function holdsSame(there: StoredManifest, manifest: Manifest, layout: BranchLayout): boolean {
  const { documents, assets } = manifest
  const depth = layout === 'text' ? depthFor(documents.count) : undefined
  const otherFiles = ({ files }: StoredManifest) => files.filter(({ path }) => !path.startsWith('data.ndjson.'))
  return (
    there.branch?.layout === (layout === 'text' ? 'text' : undefined) &&
    there.branch?.depth === depth &&
    // Whoever is to be able to open the snapshot must be able to open what lies there.
    sameRecipients(there, manifest) &&
    there.documents.count === documents.count &&
    there.documents.contentDigest === documents.contentDigest &&
    there.assets?.included === assets.included &&
    digestsOf(otherFiles(there)) === digestsOf(otherFiles(manifest))
  )
}

function digestsOf(files: readonly FileEntry[]): string {
  // The ledger of the assets may be compressed in another way: what it holds is what counts.
  return JSON.stringify(files.map(({ path, digest, contentDigest }) => [path, contentDigest ?? digest]).toSorted())
}

async function isWhole(git: Git, blob: string, { sizeBytes, digest }: FileEntry): Promise<boolean> {
  const sha256 = createHash('sha256')
  let bytes = 0
  for await (const chunk of git.read(['cat-file', 'blob', blob])) {
    sha256.update(chunk)
    bytes += chunk.length
  }
  return bytes === sizeBytes && digest === `sha256:${sha256.digest('hex')}`
}

/** After so long a manifest is renewed although nothing has changed, so that an old backup is not taken for one that no longer runs. */
const renewedAfterMs = 7 * 24 * 60 * 60 * 1000

/**
 * Whether a new manifest is stored although the same content lies there already:
 * - for a label that is not there yet, since a restore point of that name must exist;
 * - if the filters differ, or the one there lacks values that this version writes: the next backup is compared with them;
 * - if the one there is a week old.
 */
export function needsNewManifest(manifest: Manifest, there: StoredManifest): boolean {
  if (manifest.label !== null && manifest.label !== there.label) return true
  if (!sameFilters(there.filters, manifest.filters) || !holdsSameKeys(there, manifest)) return true
  return Date.parse(manifest.takenAt) - Date.parse(there.takenAt) > renewedAfterMs
}

/** The opposite: the manifest there holds all that a new one would. */
export function saysEnough(there: StoredManifest, manifest: Manifest): there is Manifest {
  return !needsNewManifest(manifest, there)
}

/** Whether each key of a value is in the other as well, with a value of the same kind. Null stands for any. */
function holdsSameKeys(there: unknown, value: unknown): boolean {
  if (value === null) return true
  if (there === null) return typeof value !== 'object'
  if (Array.isArray(value)) return Array.isArray(there)
  if (typeof value !== 'object') return typeof there === typeof value
  return (
    typeof there === 'object' &&
    Object.entries(value).every(([key, inner]) => holdsSameKeys((there as Record<string, unknown>)[key], inner))
  )
}
