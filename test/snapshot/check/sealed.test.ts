import { randomBytes } from 'node:crypto'
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { armor } from 'age-encryption'
import { type Manifest, manifestFile, printManifest } from '../../../src/format/manifest/manifest.ts'
import { checkSnapshot } from '../../../src/snapshot/check/check.ts'
import { makeKeys, openerFor, sealBytes, sealerFor } from '../../codec/age-files.ts'
import { makeTempFolder } from '../../support/process.ts'
import { replaceFile, twoLines, writeSealedSnapshot } from '../../support/sealed-snapshot.ts'

const { signal } = new AbortController()
const ann = await makeKeys('x25519')
const eve = await makeKeys('x25519')
const opener = openerFor(ann)
/** Of some chunks of 64 KiB. */
const large = randomBytes(300_000)
const small = Buffer.from('a small file')
const data = 'data.ndjson.gz.age'
const details = 'details.json.age'

let temp: Awaited<ReturnType<typeof makeTempFolder>>
let good: string
let assets: readonly string[]

beforeAll(async () => {
  temp = await makeTempFolder('sealed')
  good = join(temp.path, 'good')
  const { files } = await writeSealedSnapshot(good, { keys: [ann], assets: [large, small] })
  assets = files.map(({ path }) => path).filter((path) => path.startsWith('assets/'))
})

afterAll(async () => await temp[Symbol.asyncDispose]())

async function findingsIn(folder: string, level: 'data' | 'structure' | 'stored' = 'data', by = opener): Promise<string[]> {
  return (await checkSnapshot(folder, { level, opener: by, signal })).map(({ kind, path }) => `${kind} ${path ?? ''}`)
}

const read = async (folder: string, path: string) => await readFile(join(folder, path))

describe('an encrypted snapshot', () => {
  it.each(['data', 'structure', 'stored'] as const)('is whole at the level %s', async (level) => {
    expect(await findingsIn(good, level)).toEqual([])
  })

  it('is whole with zstd, and with a hybrid key', async () => {
    const hanna = await makeKeys('hybrid')
    await using other = await makeTempFolder('sealed')
    await writeSealedSnapshot(other.path, { keys: [hanna], compression: 'zstd' })
    expect(await findingsIn(other.path, 'data', openerFor(eve, hanna))).toEqual([])
  })

  it('cannot be read with the key of somebody else', async () => {
    expect(await findingsIn(good, 'data', openerFor(eve))).toEqual(
      expect.arrayContaining([`content-unreadable ${data}`, `content-unreadable ${details}`]),
    )
  })
})

/** The payload's chunks stand behind the header and 16 bytes of nonce. */
function chunksOf(file: Buffer): { readonly beginning: Buffer; readonly chunks: readonly Buffer[] } {
  const start = file.indexOf('\n', file.indexOf('\n---') + 1) + 1 + 16
  const chunks: Buffer[] = []
  for (let at = start; at < file.length; at += 64 * 1024 + 16) chunks.push(file.subarray(at, at + 64 * 1024 + 16))
  return { beginning: file.subarray(0, start), chunks }
}

function rearranged(file: Buffer, order: readonly number[]): Buffer {
  const { beginning, chunks } = chunksOf(file)
  return Buffer.concat([beginning, ...order.map((index) => chunks[index] ?? Buffer.alloc(0))])
}

describe('a file whose size and digest the manifest was made to fit is found out', () => {
  const changes: { name: string; of?: string; change: (file: Buffer) => Buffer | Promise<Buffer>; finds?: string }[] = [
    { name: 'cut within a chunk', change: (file) => file.subarray(0, 100_000) },
    { name: 'cut behind a chunk', change: (file) => rearranged(file, [0, 1]) },
    { name: 'its last byte cut', change: (file) => file.subarray(0, -1) },
    { name: 'two chunks swapped', change: (file) => rearranged(file, [0, 2, 1, 3, 4]) },
    { name: 'a chunk repeated', change: (file) => rearranged(file, [0, 1, 1, 2, 3, 4]) },
    { name: 'a chunk left out', change: (file) => rearranged(file, [0, 2, 3, 4]) },
    { name: 'a byte behind its end', change: (file) => Buffer.concat([file, Buffer.from('x')]) },
    { name: 'all of it twice', change: (file) => Buffer.concat([file, file]) },
    { name: 'nothing in it', change: () => Buffer.alloc(0) },
    { name: 'what it held, in the clear', change: () => large },
    { name: 'its text form', change: (file) => Buffer.from(armor.encode(file)) },
    { name: 'the header of another file', change: async (file) => Buffer.concat([await headerFor(ann), payloadOf(file)]) },
    { name: 'the header of somebody else', change: async (file) => Buffer.concat([await headerFor(eve), payloadOf(file)]) },
    { name: 'the same for somebody else', change: async () => await sealBytes(await sealerFor(eve), large) },
    {
      name: 'something else for the same person',
      change: async () => await sealBytes(await sealerFor(ann), randomBytes(300_000)),
      finds: 'content-differs',
    },
    { name: 'other documents', of: data, change: async () => await sealBytes(await sealerFor(ann), Buffer.from('no gzip')) },
    {
      name: 'other details',
      of: details,
      change: async () => await sealBytes(await sealerFor(ann), Buffer.from('{}')),
      finds: 'content-differs',
    },
  ]

  it.each(changes)('$name', async ({ of, change, finds = 'content-unreadable' }) => {
    await using copy = await makeTempFolder('sealed')
    await cp(good, copy.path, { recursive: true })
    const path = of ?? assets[0] ?? ''
    await replaceFile(copy.path, path, Buffer.from(await change(await read(good, path))))
    expect(await findingsIn(copy.path)).toContain(`${finds} ${path}`)
  })

  it('two files of assets in each other’s place, with all that is said of them', async () => {
    await using copy = await makeTempFolder('sealed')
    await cp(good, copy.path, { recursive: true })
    const manifest = JSON.parse(String(await read(good, manifestFile))) as Manifest
    const [one = '', other = ''] = assets
    const swapped = (path: string) => (path === one ? other : path === other ? one : path)
    for (const path of assets) await writeFile(join(copy.path, swapped(path)), await read(good, path))
    const files = manifest.files.map((file) => ({ ...file, path: swapped(file.path) }))
    await writeFile(join(copy.path, manifestFile), printManifest({ ...manifest, files }))
    expect(await findingsIn(copy.path)).toEqual(
      expect.arrayContaining(['assets-differ assets.ndjson.gz.age', ...assets.map((path) => `asset-not-its-hash ${path}`)]),
    )
  })
})

