import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { documentPath } from '../../../src/format/branch-layout.ts'
import { indentDocument } from '../../../src/format/document-file.ts'
import { type Manifest, manifestFile, printManifest } from '../../../src/format/manifest/manifest.ts'
import { checkSnapshot } from '../../../src/snapshot/check/check.ts'
import { digestOf } from '../../../src/streams/digest.ts'
import { makeKeys, openerFor } from '../../codec/age-files.ts'
import { makeTempFolder, ROOT } from '../../support/process.ts'
import { writeSealedSnapshot } from '../../support/sealed-snapshot.ts'

const { signal } = new AbortController()
const ann = await makeKeys('x25519')
const opener = openerFor(ann)
const vectors = join(ROOT, 'test/vectors')

/** Makes a small snapshot, in each of the ways in which one can lie somewhere. */
const ways = [
  { way: 'folder, gzip', make: async (folder: string) => await cp(join(vectors, 'good-gzip'), folder, { recursive: true }) },
  { way: 'folder, zstd', make: async (folder: string) => await cp(join(vectors, 'good-zstd'), folder, { recursive: true }) },
  { way: 'branch, text', make: makeText },
  { way: 'branch, compressed', make: makeCompressed },
  // Opening takes longer, so not each place is changed.
  { way: 'folder, encrypted', make: makeEncrypted, step: 7 },
]

describe.each(ways)('a snapshot that was tampered with ($way)', ({ make, step }) => {
  it('is whole before', async () => {
    await using temp = await makeTempFolder('tampering')
    await make(temp.path)
    expect(await errorsIn(temp.path)).toEqual([])
  })

  it('is found out by any byte that is another one', async () => {
    await using temp = await makeTempFolder('tampering')
    await make(temp.path)
    expect(await unnoticed(temp.path, (good, at) => good.with(at, (good[at] ?? 0) ^ 0x10), step)).toEqual([])
  }, 300_000)

  it('is found out by any file that was cut', async () => {
    await using temp = await makeTempFolder('tampering')
    await make(temp.path)
    expect(await unnoticed(temp.path, (good, at) => good.subarray(0, at), step)).toEqual([])
  }, 300_000)

  it('is found out by any file that is gone', async () => {
    await using temp = await makeTempFolder('tampering')
    await make(temp.path)
    const found: (string | undefined)[] = []
    for (const path of await filesIn(temp.path)) {
      const good = await readFile(join(temp.path, path))
      await rm(join(temp.path, path))
      found.push((await errorsIn(temp.path))[0])
      await writeFile(join(temp.path, path), good)
    }
    expect(new Set(found)).toEqual(new Set([found[0]]))
    expect(found[0]).toMatch(/file-missing|documents-differ/)
  })
})

/** Changes every file at every place; gives the places at which nothing was found. With TAMPERING=1 in the environment it prints what found the others. */
async function unnoticed(folder: string, change: (good: Uint8Array, at: number) => Uint8Array, step = 1): Promise<string[]> {
  const missed: string[] = []
  const finders = new Map<string, number>()
  for (const path of await filesIn(folder)) {
    const good = new Uint8Array(await readFile(join(folder, path)))
    for (let at = 0; at < good.length; at += step) {
      await writeFile(join(folder, path), change(good, at))
      const [first] = await errorsIn(folder)
      if (first === undefined) missed.push(`${path} at ${at}`)
      else finders.set(first, (finders.get(first) ?? 0) + 1)
    }
    await writeFile(join(folder, path), good)
  }
  expect(finders.size).toBeGreaterThan(0)
  if (process.env['TAMPERING'])
    process.stderr.write(`${expect.getState().currentTestName}: ${JSON.stringify(Object.fromEntries(finders))}\n`)
  return missed
}

/** All files but the manifest: nothing but its own words says what it should be. */
async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile() && entry.name !== manifestFile)
  return files.map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
}

async function errorsIn(folder: string): Promise<string[]> {
  const findings = await checkSnapshot(folder, { level: 'data', opener, signal })
  return findings.filter(({ severity }) => severity === 'error').map(({ kind }) => kind)
}

async function readVector(): Promise<{ manifest: Manifest; stored: Buffer }> {
  const manifest = JSON.parse(await readFile(join(vectors, 'good-gzip', manifestFile), 'utf8')) as Manifest
  return { manifest, stored: await readFile(join(vectors, 'good-gzip/data.ndjson.gz')) }
}

async function makeEncrypted(folder: string): Promise<void> {
  await writeSealedSnapshot(folder, { keys: [ann] })
}

async function makeText(folder: string): Promise<void> {
  const { manifest, stored } = await readVector()
  for (const text of gunzipSync(stored).toString('latin1').split('\n').slice(0, -1)) {
    const line = Buffer.from(text, 'latin1')
    const { _id: id, _type: type } = JSON.parse(line.toString()) as { _id: string; _type: string }
    const file = join(folder, documentPath({ id, type }, 1))
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, indentDocument(line))
  }
  await writeFile(join(folder, manifestFile), printManifest({ ...manifest, branch: { layout: 'text', depth: 1 }, files: [] }))
}

async function makeCompressed(folder: string): Promise<void> {
  const { manifest, stored } = await readVector()
  const half = Math.ceil(stored.length / 2)
  const parts = [stored.subarray(0, half), stored.subarray(half)].map((bytes, index) => ({ bytes, path: `data.ndjson.gz.00${index + 1}` }))
  for (const { bytes, path } of parts) await writeFile(join(folder, path), bytes)
  const files = parts.map(({ bytes, path }) => ({ path, sizeBytes: bytes.length, digest: digestOf(bytes) }))
  await writeFile(join(folder, manifestFile), printManifest({ ...manifest, files }))
}
