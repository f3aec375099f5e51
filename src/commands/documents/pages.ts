import { BackupError } from '../../errors.ts'
import { retrying, retryRules } from '../../http/retry.ts'
import { classifyLine } from '../../sanity/export/line.ts'
import { exportPage } from '../../sanity/export/page.ts'
import type { ExportedDocument } from '../../sanity/export/stream.ts'
import { makeSpool, otherPages, type Spool } from '../../snapshot/write/page-spool.ts'
import { idSet, keyJournal, keyOf } from '../../streams/id-set.ts'
import { plural } from '../../text.ts'
import type { Tools } from '../../tools.ts'
import { type Exported, exportProgress, type WayNeeds } from './way.ts'

/** Pages one after the other that bring no new document: a server that goes on like that goes on for ever. */
const barrenPages = 10
/** Documents that come twice are remembered one by one. More of them are no edits, but a server that repeats itself. */
const mostRepeats = 1_000_000

/**
 * Saves the documents page by page. Each page lies on disk, whole, before the next is asked for, and one that fails is fetched again from its own
 * cursor: nothing of a half page counts, and what is there stays. A document that was changed meanwhile can come twice: the later one is kept.
 * Throws `export-invalid` for a server that comes to no end.
 */
export async function savePages(needs: WayNeeds, tools: Tools): Promise<Exported> {
  const { pagesFolder, startTally, intake, write } = needs
  const spool = makeSpool(pagesFolder)
  const repeats = await fetchPages(needs, spool, tools)
  tools.log.info('All pages are there. They are put together.')
  const tally = startTally()
  intake?.restart()
  const lines = async function* (): AsyncGenerator<Buffer[]> {
    for await (const batch of spool.read()) {
      tools.signal.throwIfAborted()
      const documents = batch.map(documentIn).filter(isLast(repeats.left))
      await intake?.take(documents)
      yield tally.pick(documents)
    }
  }
  const data = await write(lines())
  return { tally: tally.result(), data, repeated: repeats.count }
}

/** How often each document that came more than once is still to come when the pages are read again, by its key; and how many came too often. */
type Repeats = { readonly left: Map<string, number>; count: number }

async function fetchPages({ api, types, intake }: WayNeeds, spool: Spool, tools: Tools): Promise<Repeats> {
  const progress = exportProgress(tools)
  const seen = idSet()
  const cursors = new Set<string>()
  const repeats: Repeats = { left: new Map(), count: 0 }
  let cursor = ''
  let barren = 0
  for (let page = 1; ; page++) {
    const { keys, next } = await retrying(() => fetchPage({ api, types, cursor, spool, intake, progress }), retryRules(tools))
    barren = remember(keys, seen, repeats) === 0 ? barren + 1 : 0
    if (next === undefined) return repeats
    if (cursors.has(next)) throw endless(`Page ${page} ends with a cursor that has been there before`)
    if (barren === barrenPages) throw endless(`The last ${barrenPages} of ${page} pages brought nothing new`)
    if (repeats.left.size > mostRepeats) throw endless(`${plural(repeats.count, 'document')} came more than once`)
    cursors.add(next)
    cursor = next
  }
}

type PageNeeds = Pick<WayNeeds, 'api' | 'types' | 'intake'> & {
  readonly cursor: string
  readonly spool: Spool
  readonly progress: (batch: readonly ExportedDocument[]) => void
}

/** What came on a page: the keys of its documents in order, and the cursor of the next page; undefined after the last. */
type FetchedPage = { readonly keys: () => Generator<string>; readonly next: string | undefined }

async function fetchPage({ api, types, cursor, spool, intake, progress }: PageNeeds): Promise<FetchedPage> {
  const journal = keyJournal()
  let next: string | undefined
  const lines = async function* (): AsyncGenerator<Buffer[]> {
    const page = exportPage(api, { types, cursor })
    try {
      for (;;) {
        const { done, value } = await page.next()
        if (done) {
          next = value
          return
        }
        for (const { id } of value) journal.add(id)
        progress(value)
        await intake?.take(value)
        yield value.map(({ bytes }) => bytes)
      }
    } finally {
      await page.return(undefined)
    }
  }
  await spool.write(lines())
  return { keys: journal.keys, next }
}

/** Adds a whole page to what was seen. Gives how many of its documents are new. */
function remember(keys: () => Generator<string>, seen: ReturnType<typeof idSet>, repeats: Repeats): number {
  let fresh = 0
  for (const key of keys()) {
    if (seen.addKey(key)) fresh++
    else {
      repeats.left.set(key, (repeats.left.get(key) ?? 1) + 1)
      repeats.count++
    }
  }
  return fresh
}

function documentIn(bytes: Buffer): ExportedDocument {
  const line = classifyLine(bytes)
  if (line.kind !== 'document') throw otherPages('a line is no document')
  return { id: line.id, type: line.type, bytes }
}

/** Whether a document does not come again, for documents in the order in which they came. */
function isLast(left: Map<string, number>): (document: ExportedDocument) => boolean {
  return ({ id }) => {
    if (left.size === 0) return true
    const key = keyOf(id)
    const times = left.get(key) ?? 1
    left.set(key, times - 1)
    if (times === 1) left.delete(key)
    return times === 1
  }
}

function endless(fact: string): BackupError {
  return new BackupError({
    code: 'export-invalid',
    title: 'The pages of the export never end',
    message: `${fact}, so the export would go in a circle.`,
    hint: 'Run the backup again, with `export-mode: stream` if the dataset is small enough for one request. If it comes back, check that `api-host` is Sanity itself, and show this message to Sanity support.',
  })
}
