import { BackupError } from '../../errors.ts'
import type { Deadlines } from '../../http/body.ts'
import { itemsOfMember } from '../../streams/json/items.ts'
import { scanDocument } from '../../streams/json/scan.ts'
import { quoteOutside } from '../../text.ts'
import type { SanityApi } from '../api.ts'
import { cutWrite, notAnAnswer } from '../errors/write.ts'
import { parseRecord, textIn } from './problems.ts'
import { tag } from './tag.ts'

/** As many as Sanity's own client asks for: `@sanity/client` src/data/dataMethods.ts. */
const mostIds = 100
/** The head of a request may have 15 KB (sanity.io/docs/content-lake/technical-limits), and proxies take less. */
const mostIdBytes = 6_000
/** A document may have 32 MB: a hundred of those would not fit into memory. */
const mostAnswerBytes = 64 * 1024 * 1024

const readDeadlines: Deadlines = { firstByteMs: 75_000, idleMs: 30_000, totalMs: 300_000 }
const what = 'documents by their ids'

/** Ids in groups that one request can ask for. Those that no document can have, and that would lead to another path, are left out. */
export function groupsOf(ids: Iterable<string>): string[][] {
  const groups: string[][] = []
  let bytes = 0
  for (const id of ids) {
    if (/^\.*$/.test(id)) continue
    const last = groups.at(-1)
    const idBytes = encodeURIComponent(id).length + 1
    if (last && last.length < mostIds && bytes + idBytes <= mostIdBytes) {
      last.push(id)
      bytes += idBytes
    } else {
      groups.push([id])
      bytes = idBytes
    }
  }
  return groups
}

/**
 * Reads documents by their ids (`/data/doc`), which are as they were written last: no index lies in between (sanity-io/client CONTRIBUTING.md).
 * Gives their JSON as it came; absent ones are left out. Throws what {@link SanityApi.open} throws, and `sanity-forbidden` where a document is
 * there that the token may not read. An answer of more than `mostBytes` is asked for in halves.
 */
export async function readGroup(
  api: SanityApi,
  ids: readonly string[],
  mostBytes = mostAnswerBytes,
): Promise<[id: string, json: Buffer][]> {
  const path = `/data/doc/${api.source.dataset}/${ids.map(encodeURIComponent).join(',')}`
  const pieces = await api.open(path, { query: { tag }, deadlines: readDeadlines, what, cut: cutWrite })
  const body = await wholeUnless(pieces, ids.length === 1 ? Number.POSITIVE_INFINITY : mostBytes)
  if (!body) {
    const half = Math.ceil(ids.length / 2)
    return [...(await readGroup(api, ids.slice(0, half), mostBytes)), ...(await readGroup(api, ids.slice(half), mostBytes))]
  }
  const documents = itemsOfMember(body, 'documents')
  if (!documents) throw notAnAnswer({ what, url: new URL(api.source.apiHost) })
  refuseHidden(itemsOfMember(body, 'omitted') ?? [])
  return documents.map((json) => {
    const scanned = scanDocument(json)
    if (!scanned) throw notAnAnswer({ what, url: new URL(api.source.apiHost) })
    return [scanned.id, Buffer.from(json)]
  })
}

/** A document that is hidden from the token must not pass for one that is not there. */
function refuseHidden(omitted: readonly Buffer[]): void {
  for (const json of omitted) {
    const omission = parseRecord(json)
    // `existence` or `permission`: sanity-io/sanity core/preview/availability.ts.
    if (textIn(omission, 'reason') !== 'permission') continue
    throw new BackupError({
      code: 'sanity-forbidden',
      title: 'The Sanity token may not read a document that it is to write',
      message: `Document "${quoteOutside(textIn(omission, 'id'), 150)}" is there, but hidden from the token.`,
      hint: 'Give the token the Editor role at sanity.io/manage (project, API, Tokens), and run the restore again.',
    })
  }
}

/** The whole body; undefined if it has more bytes than that. */
async function wholeUnless(pieces: AsyncIterable<Buffer>, mostBytes: number): Promise<Buffer | undefined> {
  const taken: Buffer[] = []
  let bytes = 0
  for await (const piece of pieces) {
    bytes += piece.length
    if (bytes > mostBytes) return undefined
    taken.push(piece)
  }
  return Buffer.concat(taken)
}
