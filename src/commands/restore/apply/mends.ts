import { mendAsset } from '../../../restore/mutations/mend.ts'
import { stampsIn } from '../../../restore/mutations/stamps.ts'
import type { Catalog } from '../../../restore/plan/catalog.ts'
import type { Row } from '../../../restore/plan/plan.ts'
import { formatCount, plural } from '../../../text.ts'
import type { Tools } from '../../../tools.ts'
import type { LackingAssets } from '../assets.ts'
import type { Writing } from './writes.ts'

type MendNeeds = {
  readonly writing: Writing
  readonly catalog: Catalog
  readonly assets: Pick<LackingAssets, 'newIds'>
  readonly sameDataset: boolean
}

/** So many documents are asked for at a time. */
const groupSize = 100
/** As much as one of the other transactions holds. */
const mostBytes = 256 * 1024

type Mended = { readonly row: Row; readonly revision: string; readonly mutations: readonly Buffer[] }

/** Gives the documents of assets what people wrote into them, after their files are there: the rest is the server's own business. */
export async function mendAssets(rows: readonly Row[], needs: MendNeeds, tools: Tools): Promise<void> {
  for (let start = 0; start < rows.length; start += groupSize) {
    tools.signal.throwIfAborted()
    await mendGroup(rows.slice(start, start + groupSize), needs)
    const done = Math.min(start + groupSize, rows.length)
    tools.log.progress(() => `Restoring what was written about assets: ${formatCount(done)} of ${plural(rows.length, 'asset')}`)
  }
}

async function mendGroup(rows: readonly Row[], { writing, catalog, assets, sameDataset }: MendNeeds): Promise<void> {
  const { api, left, lineOf, revisionOf, done } = writing
  const numberOf = ({ document }: Row) => assets.newIds.get(document) ?? document
  const idOf = (row: Row) => catalog.idOf(numberOf(row))
  const wanted = rows.filter(({ document }) => !left.has(document))
  const there = await api.read(wanted.map(idOf))
  let batch: Mended[] = []
  let bytes = 0
  for (const row of wanted) {
    const { document, id } = row
    const now = there.get(idOf(row))
    // The server may still look at a file that was just uploaded, and write what it finds: only what the plan saw has a revision to hold on to.
    const revision = row.intent === 'upload' && now ? stampsIn(now).revision : revisionOf(numberOf(row))
    if (now === undefined) {
      left.add({ document, id, revision }, { type: 'missing', others: [], words: '' })
      continue
    }
    const mutations = mendAsset({ id: idOf(row), line: await lineOf(document), now, sameDataset, isNew: assets.newIds.has(document) })
    if (mutations.length === 0) {
      done.documents++
      continue
    }
    if (stampsIn(now).revision !== revision) {
      left.add({ document, id, revision }, { type: 'revision', others: [], words: '' })
      continue
    }
    const length = mutations.reduce((sum, mutation) => sum + mutation.length, 0)
    if (bytes + length > mostBytes) {
      await send(batch, writing)
      batch = []
      bytes = 0
    }
    batch.push({ row, revision, mutations })
    bytes += length
  }
  await send(batch, writing)
}

async function send(mended: readonly Mended[], writing: Writing): Promise<void> {
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
    writing.done.documents += mended.length
    return
  }
  // Few are refused as a rule: one by one it is clear which.
  if (mended.length > 1) for (const each of mended) await send([each], writing)
  else {
    for (const { row, revision } of mended) {
      writing.left.add({ document: row.document, id: row.id, revision }, written.problems[0] ?? { type: 'other', others: [], words: '' })
    }
  }
}
