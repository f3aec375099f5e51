import { formatCount } from '../../text.ts'
import { attributesFile, documentsFolder, typeInPath } from '../branch-layout.ts'
import { type FileEntry, manifestFile, type StoredManifest } from '../manifest/manifest.ts'
import { type Finding, type Findings, fileFinding } from './finding.ts'
import { typeCounts } from './type-counts.ts'

/** A file that is there. `sizeBytes` is undefined where it cannot be known without fetching the file. */
export type ListedFile = { readonly path: string; readonly sizeBytes: number | undefined }

/** Whether a file is a document of a snapshot that has its documents in files of their own. */
export function isDocumentFile({ branch }: StoredManifest, path: string): boolean {
  return branch !== undefined && path.startsWith(`${documentsFolder}/`)
}

/** Compares the names and sizes of the files that are there with the manifest: `add` each, in any order, then `end`. */
export function listingCheck(
  manifest: StoredManifest,
  findings: Findings,
): {
  readonly add: (file: ListedFile) => void
  /** Tells what is missing, and gives the files whose bytes are worth a look: they are there, and of the right size. */
  readonly end: () => FileEntry[]
} {
  const waiting = new Map(manifest.files.map((file) => [file.path, file]))
  const types = typeCounts(manifest)
  // Snapshots that come from a branch bring the file along that git reads there.
  const framing = new Set([manifestFile, attributesFile])
  const good = new Set<string>()
  let documents = 0

  const add = ({ path, sizeBytes }: ListedFile): void => {
    if (isDocumentFile(manifest, path)) {
      documents++
      types.add(typeInPath(path) ?? '')
      return
    }
    const entry = waiting.get(path)
    waiting.delete(path)
    if (entry === undefined) {
      if (!framing.has(path)) findings.add(fileFinding('file-unexpected', path, 'is not listed in the manifest'))
      else framing.delete(path)
    } else if (sizeBytes !== undefined && sizeBytes !== entry.sizeBytes) {
      const says = `has ${formatCount(sizeBytes)} bytes instead of ${formatCount(entry.sizeBytes)}`
      findings.add(fileFinding('size-differs', path, says))
    } else good.add(path)
  }

  const end = (): FileEntry[] => {
    for (const path of waiting.keys()) findings.add(fileFinding('file-missing', path, 'is missing'))
    if (manifest.branch !== undefined) findings.add(...wrongDocuments(manifest, { documents, typesDiffer: types.differ() }))
    return [...new Map(manifest.files.filter(({ path }) => good.has(path)).map((entry) => [entry.path, entry])).values()]
  }

  return { add, end }
}

/** What is wrong with how many documents lie there in files of their own. */
function wrongDocuments(
  { documents: { count } }: StoredManifest,
  { documents, typesDiffer }: { readonly documents: number; readonly typesDiffer: boolean },
): Finding[] {
  const differ = (says: string) => [fileFinding('documents-differ', manifestFile, says)]
  if (documents !== count) return differ(`says ${formatCount(count)} documents, and ${formatCount(documents)} lie there`)
  return typesDiffer ? differ('gives numbers for each type that differ from the files found') : []
}
