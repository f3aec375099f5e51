import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { Manifest } from '../../../src/format/manifest/manifest.ts'
import { checkSnapshot } from '../../../src/snapshot/check/check.ts'
import type { Part } from '../../../src/snapshot/check/part.ts'
import { checkParts } from '../../../src/snapshot/check/parts.ts'
import { digestOf, sumDigest } from '../../../src/streams/digest.ts'
import { finishedSnapshot } from '../../contracts/destination.ts'
import { exampleManifest } from '../../support/example.ts'
import { makeTempFolder, runPeer } from '../../support/process.ts'

const { signal } = new AbortController()
const post = (id: string, rest = '') => `{"_id":"${id}","_type":"post"${rest}}`
const refersTo = (id: string) => `,"to":{"_type":"reference","_ref":"${id}"}`

type Change = { readonly documents?: Partial<Manifest['documents']> } & Partial<Omit<Manifest, 'documents'>>

/** A snapshot of some lines, whose manifest tells the truth but for what is changed. */
async function partOf(folder: string, lines: readonly string[], { documents, ...change }: Change = {}): Promise<Part> {
  const content = Buffer.from(lines.map((line) => `${line}\n`).join(''))
  const stored = gzipSync(content)
  const sum = sumDigest()
  for (const line of lines) sum.add(Buffer.from(line))
  await writeFile(join(folder, 'data.ndjson.gz'), stored)
  const file = {
    path: 'data.ndjson.gz',
    sizeBytes: stored.length,
    digest: digestOf(stored),
    contentBytes: content.length,
    contentDigest: digestOf(content),
  }
  const count = lines.length
  const manifest: Manifest = {
    ...exampleManifest,
    documents: { ...exampleManifest.documents, count, drafts: 0, byType: { post: count }, contentDigest: sum.result(), ...documents },
    files: [file],
    ...change,
  }
  return { manifest, folder, listed: [{ path: file.path, sizeBytes: file.sizeBytes }] }
}

async function findingsIn(lines: readonly string[], change?: Change): Promise<string[]> {
  await using temp = await makeTempFolder('parts')
  const findings = await checkParts([await partOf(temp.path, lines, change)], { level: 'data', shards: undefined, signal })
  return findings.map(({ kind, message }) => `${kind}: ${message}`)
}

describe('the documents of a snapshot', () => {
  it.each([
    { name: 'all are there', lines: [post('a', refersTo('b')), post('b')], says: [] },
    {
      name: 'an id comes twice',
      lines: [post('a'), post('b'), post('a', ',"x":1')],
      says: ['duplicate-id: data.ndjson.gz line 3 has the same id as line 1'],
    },
    {
      name: 'a line is no document',
      lines: [post('a'), '{"secret":"word"}'],
      change: { documents: { byType: { post: 1 }, count: 2 } },
      says: ['line-invalid: data.ndjson.gz line 2 is not a document', 'documents-differ: manifest.json says 2 documents, and 1 by type'],
    },
    {
      name: 'a reference leads nowhere',
      lines: [post('a', refersTo('gone')), post('b')],
      says: ['reference-dangling: data.ndjson.gz line 1 refers to “gone”, which is not in the snapshot'],
    },
    {
      name: 'a reference leads nowhere, and documents were left out',
      lines: [post('a', refersTo('gone')), post('b', refersTo('gone'))],
      change: { documents: { excluded: 1 } },
      says: ['reference-dangling: 1 document that others refer to is not in the snapshot, which leaves some out'],
    },
    {
      name: 'the types are others',
      lines: [post('a'), post('b')],
      change: { documents: { byType: { post: 1, author: 1 } } },
      says: ['documents-differ: manifest.json says how many documents there are of each type, and there are others'],
    },
    {
      name: 'some are drafts',
      lines: [post('drafts.a')],
      says: ['documents-differ: manifest.json says 0 drafts, and there are 1'],
    },
  ])('give what is wrong with them when $name', async ({ lines, change, says }) => {
    expect(await findingsIn(lines, change)).toEqual(says)
  })

  it('give the first twenty findings of a kind, and how many more there are', async () => {
    const found = await findingsIn(Array.from({ length: 1500 }, (_, index) => post(`a${index}`, refersTo(`gone-${index}`))))
    expect([found.length, found.at(-1)]).toEqual([21, 'reference-dangling: There are 1,480 more of this kind'])
  })
})

describe('the check of documents', () => {
  it('keeps at most 50 bytes of each, also where all come twice and refer to what is not there', async () => {
    const { stdout, stderr } = await runPeer(new URL('documents-memory.ts', import.meta.url), { count: 200_000 })
    expect(stderr).toBe('')
    const { bytesEach, findings } = JSON.parse(stdout) as { bytesEach: number; findings: number }
    expect(bytesEach).toBeGreaterThan(0)
    expect(bytesEach).toBeLessThanOrEqual(50)
    expect(findings).toBeLessThan(100)
  })
})

