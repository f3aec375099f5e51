import { createReadStream } from 'node:fs'
import type { FileEntry, Manifest } from '../../format/manifest/manifest.ts'
import { type Digest, digester } from '../../streams/digest.ts'
import { scanDocument } from '../../streams/json/scan.ts'
import { placedLines } from './document-lines.ts'

/** A document as a snapshot holds it: `line` is its bytes without the line feed. */
export type StoredDocument = { readonly id: string; readonly type: string; readonly line: Buffer }

/** The data file of a snapshot; undefined if its documents lie in files of their own. */
export function findDataFile({ files }: Pick<Manifest, 'files'>): FileEntry | undefined {
  return files.find(({ path }) => /^data\.ndjson\.[a-z]+(\.age)?$/.test(path))
}

/** Streams the documents of a snapshot's data file that is not encrypted, in batches. Throws if they cannot be unpacked. */
export async function* readDocuments(folder: string, { path }: FileEntry): AsyncGenerator<StoredDocument[]> {
  for await (const lines of placedLines({ folder, path })) yield lines.map(({ line }) => documentIn(line))
}

/** A document's line with what its path is made of. */
function documentIn(line: Buffer): StoredDocument {
  const scanned = scanDocument(line)
  if (scanned === undefined) throw new SyntaxError('a line of the snapshot is no document')
  return { ...scanned, line }
}

/** The digest of a part of a file. */
export async function digestOfFile(file: string, { start, end }: { readonly start: number; readonly end: number }): Promise<Digest> {
  const digest = digester()
  if (end > start) {
    const chunks = createReadStream(file, { start, end: end - 1, highWaterMark: 256 * 1024 }) as AsyncIterable<Buffer>
    for await (const chunk of chunks) digest.update(chunk)
  }
  return digest.result().digest
}
