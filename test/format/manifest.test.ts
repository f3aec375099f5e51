import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { BackupError } from '../../src/errors.ts'
import { parseManifest, printManifest } from '../../src/format/manifest.ts'
import { exampleManifest } from '../support/example.ts'
import { ROOT } from '../support/process.ts'

const [entry] = exampleManifest.files

describe('printManifest', () => {
  it('is undone by parseManifest', () => {
    expect(parseManifest(printManifest(exampleManifest))).toEqual(exampleManifest)
  })

  it('prints two-space JSON with a line feed at the end', () => {
    const text = String(printManifest(exampleManifest))
    expect(text).toBe(`${JSON.stringify(exampleManifest, null, 2)}\n`)
    expect(text.split('\n').slice(0, 3)).toEqual([
      '{',
      '  "format": "sanity-backup/1",',
      '  "snapshot": "abc12345-production-20261122T081500Z",',
    ])
  })

  it('has the keys in the order in which the snapshots of test/vectors were written', () => {
    const golden = JSON.parse(readFileSync(join(ROOT, 'test/vectors/good-gzip/manifest.json'), 'utf8')) as Record<string, object>
    const keys = (value: Record<string, object | null>) =>
      Object.entries(value).map(([key, inner]) => [key, key === 'byType' ? [] : Object.keys(inner ?? {})])
    const asWritten = JSON.parse(String(printManifest(exampleManifest))) as Record<string, object>
    expect(Object.keys(golden)).toEqual(
      'format snapshot label shard takenAt finishedAt complete source tool run filters documents assets access encryption files'.split(' '),
    )
    expect(keys({ ...asWritten, snapshot: null, takenAt: null, finishedAt: null, tool: null, run: null, format: null })).toEqual(
      keys({ ...golden, snapshot: null, takenAt: null, finishedAt: null, tool: null, run: null, format: null }),
    )
  })

  it('gives back any texts and numbers that it was given', () => {
    const anything = fc.record({
      label: fc.option(fc.string({ unit: 'binary' })),
      byType: fc.dictionary(fc.string({ unit: 'binary' }), fc.nat()),
      count: fc.maxSafeNat(),
    })
    fc.assert(
      fc.property(anything, ({ label, byType, count }) => {
        const manifest = { ...exampleManifest, label, documents: { ...exampleManifest.documents, byType, count } }
        expect(printManifest(parseManifest(printManifest(manifest))).equals(printManifest(manifest))).toBe(true)
      }),
      { numRuns: 300 },
    )
  })
})

describe('parseManifest', () => {
  it.each([
    { name: 'a minor version of the format', change: { format: 'sanity-backup/1.7' } },
    { name: 'keys that it does not know', change: { future: { a: [1] }, another: null } },
    { name: 'a fraction of a second', change: { takenAt: '2026-11-22T08:15:00.123Z' } },
    { name: 'no files', change: { files: [] } },
    { name: 'a file without content', change: { files: [{ path: 'a', sizeBytes: 0, digest: entry?.digest }] } },
    { name: 'files in folders', change: { files: [{ ...entry, path: 'assets/images/0a-1x1.png' }] } },
    { name: 'a file with keys that it does not know', change: { files: [{ ...entry, future: true }] } },
  ])('reads $name', ({ change }) => {
    expect(parseManifest(json({ ...exampleManifest, ...change }))).toMatchObject(change)
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
