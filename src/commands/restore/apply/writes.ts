import { withWeakened } from '../../../restore/canonical/rewrite.ts'
import { createOf, patchOf, replaceOf } from '../../../restore/mutations/mutations.ts'
import { fitsInOne, partsOf } from '../../../restore/mutations/parts.ts'
import { asUnfinished, unfinishedMember } from '../../../restore/mutations/unfinished.ts'
import type { Batch, Step } from '../../../restore/order/order.ts'
import type { WriteApi, Written } from '../../../sanity/write/write.ts'
import { workThrough } from '../../../streams/workers.ts'
import { formatCount, plural } from '../../../text.ts'
import type { Tools } from '../../../tools.ts'
import { type BatchNeeds, mutationsOf } from './batch.ts'
import type { Journal } from './journal.ts'
import { atATime, type Lanes } from './lanes.ts'
import type { LeftOnes } from './left.ts'
import { findRefused } from './refused.ts'

/** What the writes of a restore share. */
export type Writing = BatchNeeds & {
  readonly api: WriteApi
  readonly journal: Journal
  readonly lanes: Lanes
  /** Whether the document is by now what the snapshot has: then whoever was faster did the same. */
  readonly isThere: (document: number, now: Buffer | undefined) => Promise<boolean>
  /** This run wrote the document: from now on this is its revision. */
  readonly wrote: (document: number, transactionId: string) => void
  readonly left: LeftOnes
  /** Documents that need no further write: somebody else has brought them back. */
  readonly settled: Set<number>
  /** Documents that are as they should be by now, of all that were to be written. */
  readonly done: { documents: number }
  readonly of: number
}

/** Sends the batches of a step. One that is refused because of some documents is sent again without them; those are listed. Throws what ends a run. */
export async function writeStep({ batches }: Step, writing: Writing, tools: Tools): Promise<void> {
  await workThrough(batches.values(), { concurrency: atATime }, async (batch) => {
    await writing.lanes.during(async () => {
      tools.signal.throwIfAborted()
      await writeBatch(batch, writing)
    })
    tools.log.progress(() => `Restoring: ${plural(writing.done.documents, 'document')} of ${formatCount(writing.of)}`)
  })
}

async function writeBatch(wanted: Batch, writing: Writing): Promise<void> {
  // What was left in an earlier step must not be written in a later one: somebody else's it is, or it is not there.
  const batch = { writes: wanted.writes.filter(({ document }) => !writing.left.has(document) && !writing.settled.has(document)) }
  if (batch.writes.length === 0) return
  const large = await findLarge(batch, writing)
  if (large) return await writeInParts(large, writing)
  const { mutations, documents } = await mutationsOf(batch, writing)
  const transactionId = crypto.randomUUID()
  const written = await writing.api.mutate(mutations, { transactionId })
  if (written.kind === 'committed') note(batch, transactionId, writing)
  else await goOnWithout(batch, { written, documents }, writing)
}

function note({ writes }: Batch, transactionId: string, { journal, wrote, catalog, done }: Writing): void {
  const last = new Map(writes.map((write) => [write.document, write]))
  journal.committed(transactionId, [...last.keys()].map(catalog.idOf))
  for (const { document, kind } of last.values()) {
    wrote(document, transactionId)
    // Another write follows in a later step.
    if (kind !== 'weak' && kind !== 'clear') done.documents++
  }
}

type Refused = { readonly written: Extract<Written, { readonly kind: 'refused' }>; readonly documents: readonly number[] }

/** Nothing of a refused batch was written: it is sent again without what was refused, or in halves where that is not said. */
async function goOnWithout(batch: Batch, { written, documents }: Refused, writing: Writing): Promise<void> {
  const refused = await findRefused(batch, { written, documents }, writing)
  if (refused.size === 0) return await inHalves(batch, writing)
  for (const [document, { problem, now }] of refused) {
    if (await writing.isThere(document, now)) {
      writing.settled.add(document)
      writing.done.documents++
    } else writing.left.add({ document, id: writing.catalog.idOf(document), revision: writing.revisionOf(document) }, problem)
  }
  await writeBatch({ writes: batch.writes.filter(({ document }) => !refused.has(document)) }, writing)
}

/** The writes of one document stay together, and those of a cycle cannot be divided: then each document is left that the server refuses. */
async function inHalves({ writes }: Batch, writing: Writing): Promise<void> {
  const documents = [...new Set(writes.map(({ document }) => document))]
  const first = new Set(documents.slice(0, Math.ceil(documents.length / 2)))
  await writeBatch({ writes: writes.filter(({ document }) => first.has(document)) }, writing)
  await writeBatch({ writes: writes.filter(({ document }) => !first.has(document)) }, writing)
}

type Large = { readonly batch: Batch; readonly document: number; readonly line: Buffer; readonly isNew: boolean; readonly isWeak: boolean }

/** A batch that is about one document alone, if that is too large for a mutation. */
async function findLarge(batch: Batch, { catalog, lineOf }: Writing): Promise<Large | undefined> {
  const { writes } = batch
  const [first] = writes
  const last = writes.at(-1)
  if (!first || !last || last.kind === 'delete' || last.kind === 'clear' || writes.some(({ document }) => document !== first.document))
    return undefined
  if (fitsInOne(catalog.bytesOf('snapshot', last.document))) return undefined
  const line = await lineOf(last.document)
  const written = last.kind === 'weak' ? withWeakened(line, new Set(last.targets.map(catalog.idOf))) : line
  const isNew = first.kind === 'create' || first.kind === 'stub' || (first.kind === 'weak' && !first.replaces)
  return { batch, document: last.document, line: written, isNew, isWeak: last.kind === 'weak' }
}

/** A document that no single mutation can hold: one transaction after the other, each locked to the one before. */
async function writeInParts({ batch, document, line, isNew, isWeak }: Large, writing: Writing): Promise<void> {
  const parts = partsOf(line)
  const id = writing.catalog.idOf(document)
  if (parts === undefined) throw new Error(`${id} cannot be written in parts`)
  const head = asUnfinished(parts.first)
  const first = isNew ? createOf(head) : replaceOf({ id, revision: writing.revisionOf(document) }, head)
  const last = parts.groups.length - 1
  const patches = parts.groups.map((group, index) => () => {
    const unset = index === last && !isWeak ? [unfinishedMember] : []
    return patchOf({ id, revision: writing.revisionOf(document) }, group, unset)
  })
  const bodies = [() => first, ...patches]
  for (const [index, body] of bodies.entries()) {
    const transactionId = crypto.randomUUID()
    const mutations = body()
    const written = await writing.api.mutate(mutations, { transactionId })
    if (written.kind === 'refused') {
      const documents = mutations.map(() => document)
      // From the second part on it is a document of ours that is locked.
      const writes = index === 0 ? batch.writes : [{ kind: 'replace', document } as const]
      return await goOnWithout({ writes }, { written, documents }, writing)
    }
    writing.journal.committed(transactionId, [id])
    writing.wrote(document, transactionId)
  }
  writing.done.documents++
}
