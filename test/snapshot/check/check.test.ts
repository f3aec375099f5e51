import { createHash } from 'node:crypto'
import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync, gzipSync, zstdDecompressSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import type { Finding } from '../../../src/format/findings/finding.ts'
import { type Manifest, printManifest } from '../../../src/format/manifest/manifest.ts'
import { parseManifest } from '../../../src/format/manifest/parse-manifest.ts'
import { checkSnapshot } from '../../../src/snapshot/check/check.ts'
import { digestOf } from '../../../src/streams/digest.ts'
import { rejection } from '../../support/feed.ts'
import { makeTempFolder, ROOT } from '../../support/process.ts'

const { signal } = new AbortController()
const vectors = join(ROOT, 'test/vectors')

describe('the golden vectors', () => {
  it.each([
    { vector: 'good-gzip', kinds: [] },
    { vector: 'good-zstd', kinds: [] },
    { vector: 'empty', kinds: [] },
    { vector: 'truncated', kinds: ['size-differs'] },
    { vector: 'wrong-digest', kinds: ['digest-differs'] },
    { vector: 'wrong-count', kinds: ['documents-differ', 'documents-differ'] },
    { vector: 'extra-file', kinds: ['file-unexpected'] },
    { vector: 'two-members', kinds: ['content-unreadable'] },
    { vector: 'duplicate-id', kinds: ['duplicate-id'] },
  ])('$vector has the findings $kinds', async ({ vector, kinds }) => {
    expect((await check(join(vectors, vector))).map(({ kind }) => kind)).toEqual(kinds)
  })

  it('future-version is refused', async () => {
    expect(await rejection(check(join(vectors, 'future-version')))).toMatchObject({ code: 'snapshot-invalid' })
  })

  it.each([
    { vector: 'good-gzip', file: 'data.ndjson.gz', unpack: gunzipSync },
    { vector: 'good-zstd', file: 'data.ndjson.zst', unpack: zstdDecompressSync },
    { vector: 'empty', file: 'data.ndjson.gz', unpack: gunzipSync },
  ])('$vector can be proven by docs/format.md alone', async ({ vector, file, unpack }) => {
    const manifest = JSON.parse(await readFile(join(vectors, vector, 'manifest.json'), 'utf8')) as Manifest
    const stored = await readFile(join(vectors, vector, file))
    const content = unpack(stored)
    const lines = content.toString('latin1').split('\n').slice(0, -1)
    const sum = lines.reduce((total, line) => total + BigInt(`0x${sha256(Buffer.from(line, 'latin1'))}`), 0n) % 2n ** 256n
    expect(manifest.files).toEqual([
      {
        path: file,
        sizeBytes: stored.length,
        digest: `sha256:${sha256(stored)}`,
        contentBytes: content.length,
        contentDigest: `sha256:${sha256(content)}`,
      },
    ])
    expect(manifest.documents).toMatchObject({ count: lines.length, contentDigest: `sumsha256:${sum.toString(16).padStart(64, '0')}` })
  })

  it('hold the documents byte for byte', async () => {
    const lines = String(gunzipSync(await readFile(join(vectors, 'good-gzip/data.ndjson.gz')))).split('\n')
    expect(lines).toHaveLength(7)
    expect(lines[1]).toBe('{"_id":"drafts.post-1","_type":"post","title":"A draft","views":12345678901234567890,"rate":1e400}')
    expect(lines[2]).toBe(
      '{ "_id" : "post-1" , "_type":"post","title":"twice","title":"Twice","error":"none","sep":"\u2028","__proto__":{"a":1}}',
    )
  })
})

