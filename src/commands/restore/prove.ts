import type { RestoreInputs } from '../../inputs/restore.ts'
import type { SanityApi } from '../../sanity/api.ts'
import type { SnapshotFolder } from '../../snapshot/workshop/workshop.ts'
import { formatDuration, plural } from '../../text.ts'
import type { Tools } from '../../tools.ts'
import type { Journal } from './apply/journal.ts'
import type { Proof } from './outcome.ts'
import type { Prepared } from './prepare.ts'
import { readTarget, unwritten } from './target.ts'

type ProveNeeds = {
  readonly prepared: Prepared
  readonly api: SanityApi
  readonly journal: Journal
  readonly workshop: SnapshotFolder
}

/**
 * Reads the target again and makes the plan once more: it must have nothing left to do but what was blocked from the beginning. Throws what reading
 * throws.
 */
export async function prove(inputs: RestoreInputs, { prepared, api, journal, workshop }: ProveNeeds, tools: Tools): Promise<Proof> {
  const startedMs = performance.now()
  tools.log.info('Reading the target again, to compare it with the snapshot')
  const { catalog, rules, targetFilters, plan } = prepared
  const needs = { api, token: inputs.token, filters: targetFilters, pagesFolder: workshop.pages, write: unwritten, catalog, rules }
  catalog.forget('target')
  const now = prepared.planAgain(await readTarget(needs, tools))
  const accepted = new Set(plan.rows.filter(({ action }) => action === 'blocked').map(({ document }) => document))
  const differs = now.rows
    .filter(({ document }) => !accepted.has(document))
    .map(({ id, action, document }) => {
      const there = catalog.has('target', document)
      return { id, action, byOthers: there && !journal.isOurs(catalog.revisionOf(document)) }
    })
  tools.log.info(
    `Compared in ${formatDuration(performance.now() - startedMs)}: ${plural(now.unchanged, 'document')} equal, ${differs.length} different`,
  )
  return { equal: now.unchanged, differs }
}
