import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Manifest } from '../../../src/format/manifest/manifest.ts'
import { snapshotName } from '../../../src/format/manifest/snapshot-name.ts'
import { writeData } from '../../../src/snapshot/write/data-file.ts'
import { writeManifest } from '../../../src/snapshot/write/whole-file.ts'
import { exampleManifest } from '../../support/example.ts'

type Wanted = {
  readonly dataset?: string
  readonly takenAt?: string
  readonly documents?: readonly { readonly _id: string; readonly _type: string }[]
  readonly change?: Partial<Manifest>
}

/** Writes a snapshot that verifies into a folder of its own below `path`; gives that folder. */
export async function writeSnapshot(path: string, wanted: Wanted = {}): Promise<string> {
  const { dataset = 'production', takenAt = '2026-11-20T03:00:00Z', documents = [], change } = wanted
  const source = { ...exampleManifest.source, dataset }
  const name = snapshotName({ projectId: source.projectId, dataset, takenAt: new Date(takenAt), label: null, shard: null })
  const folder = join(path, name)
  await mkdir(folder, { recursive: true })
  const lines = documents.map((document) => Buffer.from(JSON.stringify(document)))
  const { file, contentDigest } = await writeData(folder, { lines: oneBatch(lines), compression: 'gzip', level: 1 })
  const byType: Record<string, number> = {}
  for (const { _type } of documents) byType[_type] = (byType[_type] ?? 0) + 1
  const counted = { ...exampleManifest.documents, count: documents.length, drafts: 0, byType, contentDigest }
  await writeManifest(folder, {
    ...exampleManifest,
    snapshot: name,
    source,
    takenAt,
    finishedAt: takenAt,
    documents: counted,
    files: [file],
    ...change,
  })
  return folder
}

async function* oneBatch(lines: readonly Buffer[]): AsyncGenerator<readonly Buffer[]> {
  yield lines
}
