import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { joinDocument } from '../../format/document-file.ts'
import { isDocumentFile } from '../../format/findings/listing-check.ts'
import { dataFileOf } from '../../format/findings/manifest-findings.ts'
import type { FileEntry, StoredManifest } from '../../format/manifest/manifest.ts'
import { longestLineBytes, splitLines } from '../../streams/lines.ts'
import { type Reading, type StoredFile, unpackedFile } from './opened.ts'

/** Where a document lies: a line of a file, counted from 1, or, where it is undefined, a file of its own. `path` is below the snapshot's folder. */
export type DocumentPlace = { readonly path: string; readonly line: number | undefined }

/** A document as Sanity sent it: the bytes of its line without the line feed, and where it lies. */
export type PlacedLine = { readonly line: Buffer; readonly place: DocumentPlace }

/** Documents in files of their own. Both may be gone through as often as one likes. */
export type DocumentFiles = {
  readonly paths: () => AsyncIterable<string>
  readonly files: () => AsyncIterable<{ readonly path: string; readonly content: Buffer }>
}

/** A snapshot that was fetched and checked, or one shard of it. `documents`: where each has a file of its own (a branch in the layout `text`). */
export type ReadablePart = {
  readonly manifest: StoredManifest
  readonly folder: string
  readonly documents?: DocumentFiles | undefined
}

/**
 * Streams the documents of a checked snapshot, or of one of its shards (of which the first alone has documents), in batches and in the order in which
 * they lie there: out of a data file, whole or in parts, gzip or zstd, encrypted or not, or out of files of their own. May be gone through as often as
 * one likes. Holds no more than a batch; a line is a view of a larger piece, so copy one that is to be kept.
 *
 * Nothing is checked here but what cannot be read: throws an `AgeError` for a file that no identity opens or that was changed, a line that is too long to be a
 * document, zlib's and the system's errors, and the signal's reason. So what came before is whole only when the end was reached.
 */
export async function* documentLines(part: ReadablePart, reading: Reading = {}): AsyncGenerator<readonly PlacedLine[]> {
  const { manifest, folder, documents } = part
  if (manifest.branch !== undefined && documents !== undefined) {
    for await (const { path, content } of documents.files()) {
      reading.signal?.throwIfAborted()
      yield [{ line: joinDocument(content), place: { path, line: undefined } }]
    }
  }
  for (const { name, parts } of dataFilesIn(manifest)) {
    yield* placedLines({ folder, path: name, parts: parts.map(({ path }) => path) }, reading)
  }
}

/** Streams the lines of one file, opened and unpacked, as `documentLines` does. */
export async function* placedLines(file: StoredFile, reading: Reading = {}): AsyncGenerator<readonly PlacedLine[]> {
  const { path } = file
  let number = 0
  try {
    for await (const { lines } of splitLines(unpackedFile(file, reading), longestLineBytes)) {
      yield lines.map((line) => ({ line, place: { path, line: ++number } }))
    }
  } catch (error) {
    reading.signal?.throwIfAborted()
    throw error
  }
}

/** A data file; `parts` are the files that it lies in, in their order: most often it is one. */
export type DataFile = { readonly name: string; readonly parts: readonly FileEntry[] }

/** The data files that a manifest lists. A sound one lists one, or, where documents have files of their own and for all shards but the first, none. */
export function dataFilesIn({ files }: Pick<StoredManifest, 'files'>): readonly DataFile[] {
  const byName = Map.groupBy(files, ({ path }) => dataFileOf(path))
  return [...byName].flatMap(([name, parts]) => {
    return name === undefined ? [] : [{ name, parts: parts.toSorted((a, b) => (a.path < b.path ? -1 : 1)) }]
  })
}

/** The documents in files of their own below a folder, such as a branch that was checked out; `paths` are all files there, and are listed by themselves. */
export function documentsBelow(folder: string, manifest: StoredManifest, paths: readonly string[]): DocumentFiles {
  const own = paths.filter((path) => isDocumentFile(manifest, path)).toSorted()
  return {
    paths: async function* () {},
    files: async function* () {
      for (const path of own) yield { path, content: await readFile(join(folder, path)) }
    },
  }
}
