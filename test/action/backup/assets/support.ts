import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { StoredAsset } from '../../../doubles/sanity/data/store.ts'
import { type Sanity, startSanity } from '../../../doubles/sanity/sanity.ts'
import { type BackupOptions, type BackupRun, backUp, type Services, type Snapshot } from '../../support.ts'

export const hashOf = (algorithm: 'sha1' | 'md5', bytes: Buffer | string): string => createHash(algorithm).update(bytes).digest('hex')

/** Bytes that a server takes for a PNG of the given width; different widths are different images. */
export function png(width: number, sizeBytes = 100): Buffer {
  const bytes = Buffer.alloc(Math.max(24, sizeBytes), width % 251)
  Buffer.from('\x89PNG\r\n\x1a\n', 'latin1').copy(bytes)
  bytes.writeUInt32BE(width, 16)
  bytes.writeUInt32BE(1, 20)
  return bytes
}

export type TestAsset = { readonly id: string; readonly url: string; readonly path: string; readonly bytes: Buffer }

/** Adds an asset to the dataset, and a document that refers to it. */
export function add(sanity: Sanity, kind: 'images' | 'files', bytes: Buffer, filename?: string): TestAsset {
  const { _id, url } = sanity.addAsset({ kind, bytes, ...(filename ? { filename } : {}) })
  sanity.store().put({ _id: `about-${_id}`, _type: 'post', main: { asset: { _ref: _id, _type: 'reference' } } })
  return { id: _id, url, path: `assets/${kind}/${url.slice(url.lastIndexOf('/') + 1)}`, bytes }
}

export function addMany(sanity: Sanity, count: number): TestAsset[] {
  return Array.from({ length: count }, (_, index) =>
    index % 2 === 0
      ? add(sanity, 'images', png(index + 1, 1000 + index))
      : add(sanity, 'files', Buffer.from(`file ${index} ${'x'.repeat(index)}`), 'film.mp4'),
  )
}

/** Changes what the asset host has stored. */
export function change(sanity: Sanity, { url }: TestAsset, alter: (asset: StoredAsset) => Partial<StoredAsset>): void {
  const { assets } = sanity.store()
  const path = new URL(url).pathname
  const asset = assets.get(path)
  if (!asset) throw new Error('no such asset')
  assets.set(path, { ...asset, ...alter(asset) })
}

/** Changes the document of an asset; an undefined value leaves a field out. */
export function edit(sanity: Sanity, { id }: TestAsset, fields: Readonly<Record<string, unknown>>): void {
  const document = sanity.store().find(id)
  if (!document) throw new Error('no such document')
  sanity.store().put({ ...document, ...fields })
}

/** Starts a Sanity with one document and whatever `fill` adds, and backs it up with its assets. */
export async function backUpAssets<Filled>(
  fill: (sanity: Sanity) => Filled,
  { services, ...options }: BackupOptions & { readonly services?: Omit<Services, 'sanity'> } = {},
): Promise<{ run: BackupRun; sanity: Sanity; filled: Filled } & AsyncDisposable> {
  const stack = new AsyncDisposableStack()
  const sanity = stack.use(await startSanity({ documents: [{ _id: 'first', _type: 'post' }] }))
  const filled = fill(sanity)
  const run = stack.use(await backUp({ sanity, ...services }, { ...options, inputs: { 'include-assets': 'true', ...options.inputs } }))
  return { run, sanity, filled, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

export type LedgerLine = {
  readonly id: string
  readonly path: string
  readonly sizeBytes: number
  readonly digest: string
  readonly provenBy: string
}

export async function readLedger({ folder }: Pick<Snapshot, 'folder'>): Promise<LedgerLine[]> {
  const text = gunzipSync(await readFile(join(folder, 'assets.ndjson.gz'))).toString('utf8')
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as LedgerLine)
}