describe('what a manifest says', () => {
  it.each([
    { name: 'two data files', change: { files: ['data.ndjson.gz', 'data.ndjson.zst'] }, kind: 'file-unexpected' },
    { name: 'what has no place in one', change: { files: ['data.ndjson.gz', 'evil.sh'] }, kind: 'file-unexpected' },
    { name: 'no data file', change: { files: [] }, kind: 'file-missing' },
  ])('is doubted when it lists $name', async ({ change, kind }) => {
    await using temp = await makeTempFolder('parts')
    const part = await partOf(temp.path, [post('a')])
    const files = change.files.map((path) => ({ ...part.manifest.files[0]!, path }))
    const listed = [...new Set(change.files)].map((path) => ({ path, sizeBytes: part.manifest.files[0]!.sizeBytes }))
    const findings = await checkParts([{ ...part, manifest: { ...part.manifest, files }, listed }], {
      level: 'structure',
      shards: undefined,
      signal,
    })
    expect(findings.map((each) => each.kind)).toEqual([kind])
  })

  it('is doubted when it lists files of assets, and says nothing of assets', async () => {
    await using temp = await makeTempFolder('parts')
    const part = await partOf(temp.path, [post('a')])
    const [file] = part.manifest.files
    const asset = { ...file!, path: `assets/files/${'0a'.repeat(20)}.txt` }
    const { assets: _, ...rest } = part.manifest
    const manifest = { ...rest, files: [file!, asset] }
    const findings = await checkParts([{ ...part, manifest, listed: [...part.listed, asset] }], {
      level: 'structure',
      shards: undefined,
      signal,
    })
    expect(findings.map(({ message }) => message)).toEqual(['manifest.json says 0 assets, and lists 1 file of them'])
  })

  it('is a warning where it says that it is not complete, and not what is missing', async () => {
    const says = ['assets-missing: The snapshot says itself that files of assets are missing']
    expect(await findingsIn([post('a')], { complete: false })).toEqual(says)
    expect(await findingsIn([post('a')], { complete: false, assets: undefined as never })).toEqual(says)
  })

  it('is a warning where it tells of missing assets, and an error where it also says that it is complete', async () => {
    const assets = { ...exampleManifest.assets, missing: [{ id: 'image-a', url: '', status: 404 }] }
    expect(await findingsIn([post('a')], { assets, complete: false })).toEqual([
      'assets-missing: The snapshot says itself that the files of 1 asset are missing',
    ])
    expect((await findingsIn([post('a')], { assets, complete: true }))[0]).toBe(
      'assets-differ: manifest.json says that nothing is missing, and names 1 asset',
    )
  })
})

describe('a set of shards', () => {
  it('is not good where some of them are encrypted and others are not', async () => {
    await using temp = await makeTempFolder('parts')
    const sealed = await partOf(temp.path, [post('a')], { shard: { index: 1, of: 2 }, encryption: { format: 'age/v1', recipients: [] } })
    const plain = { ...sealed, manifest: { ...sealed.manifest, shard: { index: 2, of: 2 }, encryption: null } }
    const findings = await checkParts([sealed, plain], { level: 'structure', shards: 2, signal })
    expect(findings.map(({ message }) => message)).toContain('Shard 2 is not encrypted, and others of its set are')
  })

  it('never takes documents for granted that no file holds, whatever the shard', async () => {
    await using temp = await makeTempFolder('parts')
    const part = await partOf(temp.path, [post('a')], { shard: { index: 2, of: 2 }, files: [] })
    const findings = await checkParts([{ ...part, listed: [] }], { level: 'data', shards: undefined, signal })
    expect(findings.map(({ message }) => message)).toEqual([
      'manifest.json lists no data file',
      'manifest.json is that of a shard without documents, and says 1 document',
    ])
  })

  it('lacks each shard that is not there, and says of which shard a finding is', async () => {
    await using temp = await makeTempFolder('parts')
    const part = await partOf(temp.path, [post('a'), post('a')], { shard: { index: 1, of: 3 } })
    const findings = await checkParts([part], { level: 'data', shards: 3, signal })
    expect(findings.map(({ message }) => message)).toEqual([
      'Shard 2 of 3 is missing',
      'Shard 3 of 3 is missing',
      'In shard 1: data.ndjson.gz line 2 has the same id as line 1',
    ])
  })
})

describe('a snapshot as it is written', () => {
  it('has no findings, whatever the documents are', async () => {
    const document = fc.record({
      id: fc.uuid(),
      type: fc.constantFrom('post', 'author', 'x y'),
      draft: fc.boolean(),
      value: fc.jsonValue(),
    })
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(document, { selector: ({ id }) => id, maxLength: 30 }), async (documents) => {
        await using temp = await makeTempFolder('written')
        const lines = documents.map(({ id, type, draft, value }) =>
          Buffer.from(JSON.stringify({ _id: draft ? `drafts.${id}` : id, _type: type, value })),
        )
        const { folder, manifestBytes } = await finishedSnapshot(temp.path, { lines })
        expect(await checkSnapshot(folder.path, { level: 'data', manifestBytes, signal })).toEqual([])
        expect(await checkSnapshot(folder.path, { level: 'structure', signal })).toEqual([])
      }),
      { numRuns: 30 },
    )
  })
})
