import { findAssetName } from '../../../format/asset-id.ts'
import type { Catalog } from '../../../restore/catalog.ts'
import type { Row } from '../../../restore/plan.ts'
import type { WriteApi } from '../../../sanity/write/write.ts'
import { openFile } from '../../../snapshot/assets/stored-files.ts'
import { workThrough } from '../../../streams/workers.ts'
import { plural, quoteOutside } from '../../../text.ts'
import type { Tools } from '../../../tools.ts'
import { type LackingAssets, LostFileError } from '../assets.ts'
import type { Left } from './writes.ts'

export type UploadNeeds = {
  readonly api: WriteApi
  readonly catalog: Catalog
  readonly assets: LackingAssets
  readonly lineOf: (document: number) => Promise<Buffer>
  readonly left: Left[]
}

const atATime = 8

/** Uploads the files of the assets that the target lacks, and looks at the id that each gets: it has to be the one that the plan expects. */
export async function uploadAssets(rows: readonly Row[], needs: UploadNeeds, tools: Tools): Promise<void> {
  let done = 0
  await workThrough(rows.values(), { concurrency: atATime }, async (row) => {
    tools.signal.throwIfAborted()
    const why = await uploadOne(row, needs)
    if (why !== undefined) needs.left.push({ document: row.document, id: row.id, why })
    done++
    tools.log.progress(() => `Uploading: ${plural(done, 'file')} of ${plural(rows.length, 'asset')}`)
  })
}

/** Undefined, or why the asset is not there. */
async function uploadOne({ document, id }: Row, { api, catalog, assets, lineOf }: UploadNeeds): Promise<string | undefined> {
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
  return got === expected ? undefined : `its file came back as ${quoteOutside(got, 80)}, and ${expected} was expected`
}

/** Sanity takes the extension of a file from its name. */
function filenameFor(line: Buffer, extension: string): string {
  const { originalFilename } = JSON.parse(line.toString('utf8')) as Record<string, unknown>
  return typeof originalFilename === 'string' && originalFilename.toLowerCase().endsWith(`.${extension.toLowerCase()}`)
    ? originalFilename
    : `x.${extension}`
}
