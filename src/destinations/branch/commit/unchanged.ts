import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { depthFor } from '../../../format/branch-layout.ts'
import { sameFilters } from '../../../format/compare.ts'
import type { FileEntry, Manifest, StoredManifest } from '../../../format/manifest.ts'
import type { Git } from '../../../git/command.ts'
import { blobNameOf } from '../../../git/objects/objects.ts'
import type { BranchTip } from '../tip.ts'
import { type BranchLayout, type Laying, piecesOf } from './files.ts'

/**
 * Finds the files at the tip of a branch that can stay as they are because they hold what the snapshot holds, in the same layout; undefined if
 * there is anything else to store. Each is proven: it has the name of the blob that would be laid there, or was read and has the digest that its
 * manifest promises. Documents in files of their own are not among them.
 */
export async function findKept(
  git: Git,
  { manifest: there, before }: BranchTip,
  { folder, manifest, layout }: Pick<Laying, 'folder' | 'manifest'> & { readonly layout: BranchLayout },
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
    there.documents.count === documents.count &&
    there.documents.contentDigest === documents.contentDigest &&
    there.assets?.included === assets.included &&
    digestsOf(otherFiles(there)) === digestsOf(otherFiles(manifest))
  )
}

function digestsOf(files: readonly FileEntry[]): string {
  // The ledger of the assets may be compressed anew: what it holds is what counts.
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

/** After so long a manifest is renewed although nothing has changed, so that age can be told from silence. */
const renewedAfterMs = 7 * 24 * 60 * 60 * 1000

/**
 * Whether the manifest is stored although the same content lies there: a restore point with a name must exist, an old one says nothing, and the next
 * night compares with what the manifest says was left out.
 */
export function mustBeSaid(manifest: Manifest, there: StoredManifest): boolean {
  if (manifest.label !== null && manifest.label !== there.label) return true
  if (!sameFilters(there.filters, manifest.filters) || !saysAsMuch(there, manifest)) return true
  return Date.parse(manifest.takenAt) - Date.parse(there.takenAt) > renewedAfterMs
}

/** The opposite: the manifest that lies there says all that a new one would. */
export function staysGood(there: StoredManifest, manifest: Manifest): there is Manifest {
  return !mustBeSaid(manifest, there)
}

/** Whether all that one value says is said by the other as well, in values of the same kind. Null stands for any. */
function saysAsMuch(there: unknown, value: unknown): boolean {
  if (value === null) return true
  if (there === null) return typeof value !== 'object'
  if (Array.isArray(value)) return Array.isArray(there)
  if (typeof value !== 'object') return typeof there === typeof value
  return (
    typeof there === 'object' && Object.entries(value).every(([key, inner]) => saysAsMuch((there as Record<string, unknown>)[key], inner))
  )
}
