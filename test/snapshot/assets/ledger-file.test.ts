import { createHash } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { type AssetName, findAssetName } from '../../../src/format/asset-id.ts'
import type { LedgerEntry, SavedFile } from '../../../src/format/ledger.ts'
import { type Manifest, printManifest } from '../../../src/format/manifest/manifest.ts'
import { makeAssetFolder } from '../../../src/snapshot/assets/folder.ts'
import { writeLedger } from '../../../src/snapshot/assets/ledger-file.ts'
import { checkSnapshot } from '../../../src/snapshot/check/check.ts'
import { writeManifest } from '../../../src/snapshot/write/whole-file.ts'
import { digestOf, sumDigest } from '../../../src/streams/digest.ts'
import { exampleManifest } from '../../support/example.ts'
import { chunks } from '../../support/feed.ts'
import { makeTempFolder } from '../../support/process.ts'

const idOf = (text: string) => `file-${createHash('sha1').update(text).digest('hex')}-txt`
const nameOf = (text: string) => findAssetName(idOf(text)) as AssetName

/** A snapshot of three assets and no documents, as a shard is. */
async function makeSnapshot({
  ledger = (entries) => entries,
  count = 3,
  files: changed = (all) => all,
}: {
  files?: (all: SavedFile[]) => SavedFile[]
  ledger?: (entries: LedgerEntry[]) => LedgerEntry[]
  count?: number
}) {
  const temp = await makeTempFolder('ledger')
  const assets = await makeAssetFolder(temp.path, { signal: new AbortController().signal })
  const entries: LedgerEntry[] = []
  for (const text of ['one', 'two', 'three']) {
    const saved: SavedFile = await assets.save(chunks(text), {
      name: nameOf(text),
      sha1hash: undefined,
      sizeBytes: text.length,
      claims: undefined,
    })
    entries.push({ id: idOf(text), ...saved })
  }
  const files = changed(entries).map(({ path, sizeBytes, digest }) => ({ path, sizeBytes, digest }))
  const manifest: Manifest = {
    ...exampleManifest,
    shard: { index: 2, of: 2 },
    documents: { ...exampleManifest.documents, count: 0, drafts: 0, byType: {}, contentDigest: sumDigest().result() },
    assets: { included: true, count, sizeBytes: 11, reused: 0, missing: [] },
    files: [await writeLedger(temp.path, ledger(entries)), ...files],
  }
  await writeManifest(temp.path, manifest)
  const check = async () =>
    await checkSnapshot(temp.path, { level: 'data', manifestBytes: printManifest(manifest), signal: new AbortController().signal })
  return { folder: temp.path, check, entries, [Symbol.asyncDispose]: () => temp[Symbol.asyncDispose]() }
}

describe('a snapshot with assets', () => {
  it('is whole when every asset has its file, and every file its asset', async () => {
    await using made = await makeSnapshot({})
    expect(await made.check()).toEqual([])
  })

  it('is whole when two ids share a file', async () => {
    await using made = await makeSnapshot({
      ledger: (entries) => [...entries, { ...(entries[0] as LedgerEntry), id: `drafts.${entries[0]?.id}` }],
      count: 4,
    })
    expect(await made.check()).toEqual([])
  })

  it.each([
    { what: 'lacks an asset', ledger: (entries: LedgerEntry[]) => entries.slice(1) },
    { what: 'has one more', ledger: (entries: LedgerEntry[]) => [...entries, { ...(entries[0] as LedgerEntry), id: 'other' }] },
    {
      what: 'ties an asset to no file',
      ledger: ([first, ...rest]: LedgerEntry[]) => [{ ...(first as LedgerEntry), path: 'assets/files/x.txt' }, ...rest],
    },
    {
      what: 'ties an asset to a file of another size',
      ledger: ([first, ...rest]: LedgerEntry[]) => [{ ...(first as LedgerEntry), sizeBytes: 9 }, ...rest],
    },
    {
      what: 'ties an asset to a file with another digest',
      ledger: ([first, second, third]: LedgerEntry[]) => [
        { ...first, digest: second?.digest } as LedgerEntry,
        second as LedgerEntry,
        third as LedgerEntry,
      ],
    },
  ])('is found out when its ledger $what', async ({ ledger }) => {
    await using made = await makeSnapshot({ ledger })
    expect(await made.check()).toEqual([expect.objectContaining({ kind: 'assets-differ', path: 'assets.ndjson.gz' })])
  })

  it('is found out when the file of an asset was changed', async () => {
    await using made = await makeSnapshot({})
    const path = made.entries[1]?.path ?? ''
    await writeFile(join(made.folder, path), 'owt')
    expect(await made.check()).toEqual([expect.objectContaining({ kind: 'digest-differs', path })])
  })

  it('is found out when a file does not hold the bytes of its name, unless Sanity has changed them', async () => {
    const foundWith = async (provenBy: SavedFile['provenBy']) => {
      await using made = await makeSnapshot({
        ledger: ([first, ...rest]) => [{ ...(first as LedgerEntry), ...other, provenBy }, ...rest],
        files: ([first, ...rest]) => [{ ...(first as SavedFile), ...other }, ...rest],
      })
      await writeFile(join(made.folder, made.entries[0]?.path ?? ''), otherBytes)
      return (await made.check()).map(({ kind }) => kind)
    }
    const otherBytes = Buffer.from('eno')
    const other = { sizeBytes: 3, digest: digestOf(otherBytes) }
    expect(await foundWith('sha1')).toEqual(['asset-not-its-hash'])
    expect(await foundWith('x-sanity-md5')).toEqual([])
  })
})
