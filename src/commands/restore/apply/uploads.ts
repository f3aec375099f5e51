import { findAssetName } from '../../../format/asset-id.ts'
import type { Catalog } from '../../../restore/plan/catalog.ts'
import type { Row } from '../../../restore/plan/plan.ts'
import type { WriteApi } from '../../../sanity/write/write.ts'
import { openFile } from '../../../snapshot/assets/stored-files.ts'
import { workThrough } from '../../../streams/workers.ts'
import { plural, quoteOutside } from '../../../text.ts'
import type { Tools } from '../../../tools.ts'
import { type LackingAssets, LostFileError } from '../assets.ts'
import type { Journal } from './journal.ts'
import type { LeftOnes } from './left.ts'

export type UploadNeeds = {
  readonly api: WriteApi
  readonly catalog: Catalog
  readonly assets: LackingAssets
  readonly lineOf: (document: number) => Promise<Buffer>
  readonly journal: Journal
  readonly left: LeftOnes
}

const atATime = 8

/**
 * Uploads the files of the assets that the target lacks, and looks at the id that each gets: it has to be the one that the plan expects. An upload has no
 * transaction of ours: the journal has the revision that the new document came back with, which is the id of the server's.
 */
export async function uploadAssets(rows: readonly Row[], needs: UploadNeeds, tools: Tools): Promise<void> {
  const { api, catalog, left } = needs
  const idOf = ({ document }: Row) => catalog.idOf(needs.assets.newIds.get(document) ?? document)
  // The same bytes again give the asset that is there, which then would pass for ours.
  const others = await api.read(rows.map(idOf))
  let done = 0
  await workThrough(rows.values(), { concurrency: atATime }, async (row) => {
    tools.signal.throwIfAborted()
    const named = { document: row.document, id: row.id, revision: '' }
    if (others.has(idOf(row))) left.add(named, { type: 'exists', others: [], words: '' })
    else {
      const why = await uploadOne(row, needs)
      if (why !== undefined) left.say({ ...named, byOthers: false }, why)
    }
    done++
    tools.log.progress(() => `Uploading: ${plural(done, 'file')} of ${plural(rows.length, 'asset')}`)
  })
}

/** Undefined, or why the asset is not there. */
async function uploadOne({ document, id }: Row, { api, catalog, assets, lineOf, journal }: UploadNeeds): Promise<string | undefined> {
  const name = findAssetName(id)
  if (name === undefined) return 'no file is known by its name'
  let file: Awaited<ReturnType<LackingAssets['fileOf']>>
  try {
    file = await assets.fileOf(document)
  } catch (error) {
    if (error instanceof LostFileError) return error.message
    throw error
  }
  const filename = filenameFor(await lineOf(document), name.extension)
  const uploaded = await api.upload({ kind: name.kind, filename, sizeBytes: file.sizeBytes, open: () => openFile(file.path) })
  if (uploaded.kind === 'refused') return `Sanity does not take its file: ${uploaded.words || `status ${uploaded.status}`}`
  const expected = catalog.idOf(assets.newIds.get(document) ?? document)
  const got = String(uploaded.document['_id'])
  const revision = uploaded.document['_rev']
  if (typeof revision === 'string') journal.committed(revision, [got])
  return got === expected ? undefined : `its file came back as ${quoteOutside(got, 80)}, and ${expected} was expected`
}

/** Sanity takes the extension of a file from its name. */
function filenameFor(line: Buffer, extension: string): string {
  const { originalFilename } = JSON.parse(line.toString('utf8')) as Record<string, unknown>
  return typeof originalFilename === 'string' && originalFilename.toLowerCase().endsWith(`.${extension.toLowerCase()}`)
    ? originalFilename
    : `x.${extension}`
}
