import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { BackupError } from '../../../src/errors.ts'
import { printManifest } from '../../../src/format/manifest/manifest.ts'
import { parseManifest } from '../../../src/format/manifest/parse-manifest.ts'
import { exampleManifest } from '../../support/example.ts'

const [entry] = exampleManifest.files

/** Numbers stand in the place of lists. */
const sealed = {
  filters: { includeDrafts: true, types: 0, excludeTypes: 0, excludeIds: 4, digest: `sha256:${'3d'.repeat(32)}` },
  documents: { ...exampleManifest.documents, byType: {} },
  assets: { ...exampleManifest.assets, missing: 2 },
  encryption: { format: 'age/v1', recipients: ['age1abc'] },
}

describe('parseManifest', () => {
  it.each([
    { name: 'a minor version of the format', change: { format: 'sanity-backup/1.7' } },
    { name: 'a fraction of a second', change: { takenAt: '2026-11-22T08:15:00.123Z' } },
    { name: 'no files', change: { files: [] } },
    { name: 'a file without content', change: { files: [{ path: 'a', sizeBytes: 0, digest: entry?.digest }] } },
    { name: 'files in folders', change: { files: [{ ...entry, path: 'assets/images/0a-1x1.png' }] } },
    { name: 'one that is encrypted', change: sealed },
    { name: 'its predecessors', change: { recent: [{ snapshot: 'a', takenAt: '2026-11-21T08:15:00Z', documents: 3, sizeBytes: 9 }] } },
    { name: 'documents in files of their own', change: { branch: { layout: 'text', depth: 2 } } },
  ])('reads $name', ({ change }) => {
    expect(parseManifest(json({ ...exampleManifest, ...change }))).toMatchObject(change)
  })

  it('leaves out keys that it does not know, at each depth', () => {
    const { documents, source } = exampleManifest
    const change = { future: { a: [1] }, documents: { ...documents, x: 1 }, source: { ...source, x: 1 }, files: [{ ...entry, x: 1 }] }
    expect(parseManifest(json({ ...exampleManifest, ...change }))).toEqual(exampleManifest)
  })

  it('reads one without what no reader needs', () => {
    const { snapshot, format, takenAt, source, documents, files } = exampleManifest
    const { byType: _, ...counted } = documents
    const least = { snapshot, format, takenAt, source, documents: counted, files }
    expect(parseManifest(json(least))).toEqual({ ...least, documents: { ...counted, byType: {} } })
  })

  const digest = `sha256:${'1b'.repeat(32)}`
  it.each([
    {
      name: 'the next major version',
      bytes: json({ ...exampleManifest, format: 'sanity-backup/2' }),
      says: 'of a format that this version does not know',
    },
    {
      name: 'version 10',
      bytes: json({ ...exampleManifest, format: 'sanity-backup/10' }),
      says: 'of a format that this version does not know',
    },
    {
      name: 'another format',
      bytes: json({ ...exampleManifest, format: 'sanity-export/1' }),
      says: 'of a format that this version does not know',
    },
    {
      name: 'a format in other letters',
      bytes: json({ ...exampleManifest, format: 'Sanity-Backup/1' }),
      says: 'of a format that this version does not know',
    },
    { name: 'no format', bytes: json({ ...exampleManifest, format: undefined }), says: 'it names no format' },
    { name: 'a number as format', bytes: json({ ...exampleManifest, format: 1 }), says: 'it names no format' },
    { name: 'an array', bytes: json([exampleManifest]), says: 'it names no format' },
    { name: 'null', bytes: json(null), says: 'it names no format' },
    { name: 'nothing', bytes: Buffer.alloc(0), says: 'it is not JSON' },
    { name: 'half of it', bytes: printManifest(exampleManifest).subarray(0, 500), says: 'it is not JSON' },
    { name: 'invalid UTF-8', bytes: Buffer.from(JSON.stringify({ ...exampleManifest, label: 'ü' }), 'latin1'), says: 'it is not JSON' },
    { name: 'no name', bytes: json({ ...exampleManifest, snapshot: undefined }), says: 'its name or time is missing' },
    { name: 'a time that is none', bytes: json({ ...exampleManifest, takenAt: 'yesterday' }), says: 'its name or time is missing' },
    ...['2026-11-22 (a comment)', '2026-11-22T08:15:00', '2026-11-22', '2026-11-22T08:15:00+01:00', '2026-02-31T08:15:00Z', '1'].map(
      (takenAt) => ({
        name: `the time ${takenAt}`,
        bytes: json({ ...exampleManifest, takenAt }),
        says: 'its name or time is missing or is none',
      }),
    ),
    ...['', 'a b', 'a\n::error::x', '$(id)', 'ü', 'a/b', 'x'.repeat(251)].map((snapshot) => ({
      name: `the name ${JSON.stringify(snapshot)}`,
      bytes: json({ ...exampleManifest, snapshot }),
      says: 'its name or time is missing or is none',
    })),
    ...[['a', 'a/b'], ['a/b', 'a/b/c/d'], ['manifest.json/x'], ['manifest.json'], ['a', 'a']].map((paths) => ({
      name: `the files ${paths.join(' and ')}`,
      bytes: json({ ...exampleManifest, files: paths.map((path) => ({ ...entry, path })) }),
      says: 'two of its files have one name, one is below another, or one is the manifest.json',
    })),
    ...['n'.repeat(256), `${'a/'.repeat(600)}a`].map((path) => ({
      name: `a path of ${path.length} characters`,
      bytes: withFile({ path }),
      says: 'its list of files is damaged',
    })),
    { name: 'no source', bytes: json({ ...exampleManifest, source: null }), says: 'its source is missing' },
    { name: 'no project', bytes: json({ ...exampleManifest, source: { dataset: 'production' } }), says: 'its source is missing' },
    { name: 'no documents', bytes: json({ ...exampleManifest, documents: [] }), says: 'its documents are not counted' },
    { name: 'a negative count', bytes: withDocuments({ count: -1 }), says: 'its documents are not counted' },
    { name: 'a count that is a string', bytes: withDocuments({ count: '2' }), says: 'its documents are not counted' },
    { name: 'a fraction of a document', bytes: withDocuments({ count: 1.5 }), says: 'its documents are not counted' },
    {
      name: 'a digest of the documents that is short',
      bytes: withDocuments({ contentDigest: 'sumsha256:0a' }),
      says: 'its documents are not counted',
    },
    {
      name: 'a digest of the documents of another kind',
      bytes: withDocuments({ contentDigest: digest }),
      says: 'its documents are not counted',
    },
    ...[null, [], 'post', { post: -1 }, { post: '2' }].map((byType) => ({
      name: `types counted as ${JSON.stringify(byType)}`,
      bytes: withDocuments({ byType }),
      says: 'its types are not counted',
    })),
    ...[
      { label: 5 },
      { shard: { index: 1 } },
      { shard: { index: 0, of: 0 } },
      { shard: { index: 1, of: 0 } },
      { shard: { index: 0, of: 1 } },
      { shard: { index: 3, of: 2 } },
      { shard: { index: 1, of: 257 } },
      { finishedAt: 'late' },
      { complete: 'yes' },
      { tool: null },
      { run: { repository: 'acme/site' } },
      { filters: { ...exampleManifest.filters, types: 'post' } },
      { filters: { ...exampleManifest.filters, types: 1 } },
      { access: { fullRead: 'maybe' } },
      { encryption: { format: 'age/v1' } },
      { branch: { layout: 'text', depth: 3 } },
      { recent: [{}] },
    ].map((change) => ({
      name: JSON.stringify(change),
      bytes: json({ ...exampleManifest, ...change }),
      says: `its key "${Object.keys(change)[0]}" is damaged`,
    })),
    { name: 'assets that are null', bytes: json({ ...exampleManifest, assets: null }), says: 'its assets are not counted' },
    { name: 'no list of files', bytes: json({ ...exampleManifest, files: {} }), says: 'its list of files is damaged' },
    { name: 'a file that is null', bytes: json({ ...exampleManifest, files: [null] }), says: 'its list of files is damaged' },
    { name: 'a file without digest', bytes: withFile({ digest: undefined }), says: 'its list of files is damaged' },
    { name: 'a digest in capital letters', bytes: withFile({ digest: digest.toUpperCase() }), says: 'its list of files is damaged' },
    { name: 'a digest with a line feed', bytes: withFile({ digest: `${digest}\n` }), says: 'its list of files is damaged' },
    { name: 'a size that is none', bytes: withFile({ sizeBytes: null }), says: 'its list of files is damaged' },
    { name: 'a size of content that is none', bytes: withFile({ contentBytes: -5 }), says: 'its list of files is damaged' },
    { name: 'a digest of content that is none', bytes: withFile({ contentDigest: 5 }), says: 'its list of files is damaged' },
    ...['', '/etc/passwd', '../x', 'a/../../x', 'a//b', 'a/', './a', '...', 'a\\b', 'C:x', 'a\nb', 'a\0b', 'ü'].map((path) => ({
      name: `the path ${JSON.stringify(path)}`,
      bytes: withFile({ path }),
      says: 'its list of files is damaged',
    })),
  ])('refuses $name', ({ bytes, says }) => {
    expect(refusalOf(bytes)).toMatchObject({ code: 'snapshot-invalid', message: expect.stringContaining(says) })
  })

  it('throws nothing but snapshot-invalid, whatever the bytes', () => {
    const anyBytes = fc.oneof(
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      fc.json().map((text) => Buffer.from(text)),
      // A manifest with anything in the place of one of its values.
      fc
        .tuple(fc.constantFrom(...Object.keys(exampleManifest)), fc.jsonValue())
        .map(([key, value]) => json({ ...exampleManifest, [key]: value })),
    )
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        expect(['read', 'snapshot-invalid']).toContain(outcomeOf(bytes))
      }),
      { numRuns: 10_000 },
    )
  })
})

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value))
}

function withDocuments(change: object): Buffer {
  return json({ ...exampleManifest, documents: { ...exampleManifest.documents, ...change } })
}

function withFile(change: object): Buffer {
  return json({ ...exampleManifest, files: [{ ...entry, ...change }] })
}

/** What a manifest is refused with; undefined if it is read. */
function refusalOf(bytes: Buffer): unknown {
  try {
    parseManifest(bytes)
    return undefined
  } catch (error) {
    return error
  }
}

function outcomeOf(bytes: Buffer): unknown {
  const refusal = refusalOf(bytes)
  if (refusal === undefined) return 'read'
  return refusal instanceof BackupError ? refusal.code : refusal
}
