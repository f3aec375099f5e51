import { isDeepStrictEqual } from 'node:util'
import { type Finding, fileFinding, findingList } from '../../format/findings/finding.ts'
import { isDocumentFile, listingCheck } from '../../format/findings/listing-check.ts'
import { manifestFile, printManifest, type StoredManifest } from '../../format/manifest/manifest.ts'
import { digestOf } from '../../streams/digest.ts'
import { manifestOrReason } from '../read/newest-first.ts'
import { addDocumentFile } from './document-files.ts'
import { type AddDocument, documentOrFinding, totalsCheck } from './documents.ts'

/**
 * Compares the files of a snapshot as it lies on a branch with its manifest, one after the other: `add` each, in any order, then ask for what is
 * wrong with them. Of a snapshot whose data file is in parts the parts are compared.
 */
export function fileCheck(manifest: StoredManifest): {
  readonly add: (path: string, content: Buffer) => void
  readonly findings: () => Finding[]
} {
  const findings = findingList()
  const listing = listingCheck(manifest, findings)
  const documents = totalsCheck(manifest)
  const digests = new Map(manifest.files.map(({ path, digest }) => [path, digest]))
  const seen = new Set<string>()
  const addDocument: AddDocument = (line, place) => {
    const document = documentOrFinding(line, place, findings)
    documents.add(line, document)
    return document
  }
  return {
    add: (path, content) => {
      listing.add({ path, sizeBytes: content.length })
      if (isDocumentFile(manifest, path)) return addDocumentFile(manifest, { path, content }, { add: addDocument, findings })
      seen.add(path)
      const digest = digests.get(path)
      if (digest === undefined) addWrongFrame(path, content)
      else if (digestOf(content) !== digest) findings.add(fileFinding('digest-differs', path, 'has another digest'))
    },
    findings: () => {
      listing.end()
      if (!seen.has(manifestFile)) findings.add(fileFinding('file-missing', manifestFile, 'is missing'))
      if (manifest.branch) findings.add(...documents.findWrong())
      return findings.result()
    },
  }

  function addWrongFrame(path: string, content: Buffer): void {
    // The attributes are no part of the snapshot: older versions left them out, and what another tool wrote there is mended by the next commit.
    if (path === manifestFile && !isManifest(content, manifest))
      findings.add(fileFinding('digest-differs', path, 'is not the one that was written'))
  }
}

/** The very bytes, or, of one that a newer version wrote, the same but for keys that this version does not know. */
function isManifest(content: Buffer, manifest: StoredManifest): boolean {
  return content.equals(printManifest(manifest)) || isDeepStrictEqual(manifestOrReason(content, 'on the branch'), manifest)
}
