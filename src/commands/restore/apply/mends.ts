import type { Catalog } from '../../../restore/catalog.ts'
import { mendAsset } from '../../../restore/mend.ts'
import type { Row } from '../../../restore/plan.ts'
import { plural } from '../../../text.ts'
import type { Tools } from '../../../tools.ts'
import type { LackingAssets } from '../assets.ts'
import { type Writing, whyLeft } from './writes.ts'

type MendNeeds = {
  readonly writing: Writing
  readonly catalog: Catalog
  readonly assets: Pick<LackingAssets, 'newIds'>
  readonly sameDataset: boolean
}

/** So many documents are asked for, and patched, at a time. */
const groupSize = 100

/** Gives the documents of assets what people wrote into them, after their files are there: the rest is the server's own business. */
export async function mendAssets(rows: readonly Row[], needs: MendNeeds, tools: Tools): Promise<void> {
  for (let start = 0; start < rows.length; start += groupSize) {
    tools.signal.throwIfAborted()
    await mendGroup(rows.slice(start, start + groupSize), needs)
    tools.log.progress(() => `Restoring what was written about ${plural(start + groupSize, 'asset')} of ${rows.length}`)
  }
}

async function mendGroup(rows: readonly Row[], { writing, catalog, assets, sameDataset }: MendNeeds): Promise<void> {
  const idOf = (row: Row) => catalog.idOf(assets.newIds.get(row.document) ?? row.document)
  const there = await writing.api.read(rows.map(idOf))
  const mended: { readonly row: Row; readonly mutations: readonly Buffer[] }[] = []
  for (const row of rows) {
    const now = there.get(idOf(row))
    // Its file did not come: that is listed already.
    if (now === undefined) continue
    const isNew = assets.newIds.has(row.document)
    const revision = row.intent === 'upload' ? undefined : writing.revisionOf(assets.newIds.get(row.document) ?? row.document)
    const mutations = mendAsset({ id: idOf(row), line: await writing.lineOf(row.document), now, sameDataset, isNew, revision })
    if (mutations.length > 0) mended.push({ row, mutations })
  }
  await send(mended, writing)
}

async function send(mended: readonly { readonly row: Row; readonly mutations: readonly Buffer[] }[], writing: Writing): Promise<void> {
  if (mended.length === 0) return
  const transactionId = crypto.randomUUID()
  const written = await writing.api.mutate(
    mended.flatMap(({ mutations }) => mutations),
    { transactionId },
  )
  if (written.kind === 'committed') {
    writing.journal.committed(
      transactionId,
      mended.map(({ row }) => row.id),
    )
    return
  }
  // Few are refused as a rule: one by one it is clear which.
  if (mended.length > 1) for (const each of mended) await send([each], writing)
  else for (const { row } of mended) writing.left.push({ document: row.document, id: row.id, why: whyLeft(written.problems[0]) })
}
