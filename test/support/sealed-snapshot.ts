import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Compression } from '../../src/codec/codec.ts'
import type { LedgerEntry } from '../../src/format/ledger.ts'
import { type FileEntry, type Manifest, manifestFile, printManifest } from '../../src/format/manifest/manifest.ts'
import { detailsFile, type PlainManifest, printDetails, sealManifest } from '../../src/format/manifest/sealed.ts'
import { writeLedger } from '../../src/snapshot/assets/ledger-file.ts'
import { writeData } from '../../src/snapshot/write/data-file.ts'
import { writeSealedBytes } from '../../src/snapshot/write/sealed-file.ts'
import { writeManifest } from '../../src/snapshot/write/whole-file.ts'
import { digestOf } from '../../src/streams/digest.ts'
import { type KeyPair, sealerFor } from '../codec/age-files.ts'
import { exampleManifest } from './example.ts'

type Content = {
  readonly keys: readonly KeyPair[]
  readonly lines?: readonly string[]
  /** The bytes of files; each is that of an asset. */
  readonly assets?: readonly Buffer[]
  readonly compression?: Compression
  /** What the file of details says that is not so. */
  readonly details?: (manifest: PlainManifest) => Partial<PlainManifest>
}

export const twoLines = ['{"_id":"a","_type":"post"}', '{"_id":"b","_type":"author"}']

/** Writes a small encrypted snapshot into an empty folder, as a backup does, and gives its manifest. */
export async function writeSealedSnapshot(folder: string, content: Content): Promise<Manifest> {
  const { keys, lines = twoLines, assets = [], compression = 'gzip', details = () => ({}) } = content
  const sealer = await sealerFor(...keys)
  await mkdir(assets.length > 0 ? join(folder, 'assets/files') : folder, { recursive: true })
  const named = assets.map((bytes) => {
    const hash = createHash('sha1').update(bytes).digest('hex')
    return { bytes, hash, id: `file-${hash}-bin`, path: `assets/files/${hash}.bin` }
  })
  const all = [...lines, ...named.map(({ id }) => JSON.stringify({ _id: id, _type: 'sanity.fileAsset' }))].map((line) => Buffer.from(line))
  const batches = async function* () {
    yield all
  }
  const { file, contentDigest } = await writeData(folder, { lines: batches(), compression, level: 1, sealer })
  const files: FileEntry[] = [file]
  const ledger: LedgerEntry[] = []
  for (const { bytes, id, path } of named) {
    files.push(await writeSealedBytes(folder, path, { bytes, seal: await sealer.newFile() }))
    ledger.push({ id, path, sizeBytes: bytes.length, digest: digestOf(bytes), provenBy: 'sha1' })
  }
  if (assets.length > 0) files.push(await writeLedger(folder, ledger, sealer))
  const byType: Record<string, number> = {}
  for (const line of all) {
    const { _type } = JSON.parse(String(line)) as { _type: string }
    byType[_type] = (byType[_type] ?? 0) + 1
  }
  const plain: PlainManifest = {
    ...exampleManifest,
    documents: { ...exampleManifest.documents, count: all.length, drafts: 0, byType, contentDigest },
    assets: {
      included: assets.length > 0,
      count: assets.length,
      sizeBytes: assets.reduce((sum, { length }) => sum + length, 0),
      reused: 0,
      missing: [],
    },
    files,
  }
  const entry = await writeSealedBytes(folder, detailsFile, {
    bytes: printDetails({ ...plain, ...details(plain) }),
    seal: await sealer.newFile(),
  })
  const manifest = sealManifest(
    plain,
    keys.map(({ recipient }) => recipient),
    entry,
  )
  await writeManifest(folder, manifest)
  return manifest
}

/** Puts other bytes in the place of a file, and has the manifest say that they belong there: what only opening the file can find out. */
export async function replaceFile(folder: string, path: string, bytes: Buffer): Promise<void> {
  await writeFile(join(folder, path), bytes)
  const manifest = JSON.parse(await readFile(join(folder, manifestFile), 'utf8')) as Manifest
  const files = manifest.files.map((file) => (file.path === path ? { ...file, sizeBytes: bytes.length, digest: digestOf(bytes) } : file))
  await writeFile(join(folder, manifestFile), printManifest({ ...manifest, files }))
}
