import { createOf, patchOf, replaceOf } from '../../../restore/mutations.ts'
import type { Batch, Step } from '../../../restore/order.ts'
import { fitsInOne, partsOf } from '../../../restore/parts.ts'
import { withWeakened } from '../../../restore/rewrite.ts'
import type { Problem, WriteApi, Written } from '../../../sanity/write/write.ts'
import { workThrough } from '../../../streams/workers.ts'
import { plural } from '../../../text.ts'
import type { Tools } from '../../../tools.ts'
import { type BatchNeeds, mutationsOf } from './batch.ts'
import type { Journal } from './journal.ts'

/** A document that was not written, and why: somebody changed it meanwhile, or the server has something against it. */
export type Left = { readonly document: number; readonly id: string; readonly why: string }

/** What the writes of a restore share. */
export type Writing = BatchNeeds & {
  readonly api: WriteApi
  readonly journal: Journal
  /** Whether the document is by now what the snapshot has: then whoever was faster did the same. */
  readonly isThere: (document: number, now: Buffer | undefined) => Promise<boolean>
  /** This run wrote the document: from now on this is its revision; undefined once it is deleted. */
  readonly wrote: (document: number, transactionId: string) => void
  readonly left: Left[]
  readonly done: { documents: number; readonly of: number }
}

/** Transactions at a time. */
const atATime = 6

/** Sends the batches of a step. One that is refused because of some documents is sent again without them; those are listed. Throws what ends a run. */
export async function writeStep({ batches }: Step, writing: Writing, tools: Tools): Promise<void> {
  await workThrough(batches.values(), { concurrency: atATime }, async (batch) => {
    tools.signal.throwIfAborted()
    await writeBatch(batch, writing)
    tools.log.progress(() => `Restoring: ${plural(writing.done.documents, 'document')} of ${writing.done.of.toLocaleString('en-US')}`)
  })
}

async function writeBatch(batch: Batch, writing: Writing): Promise<void> {
  const large = await findLarge(batch, writing)
  if (large) return await writeInParts(large, writing)
  const { mutations, documents } = await mutationsOf(batch, writing)
  const transactionId = crypto.randomUUID()
  const written = await writing.api.mutate(mutations, { transactionId })
  if (written.kind === 'committed') note(new Set(documents), transactionId, writing)
  else await goOnWithout(batch, { written, documents }, writing)
}

/** A batch that is about one document alone, if that is too large for a mutation. */
async function findLarge({ writes }: Batch, { catalog, lineOf }: Writing): Promise<Large | undefined> {
  const [first] = writes
  const last = writes.at(-1)
  if (!first || !last || last.kind === 'delete' || last.kind === 'clear' || writes.some(({ document }) => document !== first.document))
    return undefined
  if (fitsInOne(catalog.bytesOf('snapshot', last.document))) return undefined
  const line = await lineOf(last.document)
  const written = last.kind === 'weak' ? withWeakened(line, new Set(last.targets.map(catalog.idOf))) : line
  const isNew = first.kind === 'create' || first.kind === 'stub' || (first.kind === 'weak' && !first.replaces)
  return { document: last.document, line: written, isNew }
}

function note(documents: ReadonlySet<number>, transactionId: string, { journal, wrote, catalog, done }: Writing): void {
  journal.committed(transactionId, [...documents].map(catalog.idOf))
  for (const document of documents) wrote(document, transactionId)
  done.documents += documents.size
}

type Refused = { readonly written: Extract<Written, { readonly kind: 'refused' }>; readonly documents: readonly number[] }

/** Nothing of a refused batch was written: it is sent again without what was refused, or in halves where that is not said. */
async function goOnWithout(batch: Batch, { written, documents }: Refused, writing: Writing): Promise<void> {
  const problems = new Map<number, Problem>()
  for (const problem of written.problems) {
    const document = (problem.id === undefined ? undefined : writing.catalog.numberOf(problem.id)) ?? documents[problem.index]
    if (document !== undefined && documents.includes(document) && !problems.has(document)) problems.set(document, problem)
  }
  const all = new Set(documents)
  if (problems.size === 0 && all.size > 1) return await inHalves(batch, writing)
  const refused: [number, Problem | undefined][] = problems.size > 0 ? [...problems] : [...all].map((each) => [each, written.problems[0]])
  const now = await writing.api.read(refused.map(([document]) => writing.catalog.idOf(document)))
  for (const [document, problem] of refused) {
    const id = writing.catalog.idOf(document)
    if (await writing.isThere(document, now.get(id))) continue
    writing.left.push({ document, id, why: whyLeft(problem) })
  }
  const without = new Set(refused.map(([document]) => document))
  const rest = batch.writes.filter(({ document }) => !without.has(document))
  if (rest.length > 0) await writeBatch({ writes: rest }, writing)
}

/** The writes of one document stay together, and those of a cycle cannot be divided: then each document is left that the server refuses. */
async function inHalves({ writes }: Batch, writing: Writing): Promise<void> {
  const documents = [...new Set(writes.map(({ document }) => document))]
  const first = new Set(documents.slice(0, Math.ceil(documents.length / 2)))
  await writeBatch({ writes: writes.filter(({ document }) => first.has(document)) }, writing)
  await writeBatch({ writes: writes.filter(({ document }) => !first.has(document)) }, writing)
}

/** Why a document was not written, as the end of a sentence that begins with its id. */
export function whyLeft(problem: Problem | undefined): string {
  switch (problem?.type) {
    case 'exists':
      return 'somebody made it after the plan was made'
    case 'revision':
      return 'somebody changed it after the plan was made'
    case 'missing':
      return 'somebody deleted it after the plan was made'
    case 'reference-missing':
      return `it refers to ${problem.others.slice(0, 3).join(', ')}, which is not there`
    case 'still-referred':
      return `${problem.others.slice(0, 3).join(', ')} refers to it by now`
    default:
      return `Sanity says: ${problem?.words || 'nothing'}`
  }
}

type Large = { readonly document: number; readonly line: Buffer; readonly isNew: boolean }

/** A document that no single mutation can hold: one transaction after the other, each locked to the one before. */
async function writeInParts({ document, line, isNew }: Large, writing: Writing): Promise<void> {
  const parts = partsOf(line)
  const id = writing.catalog.idOf(document)
  if (parts === undefined) throw new Error(`${id} cannot be written in parts`)
  const first = isNew ? createOf(parts.first) : replaceOf({ id, revision: writing.revisionOf(document) }, parts.first)
  const bodies = [() => first, ...parts.groups.map((group) => () => patchOf({ id, revision: writing.revisionOf(document) }, group))]
  for (const body of bodies) {
    const transactionId = crypto.randomUUID()
    const written = await writing.api.mutate(body(), { transactionId })
    if (written.kind === 'refused') {
      writing.left.push({ document, id, why: whyLeft(written.problems[0]) })
      return
    }
    writing.journal.committed(transactionId, [id])
    writing.wrote(document, transactionId)
  }
  writing.done.documents++
}
