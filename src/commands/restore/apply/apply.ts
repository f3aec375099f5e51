import { overhead } from '../../../restore/mutations/mutations.ts'
import { orderWrites, type Step } from '../../../restore/order/order.ts'
import { isSameContent } from '../../../restore/plan/look.ts'
import type { Row } from '../../../restore/plan/plan.ts'
import type { WriteApi } from '../../../sanity/write/write.ts'
import type { LineStore } from '../../../snapshot/write/numbered-lines.ts'
import type { Tools } from '../../../tools.ts'
import type { Prepared } from '../prepare.ts'
import type { Journal } from './journal.ts'
import type { Lanes } from './lanes.ts'
import type { LeftOnes } from './left.ts'
import { mendAssets } from './mends.ts'
import { writeReleases } from './releases.ts'
import { uploadAssets } from './uploads.ts'
import { type Writing, writeStep } from './writes.ts'

type ApplyNeeds = {
  readonly prepared: Prepared
  readonly lines: LineStore
  readonly api: WriteApi
  readonly journal: Journal
  readonly lanes: Lanes
  readonly left: LeftOnes
  readonly done: { documents: number }
}

/**
 * Carries a plan out: files of assets, releases, what is new, what is to be replaced, what people wrote about assets, and last what has to go. What
 * somebody changed meanwhile, or the server does not take, is left and listed. Throws what ends the run; then the same run again goes on.
 */
export async function applyPlan(needs: ApplyNeeds, tools: Tools): Promise<void> {
  const { prepared, lines, api, journal, left } = needs
  const { catalog, assets, plan, sameDataset } = prepared
  const rows = plan.rows.filter(({ action }) => action !== 'blocked')
  const writing = writingOf(needs, rows)
  const of = (...intents: readonly Row['intent'][]) => rows.filter(({ intent }) => intents.includes(intent))
  const steps = orderWrites({
    creates: numbers(of('create')),
    replaces: numbers(of('replace')),
    retypes: numbers(of('retype')),
    deletes: numbers(of('delete')),
    refersInSnapshot: (document) => catalog.referencesOf('snapshot', document),
    refersInTarget: (document) => catalog.referencesOf('target', document),
    size: (document) => catalog.bytesOf('snapshot', document) + overhead[catalog.has('target', document) ? 'replace' : 'create'],
  })
  await uploadAssets(of('upload'), { api, catalog, assets, lineOf: lines.get, journal, left }, tools)
  await writeReleases(of('make-release', 'edit-release'), tools, writing)
  await writeSteps(steps, 'before deletes', writing, tools)
  await mendAssets(of('upload', 'mend-asset'), { writing, catalog, assets, sameDataset }, tools)
  await writeSteps(steps, 'deletes', writing, tools)
}

function numbers(rows: readonly Row[]): number[] {
  return rows.map(({ document }) => document)
}

async function writeSteps(steps: readonly Step[], which: 'before deletes' | 'deletes', writing: Writing, tools: Tools): Promise<void> {
  for (const step of steps) {
    if ((step.kind === 'delete') === (which === 'deletes')) await writeStep(step, writing, tools)
  }
}

function writingOf({ prepared, lines, api, journal, lanes, left, done }: ApplyNeeds, rows: readonly Row[]): Writing {
  const { catalog } = prepared
  const revisions = new Map<number, string>()
  return {
    catalog,
    lineOf: lines.get,
    revisionOf: (document) => revisions.get(document) ?? catalog.revisionOf(document),
    api,
    journal,
    lanes,
    isThere: async (document, now) => {
      if (!catalog.has('snapshot', document)) return now === undefined
      return now !== undefined && isSameContent(await lines.get(document), now)
    },
    wrote: (document, transactionId) => void revisions.set(document, transactionId),
    left,
    settled: new Set(),
    done,
    of: rows.length,
  }
}