describe('checkSnapshot', () => {
  it('finds a file that is missing', async () => {
    await using copy = await copyOf('good-gzip')
    await rm(join(copy.path, 'data.ndjson.gz'))
    expect(await check(copy.path)).toEqual([
      { kind: 'file-missing', severity: 'error', path: 'data.ndjson.gz', message: 'data.ndjson.gz is missing' },
    ])
  })

  it('finds every file that the manifest does not list, in folders too, and links', async () => {
    await using copy = await copyOf('good-gzip')
    await mkdir(join(copy.path, 'assets/images'), { recursive: true })
    await writeFile(join(copy.path, 'assets/images/x.png'), 'x')
    await writeFile(join(copy.path, 'data.ndjson.gz.partial'), 'x')
    await symlink('/etc/passwd', join(copy.path, 'link'))
    const found = await check(copy.path)
    expect(found.map(({ kind }) => kind)).toEqual(['file-unexpected', 'file-unexpected', 'file-unexpected'])
    expect(found.map(({ path }) => path).toSorted()).toEqual(['assets/images/x.png', 'data.ndjson.gz.partial', 'link'])
  })

  it('makes the name of an unexpected file harmless', async () => {
    await using copy = await copyOf('good-gzip')
    await writeFile(join(copy.path, '\n::error::x\u001b[31m'), 'x')
    expect((await check(copy.path)).map(({ message }) => message)).toEqual([expect.stringMatching(/^: :error::x\[31m is not listed/)])
  })

  it('finds a manifest that is not the one that was written', async () => {
    await using copy = await copyOf('good-gzip')
    const written = await readFile(join(copy.path, 'manifest.json'))
    await writeFile(join(copy.path, 'manifest.json'), Buffer.concat([written, Buffer.from('\n')]))
    expect((await checkSnapshot(copy.path, { level: 'data', manifestBytes: written, signal })).map(({ kind }) => kind)).toEqual([
      'digest-differs',
    ])
  })

  it.each([
    { name: 'no manifest', change: async (path: string) => await rm(join(path, 'manifest.json')) },
    {
      name: 'a manifest that is a folder',
      change: async (path: string) => await rm(join(path, 'manifest.json')).then(() => mkdir(join(path, 'manifest.json'))),
    },
    { name: 'half a manifest', change: async (path: string) => await writeFile(join(path, 'manifest.json'), '{"format":') },
    { name: 'no folder', change: async (path: string) => await rm(path, { recursive: true }) },
  ])('throws snapshot-invalid for $name', async ({ change }) => {
    await using copy = await copyOf('good-gzip')
    await change(copy.path)
    expect(await rejection(checkSnapshot(copy.path, { level: 'data', manifestBytes: Buffer.alloc(0), signal }))).toMatchObject({
      code: 'snapshot-invalid',
    })
  })

  it.each([
    {
      name: 'content that is not the described one',
      content: (text: string) => text.replace('A draft', 'B draft'),
      kinds: ['content-differs', 'documents-differ'],
    },
    {
      name: 'one document less',
      content: (text: string) => text.slice(0, text.lastIndexOf('\n', text.length - 2) + 1),
      kinds: ['content-differs', 'documents-differ'],
    },
    { name: 'no last line feed', content: (text: string) => text.slice(0, -1), kinds: ['content-differs'] },
  ])('finds $name even when the file as stored agrees with the manifest', async ({ content, kinds }) => {
    await using copy = await copyOf('good-gzip')
    const text = String(gunzipSync(await readFile(join(copy.path, 'data.ndjson.gz'))))
    await restore(copy.path, gzipSync(content(text)), {})
    expect((await check(copy.path)).map(({ kind }) => kind)).toEqual(kinds)
  })

  it('stops where a file holds more than the manifest describes', async () => {
    await using copy = await copyOf('good-gzip')
    const text = gunzipSync(await readFile(join(copy.path, 'data.ndjson.gz')))
    await restore(copy.path, gzipSync(Buffer.concat([text, Buffer.alloc(8 * 1024 * 1024)])), {})
    expect(await check(copy.path)).toMatchObject([
      { kind: 'content-differs', message: 'data.ndjson.gz holds more than the manifest describes' },
    ])
  })

  it('stops at a line that is longer than any document', async () => {
    await using copy = await copyOf('good-gzip')
    const text = gunzipSync(await readFile(join(copy.path, 'data.ndjson.gz')))
    const endless = gzipSync(Buffer.concat([text, Buffer.alloc(129 * 1024 * 1024)]), { level: 1 })
    await restore(copy.path, endless, { contentBytes: undefined, contentDigest: undefined })
    expect(await check(copy.path)).toMatchObject([
      { kind: 'line-invalid', message: 'data.ndjson.gz line 7 is longer than any document: it has more than 134.2 MB' },
    ])
  })

  it('counts empty lines, however many there are', async () => {
    await using copy = await copyOf('good-gzip')
    const text = gunzipSync(await readFile(join(copy.path, 'data.ndjson.gz')))
    const empty = gzipSync(Buffer.concat([text, Buffer.alloc(3_000_000, '\n')]))
    await restore(copy.path, empty, { contentBytes: undefined, contentDigest: undefined })
    const found = await check(copy.path)
    expect(found).toHaveLength(22)
    expect(found.slice(-2).map(({ message }) => message)).toEqual([
      'There are 2,999,980 more of this kind',
      'manifest.json says 6 documents, and there are 3,000,006',
    ])
  })

  it.each([
    { name: 'is another one', content: (text: string) => text.replace('A draft', 'B draft'), kinds: ['documents-differ'] },
    { name: 'has an empty line more', content: (text: string) => `${text}\n`, kinds: ['line-invalid', 'documents-differ'] },
  ])('finds that the set of documents $name even when the content agrees with the manifest', async ({ content, kinds }) => {
    await using copy = await copyOf('good-gzip')
    const text = Buffer.from(content(String(gunzipSync(await readFile(join(copy.path, 'data.ndjson.gz'))))))
    await restore(copy.path, gzipSync(text), { contentBytes: text.length, contentDigest: digestOf(text) })
    expect((await check(copy.path)).map(({ kind }) => kind)).toEqual(kinds)
  })

  it('does not mind the order of the documents', async () => {
    await using copy = await copyOf('good-gzip')
    const lines = String(gunzipSync(await readFile(join(copy.path, 'data.ndjson.gz'))))
      .split('\n')
      .slice(0, -1)
    const text = Buffer.from(`${lines.toReversed().join('\n')}\n`)
    await restore(copy.path, gzipSync(text), { contentBytes: text.length, contentDigest: digestOf(text) })
    expect(await check(copy.path)).toEqual([])
  })

  it.each([
    { name: 'content that is no gzip', stored: (_: Buffer) => Buffer.from('{"_id":"a"}\n') },
    { name: 'half a gzip file', stored: (file: Buffer) => file.subarray(0, file.length / 2) },
    { name: 'a gzip file with another checksum', stored: (file: Buffer) => file.with(file.length - 8, (file.at(-8) ?? 0) ^ 1) },
    { name: 'nothing', stored: (_: Buffer) => Buffer.alloc(0) },
  ])(
    'finds $name even when the file as stored agrees with the manifest',
    async ({ stored }) => {
      await using copy = await copyOf('good-gzip')
      await restore(copy.path, Buffer.from(stored(await readFile(join(copy.path, 'data.ndjson.gz')))), {})
      expect((await check(copy.path)).map(({ kind }) => kind)).toEqual(['content-unreadable'])
    },
    300_000,
  )

  it('ends with the reason of the signal when it is aborted', async () => {
    const reason = new RangeError('cancelled')
    const manifestBytes = await readFile(join(vectors, 'good-gzip/manifest.json'))
    const checking = checkSnapshot(join(vectors, 'good-gzip'), { level: 'data', manifestBytes, signal: AbortSignal.abort(reason) })
    expect(await rejection(checking)).toBe(reason)
  })
})

/** Checks a folder against its own manifest. */
async function check(folder: string): Promise<Finding[]> {
  return await checkSnapshot(folder, { level: 'data', manifestBytes: await readFile(join(folder, 'manifest.json')), signal })
}

async function copyOf(vector: string) {
  const folder = await makeTempFolder('check')
  await cp(join(vectors, vector), folder.path, { recursive: true })
  return folder
}

/** Puts another data file into a folder, and a manifest that agrees with it as far as it is stored. */
async function restore(folder: string, stored: Buffer, change: object): Promise<void> {
  const manifest = parseManifest(await readFile(join(folder, 'manifest.json')))
  const files = manifest.files.map((entry) => ({ ...entry, sizeBytes: stored.length, digest: digestOf(stored), ...change }))
  await writeFile(join(folder, 'data.ndjson.gz'), stored)
  await writeFile(join(folder, 'manifest.json'), printManifest({ ...manifest, files }))
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex')
}