describe('the file of details is compared', () => {
  it.each([
    {
      name: 'with the filters of the manifest',
      details: { filters: { includeDrafts: true, types: ['post'], excludeTypes: [], excludeIds: [] } },
      finds: [`content-differs ${details}`],
    },
    {
      name: 'with the missing assets of the manifest',
      details: { assets: { included: true, count: 0, sizeBytes: 0, reused: 0, missing: [{ id: 'image-a', url: '', status: 404 }] } },
      finds: [`assets-differ ${details}`],
    },
  ])('$name', async ({ details: change, finds }) => {
    await using other = await makeTempFolder('sealed')
    await writeSealedSnapshot(other.path, { keys: [ann], details: () => change })
    expect(await findingsIn(other.path)).toEqual(finds)
  })

  it.each([
    { name: 'of other types', byType: { post: 2 } },
    { name: 'too many', byType: { post: 1, author: 2 } },
    { name: 'none', byType: {} },
  ])('with the documents: it counts $name', async ({ byType }) => {
    await using other = await makeTempFolder('sealed')
    await writeSealedSnapshot(other.path, { keys: [ann], details: ({ documents }) => ({ documents: { ...documents, byType } }) })
    expect(new Set(await findingsIn(other.path))).toEqual(new Set([`documents-differ ${details}`]))
  })
})

describe('a manifest that says that all is encrypted', () => {
  it('is doubted where a file is not', async () => {
    await using copy = await makeTempFolder('sealed')
    await cp(good, copy.path, { recursive: true })
    const manifest = JSON.parse(String(await read(good, manifestFile))) as Manifest
    const plain = { path: 'assets/files/x.bin', sizeBytes: 1, digest: manifest.files[0]!.digest }
    await writeFile(join(copy.path, plain.path), 'x')
    await writeFile(join(copy.path, manifestFile), printManifest({ ...manifest, files: [...manifest.files, plain] }))
    expect(await findingsIn(copy.path, 'structure')).toContain(`file-unexpected ${plain.path}`)
  })

  it('is doubted where there are no details, and one that says the opposite where there are', async () => {
    await using copy = await makeTempFolder('sealed')
    await cp(good, copy.path, { recursive: true })
    const manifest = JSON.parse(String(await read(good, manifestFile))) as Manifest
    await writeFile(
      join(copy.path, manifestFile),
      printManifest({ ...manifest, files: manifest.files.filter(({ path }) => path !== details) }),
    )
    expect(await findingsIn(copy.path, 'structure')).toEqual(
      expect.arrayContaining([`file-missing ${details}`, `file-unexpected ${details}`]),
    )
    await writeFile(join(copy.path, manifestFile), printManifest({ ...manifest, encryption: null }))
    expect(await findingsIn(copy.path, 'structure')).toContain(`file-unexpected ${data}`)
  })
})

it('no id is named in what is found in an encrypted snapshot', async () => {
  await using other = await makeTempFolder('sealed')
  const lines = [...twoLines, '{"_id":"c","_type":"post","to":{"_type":"reference","_ref":"the-secret-id"}}']
  await writeSealedSnapshot(other.path, { keys: [ann], lines })
  const findings = await checkSnapshot(other.path, { level: 'data', opener, signal })
  expect(findings.map(({ message }) => message)).toEqual([
    '1 document that others refer to is not in the snapshot, and is not named, since it is encrypted',
  ])
})

async function headerFor(key: typeof ann): Promise<Buffer> {
  return chunksOf(await sealBytes(await sealerFor(key), large)).beginning
}

function payloadOf(file: Buffer): Buffer {
  return file.subarray(chunksOf(file).beginning.length)
}
