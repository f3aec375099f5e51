import { isDeepStrictEqual } from 'node:util'
import { attributes, attributesFile, documentPath } from '../../format/branch-layout.ts'
import { joinDocument } from '../../format/document-file.ts'
import { manifestFile, printManifest, type StoredManifest } from '../../format/manifest.ts'
import { digestOf, sumDigest } from '../../streams/digest.ts'
import { quoteOutside } from '../../text.ts'
import { documentIn } from './documents.ts'
import { manifestOrReason } from './newest-first.ts'

/** Whether a file is a document of a snapshot that has its documents in files of their own. */
function isDocumentFile({ branch }: StoredManifest, path: string): boolean {
  return branch !== undefined && path.startsWith('documents/')
}

/**
 * Compares the files of a snapshot as it lies on a branch with its manifest, one after the other: `add` each, in any order, then ask for what is
 * wrong with them. Of a snapshot whose data file is in parts the parts are compared.
 */
export function fileCheck(manifest: StoredManifest): {
  readonly add: (path: string, content: Buffer) => void
  readonly findings: () => string[]
} {
  const missing = new Map(manifest.files.map((file) => [file.path, file]))
  const wrong: string[] = []
  const sum = sumDigest()
  let count = 0
  let hasManifest = false

  const addDocument = (path: string, content: Buffer): void => {
    const line = joinDocument(content)
    count++
    sum.add(line)
    if (pathOf(line, manifest.branch?.depth ?? 1) !== path) wrong.push(`${quoteOutside(path)} is not the document of that name`)
  }

  return {
    add: (path, content) => {
      if (isDocumentFile(manifest, path)) return addDocument(path, content)
      if (path === manifestFile) {
        hasManifest = true
        if (!isManifest(content, manifest)) wrong.push(`${manifestFile} is not the one that was written`)
        return
      }
      if (path === attributesFile) {
        // Restore points of older versions lack it.
        if (!content.equals(attributes)) wrong.push(`${attributesFile} is not the one that was written`)
        return
      }
      const entry = missing.get(path)
      missing.delete(path)
      if (entry === undefined) wrong.push(`${quoteOutside(path)} is not listed in the manifest`)
      else if (digestOf(content) !== entry.digest) wrong.push(`${quoteOutside(path)} has another digest`)
    },
    findings: () => {
      const { count: expected, contentDigest } = manifest.documents
      const differ = manifest.branch !== undefined && (count !== expected || sum.result() !== contentDigest)
      return [
        ...(hasManifest ? [] : [`${manifestFile} is missing`]),
        ...[...missing.keys()].map((path) => `${quoteOutside(path)} is missing`),
        ...(differ ? [`there are not the ${expected} documents that the manifest describes (${count} files)`] : []),
        ...wrong,
      ]
    },
  }
}

/** The very bytes, or, of one that a newer version wrote, the same but for keys that this version does not know. */
function isManifest(content: Buffer, manifest: StoredManifest): boolean {
  return content.equals(printManifest(manifest)) || isDeepStrictEqual(manifestOrReason(content, 'on the branch'), manifest)
}

function pathOf(line: Buffer, depth: 1 | 2): string | undefined {
  try {
    return documentPath(documentIn(line), depth)
  } catch {
    return undefined
  }
}
