import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { indentDocument } from '../../../src/format/document-file.ts'
import type { Manifest } from '../../../src/format/manifest/manifest.ts'
import { documentLines, documentsBelow, type ReadablePart } from '../../../src/snapshot/read/document-lines.ts'
import type { Reading } from '../../../src/snapshot/read/opened.ts'
import { writeData } from '../../../src/snapshot/write/data-file.ts'
import { makeKeys, openerFor, sealerFor } from '../../codec/age-files.ts'
import { exampleManifest } from '../../support/example.ts'
import { rejection, source } from '../../support/feed.ts'
import { makeTempFolder } from '../../support/process.ts'

const ann = await makeKeys('x25519')
const opener = openerFor(ann)
const lines = [
  '{"_id":"a","_type":"post"}',
  `{"_id":"b","_type":"post","text":"${'ü'.repeat(1000)}"}`,
  '{"_id":"c","_type":"post","x":1.0}',
]

type Way = { readonly compression: 'gzip' | 'zstd'; readonly sealed?: boolean; readonly parts?: boolean }

async function written(folder: string, { compression, sealed, parts }: Way): Promise<Manifest> {
  const batches = source([lines.map((line) => Buffer.from(line))]).items
  const { file } = await writeData(folder, { lines: batches, compression, level: 1, sealer: sealed ? await sealerFor(ann) : undefined })
  if (!parts) return { ...exampleManifest, files: [file] }
  const stored = await readFile(join(folder, file.path))
  const cut = [stored.subarray(0, 50), stored.subarray(50)].map((bytes, index) => ({ bytes, path: `${file.path}.00${index + 1}` }))
  for (const { bytes, path } of cut) await writeFile(join(folder, path), bytes)
  const files = cut.map(({ bytes, path }) => ({ path, sizeBytes: bytes.length, digest: file.digest }))
  return { ...exampleManifest, files: files.toReversed() }
}

async function read(part: ReadablePart, reading: Reading) {
  const found: { text: string; path: string; line: number | undefined }[] = []
  for await (const batch of documentLines(part, reading)) {
    for (const { line, place } of batch) found.push({ text: String(line), path: place.path, line: place.line })
  }
  return found
}

describe('the lines of the documents', () => {
  it.each<Way & { name: string; path: string }>([
    { name: 'gzip', compression: 'gzip', path: 'data.ndjson.gz' },
    { name: 'zstd', compression: 'zstd', path: 'data.ndjson.zst' },
    { name: 'gzip in parts', compression: 'gzip', parts: true, path: 'data.ndjson.gz' },
    { name: 'encrypted gzip', compression: 'gzip', sealed: true, path: 'data.ndjson.gz.age' },
    { name: 'encrypted zstd', compression: 'zstd', sealed: true, path: 'data.ndjson.zst.age' },
    { name: 'encrypted gzip in parts', compression: 'gzip', sealed: true, parts: true, path: 'data.ndjson.gz.age' },
  ])('come with their places, byte for byte: $name', async ({ path, ...way }) => {
    await using temp = await makeTempFolder('lines')
    const part = { manifest: await written(temp.path, way), folder: temp.path }
    const expected = lines.map((text, index) => ({ text, path, line: index + 1 }))
    expect(await read(part, { opener })).toEqual(expected)
    expect(await read(part, { opener })).toEqual(expected)
  })

  it('come out of files of their own', async () => {
    await using temp = await makeTempFolder('lines')
    const manifest: Manifest = { ...exampleManifest, branch: { layout: 'text', depth: 1 }, files: [] }
    const files = async function* () {
      for (const [index, line] of lines.entries()) yield { path: `documents/${index}.json`, content: indentDocument(Buffer.from(line)) }
    }
    const part = { manifest, folder: temp.path, documents: { files, paths: async function* () {} } }
    expect(await read(part, {})).toEqual(lines.map((text, index) => ({ text, path: `documents/${index}.json`, line: undefined })))
  })

  it('come out of files of their own in a folder', async () => {
    await using temp = await makeTempFolder('lines')
    const manifest: Manifest = { ...exampleManifest, branch: { layout: 'text', depth: 1 }, files: [] }
    const paths = lines.map((_, index) => `documents/${index}.json`)
    await mkdir(join(temp.path, 'documents'))
    for (const [index, line] of lines.entries()) await writeFile(join(temp.path, paths[index] ?? ''), indentDocument(Buffer.from(line)))
    const documents = documentsBelow(temp.path, manifest, ['manifest.json', ...paths.toReversed()])
    expect(await read({ manifest, folder: temp.path, documents }, {})).toEqual(
      lines.map((text, index) => ({ text, path: paths[index], line: undefined })),
    )
  })

  it('are none in a shard without documents', async () => {
    expect(await read({ manifest: { ...exampleManifest, files: [] }, folder: '/nowhere' }, {})).toEqual([])
  })

  it('do not come without the key, and the reason of the signal is thrown', async () => {
    await using temp = await makeTempFolder('lines')
    const part = { manifest: await written(temp.path, { compression: 'gzip', sealed: true }), folder: temp.path }
    expect(await rejection(read(part, {}))).toMatchObject({ reason: 'unasked' })
    const reason = new Error('enough')
    expect(await rejection(read(part, { opener, signal: AbortSignal.abort(reason) }))).toBe(reason)
  })
})
