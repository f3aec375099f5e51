import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { expect, it } from '@jest/globals'
import { type Manifest, printManifest, type StoredManifest } from '../../../src/format/manifest/manifest.ts'
import { checkSnapshot } from '../../../src/snapshot/check/check.ts'
import { writePlain } from '../../../src/snapshot/write/plain.ts'
import { digestOf, sumDigest } from '../../../src/streams/digest.ts'
import { makeKeys, openerFor } from '../../codec/age-files.ts'
import { exampleManifest } from '../../support/example.ts'
import { makeTempFolder } from '../../support/process.ts'
import { writeSealedSnapshot } from '../../support/sealed-snapshot.ts'

const { signal } = new AbortController()
const lines = ['{"_id":"a","_type":"post"}', '{"_id":"b","_type":"post"}'].map((line) => Buffer.from(line))
const data = gzipSync(Buffer.concat(lines.flatMap((line) => [line, Buffer.from('\n')])))

function manifestWith(files: StoredManifest['files']): StoredManifest {
  const sum = sumDigest()
  for (const line of lines) sum.add(line)
  return { ...exampleManifest, documents: { ...exampleManifest.documents, drafts: 0, contentDigest: sum.result() }, files }
}

async function stored(folder: string, pieces: Readonly<Record<string, Buffer>>) {
  const files = Object.entries(pieces).map(([path, bytes]) => ({ path, sizeBytes: bytes.length, digest: digestOf(bytes) }))
  const manifest = manifestWith(files)
  const from = join(folder, 'from')
  const into = join(folder, 'into')
  await Promise.all([mkdir(from), mkdir(into)])
  for (const [path, bytes] of Object.entries(pieces)) await writeFile(join(from, path), bytes)
  return { part: { manifest, manifestBytes: printManifest(manifest), folder: from, ours: false, documents: undefined }, from, into }
}

it('the parts of a data file are joined, and the snapshot is whole', async () => {
  await using temp = await makeTempFolder('plain')
  const half = Math.floor(data.length / 2)
  const pieces = { 'data.ndjson.gz.001': data.subarray(0, half), 'data.ndjson.gz.002': data.subarray(half) }
  const { part, into } = await stored(temp.path, pieces)
  expect(await writePlain(into, { parts: [part], name: part.manifest.snapshot, signal })).toEqual({ rewritten: true })
  expect(await readFile(join(into, 'data.ndjson.gz'))).toEqual(data)
  expect((await readdir(into)).toSorted()).toEqual(['data.ndjson.gz', 'manifest.json'])
  expect(await checkSnapshot(into, { level: 'data', signal })).toEqual([])
})

it('a plain snapshot stays as it is, its manifest included, and is copied where it is not ours', async () => {
  await using temp = await makeTempFolder('plain')
  const { part, from, into } = await stored(temp.path, { 'data.ndjson.gz': data })
  expect(await writePlain(into, { parts: [part], name: part.manifest.snapshot, signal })).toEqual({ rewritten: false })
  expect(await readFile(join(into, 'manifest.json'))).toEqual(part.manifestBytes)
  expect(await readdir(from)).toEqual(['data.ndjson.gz'])
})

it('documents in files of their own become one data file, and the manifest no longer speaks of a branch', async () => {
  await using temp = await makeTempFolder('plain')
  const { part, into } = await stored(temp.path, {})
  const documents = async function* () {
    for (const line of lines) yield { path: 'documents/x.json', content: Buffer.concat([line, Buffer.from('\n')]) }
  }
  const manifest: StoredManifest = { ...part.manifest, branch: { layout: 'text', depth: 1 } }
  await writePlain(into, {
    parts: [{ ...part, manifest, documents: { files: documents, paths: async function* () {} } }],
    name: manifest.snapshot,
    signal,
  })
  expect(gunzipSync(await readFile(join(into, 'data.ndjson.gz')))).toEqual(gunzipSync(data))
  expect(JSON.parse(await readFile(join(into, 'manifest.json'), 'utf8'))).not.toHaveProperty('branch')
  expect(await checkSnapshot(into, { level: 'data', signal })).toEqual([])
})

it.each(['gzip', 'zstd'] as const)('what is encrypted is opened, and nothing else is left where it was: %s', async (compression) => {
  await using temp = await makeTempFolder('plain')
  const ann = await makeKeys('x25519')
  const opener = openerFor(ann)
  const [from, into] = [join(temp.path, 'from'), join(temp.path, 'into')]
  await mkdir(into)
  const assets = [randomBytes(200_000), Buffer.from('x')]
  const manifest = await writeSealedSnapshot(from, { keys: [ann], assets, compression })
  const part = { manifest, manifestBytes: printManifest(manifest), folder: from, ours: true, documents: undefined }
  expect(await writePlain(into, { parts: [part], name: manifest.snapshot, opener, signal })).toEqual({ rewritten: true })
  expect(await checkSnapshot(into, { level: 'data', signal })).toEqual([])
  const plain = JSON.parse(await readFile(join(into, 'manifest.json'), 'utf8')) as Manifest
  expect(plain).toMatchObject({
    encryption: null,
    filters: exampleManifest.filters,
    documents: { byType: { post: 1, author: 1, 'sanity.fileAsset': 2 } },
    assets: { missing: [] },
  })
  expect(plain.files.map(({ path }) => path).filter((path) => /age$|details/.test(path))).toEqual([])
  for (const { path, sizeBytes } of plain.files) {
    const sealed = manifest.files.find((file) => file.path === `${path}.age`)
    expect(sealed).toMatchObject({ contentBytes: path.startsWith('assets/') ? sizeBytes : expect.any(Number) })
  }
  expect((await readdir(from, { recursive: true })).filter((path) => /^data|bin/.test(path))).toEqual([])
})

it('parts of an encrypted data file are joined and opened', async () => {
  await using temp = await makeTempFolder('plain')
  const ann = await makeKeys('x25519')
  const [from, into] = [join(temp.path, 'from'), join(temp.path, 'into')]
  await mkdir(into)
  const manifest = await writeSealedSnapshot(from, { keys: [ann] })
  const [data, ...others] = manifest.files
  const sealed = await readFile(join(from, data!.path))
  const pieces = [sealed.subarray(0, 100), sealed.subarray(100)].map((bytes, index) => ({ bytes, path: `${data!.path}.00${index + 1}` }))
  for (const { bytes, path } of pieces) await writeFile(join(from, path), bytes)
  const files = [...pieces.map(({ bytes, path }) => ({ path, sizeBytes: bytes.length, digest: digestOf(bytes) })), ...others]
  const part = { manifest: { ...manifest, files }, manifestBytes: Buffer.alloc(0), folder: from, ours: false, documents: undefined }
  await writePlain(into, { parts: [part], name: manifest.snapshot, opener: openerFor(ann), signal })
  expect(await checkSnapshot(into, { level: 'data', signal })).toEqual([])
  expect(JSON.parse(await readFile(join(into, 'manifest.json'), 'utf8')).files).toEqual([
    expect.objectContaining({ path: 'data.ndjson.gz', contentBytes: data!.contentBytes, contentDigest: data!.contentDigest }),
  ])
})
