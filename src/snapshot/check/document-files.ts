import { documentPath } from '../../format/branch-layout.ts'
import { indentDocument, joinDocument } from '../../format/document-file.ts'
import { type Findings, fileFinding } from '../../format/findings/finding.ts'
import type { StoredManifest } from '../../format/manifest/manifest.ts'
import type { AddDocument } from './documents.ts'

/** Checks a document that has a file of its own: that it is one, that it is the one of that name, and that it is written as all are. */
export function addDocumentFile(
  { branch }: StoredManifest,
  { path, content }: { readonly path: string; readonly content: Buffer },
  { add, findings }: { readonly add: AddDocument; readonly findings: Findings },
): void {
  const line = joinDocument(content)
  const document = add(line, { path, line: undefined })
  if (document === undefined) return
  if (documentPath(document, branch?.depth ?? 1) !== path)
    findings.add(fileFinding('content-differs', path, 'is not the document of that name'))
  else if (!indentDocument(line).equals(content)) findings.add(fileFinding('content-differs', path, 'is not written as a document is'))
}
