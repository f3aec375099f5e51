import { createOf, deleteOf, fillOf, lockOf, stubOf } from '../../../restore/mutations/mutations.ts'
import { fitsInOne } from '../../../restore/mutations/parts.ts'
import type { Catalog } from '../../../restore/plan/catalog.ts'
import type { Row } from '../../../restore/plan/plan.ts'
import type { WriteApi } from '../../../sanity/write/write.ts'
import { releaseActionFor } from './releases.ts'

type RightsNeeds = {
  readonly api: WriteApi
  readonly catalog: Catalog
  readonly lineOf: (document: number) => Promise<Buffer>
}

/**
 * Asks by dry runs whether the token may do what the plan does: for one document of each action and each kind of id, since a role may hold for some of
 * them only. Whatever else the server has against a dry run says nothing. Throws `sanity-forbidden` with the right that is missing.
 */
export async function checkRights(rows: readonly Row[], { api, catalog, lineOf }: RightsNeeds): Promise<void> {
  const asked = new Set<string>()
  for (const row of rows) {
    const [space] = row.id.split('.', 1)
    const kind = `${row.intent} ${['drafts', 'versions', '_'].includes(space ?? '') ? space : ''}`
    if (asked.has(kind) || row.action === 'blocked' || row.action === 'upload') continue
    asked.add(kind)
    const options = { transactionId: crypto.randomUUID(), dryRun: true }
    if (/release/.test(row.intent)) await api.act(await releaseActionFor(row, lineOf), options)
    else await api.mutate(await mutationFor(row, { catalog, lineOf }), options)
  }
}

async function mutationFor({ action, intent, id, type, document }: Row, { catalog, lineOf }: Omit<RightsNeeds, 'api'>): Promise<Buffer[]> {
  if (action === 'delete') return deleteOf(id)
  if (intent === 'mend-asset') return lockOf({ id, revision: catalog.revisionOf(document) })
  if (!fitsInOne(catalog.bytesOf('snapshot', document))) return stubOf(id, type)
  return action === 'create' ? createOf(await lineOf(document)) : fillOf(await lineOf(document))
}
