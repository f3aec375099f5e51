import { evaluate, parse } from 'groq-js'

export type SanityDocument = { readonly _id: string; readonly _type: string; readonly [key: string]: unknown }

/** One line of an export, without its line end; `document` is missing if the line is not a document. */
export type Entry = { readonly line: Buffer; readonly document?: SanityDocument }

/** Lines that are made while they are sent, so that a dataset may be larger than memory. Called once for each export request. */
type Generated = {
  readonly lines: () => Iterable<Buffer | string> | AsyncIterable<Buffer | string>
  /** What every `count` query answers: the number of documents whose id does not begin with `_.`. */
  readonly count: number
}

export type DatasetOptions = {
  readonly aclMode?: 'public' | 'private'
  readonly documents?: readonly SanityDocument[]
  /** Bytes of whole lines, without line ends, to be exported exactly so. Those that parse are documents to all other routes. */
  readonly lines?: readonly (Buffer | string)[]
  readonly generated?: Generated
}

/** The documents of one dataset in the order in which an export sends them. */
export type Dataset = {
  readonly name: string
  readonly aclMode: 'public' | 'private'
  readonly generated: Generated | undefined
  readonly entries: readonly Entry[]
  readonly assets: Map<string, StoredAsset>
  documents(): SanityDocument[]
  find(id: string): SanityDocument | undefined
  /** Replaces the content at once; used by mutations, and by tests that change a dataset while an export runs. */
  put(document: SanityDocument): void
  remove(id: string): void
}

export type StoredAsset = { readonly bytes: Buffer; readonly contentType: string; readonly sha1: string; readonly md5: string }

export function makeDataset(name: string, options: DatasetOptions): Dataset {
  const entries: Entry[] = [
    ...(options.documents ?? []).map((document) => ({ line: Buffer.from(JSON.stringify(document)), document })),
    ...(options.lines ?? []).map(entryOf),
  ]
  const at = (id: string) => entries.findIndex((entry) => entry.document?._id === id)
  // Made at the first write only: large datasets that are merely exported need no index.
  let positions: Map<string, number> | undefined
  const index = () => {
    positions ??= new Map(entries.flatMap((entry, position) => (entry.document ? [[entry.document._id, position] as const] : [])))
    return positions
  }
  return {
    name,
    aclMode: options.aclMode ?? 'private',
    generated: options.generated,
    entries,
    assets: new Map(),
    documents: () => entries.flatMap((entry) => entry.document ?? []),
    find: (id) => {
      const position = index().get(id)
      return position === undefined ? undefined : entries[position]?.document
    },
    put(document) {
      const entry = { line: Buffer.from(JSON.stringify(sortKeys(document))), document: sortKeys(document) as SanityDocument }
      const position = index().get(document._id)
      if (position === undefined) index().set(document._id, entries.push(entry) - 1)
      else entries[position] = entry
    },
    remove(id) {
      const position = at(id)
      if (position < 0) return
      entries.splice(position, 1)
      positions = undefined
    },
  }
}

/** Evaluates GROQ over documents: groq-js is Sanity's own implementation of the specification. */
export async function evaluateGroq(query: string, documents: readonly SanityDocument[], params: Record<string, unknown>): Promise<unknown> {
  const value = await evaluate(parse(query, { params }), { dataset: documents, params })
  return await value.get()
}

/**
 * Documents that a perspective shows: sanity.io docs, perspectives. `raw` is everything, `published` leaves drafts and versions out.
 */
export function inPerspective(documents: readonly SanityDocument[], perspective: string): readonly SanityDocument[] {
  if (perspective === 'raw') return documents
  const published = documents.filter(({ _id }) => !isDraftOrVersion(_id))
  if (perspective === 'published') return published
  const drafts = new Map(documents.filter(({ _id }) => _id.startsWith('drafts.')).map((draft) => [draft._id.slice(7), draft]))
  const merged = published.map((document) => ({ ...(drafts.get(document._id) ?? document), _id: document._id }))
  const ids = new Set(merged.map(({ _id }) => _id))
  return [...merged, ...[...drafts].filter(([id]) => !ids.has(id)).map(([id, draft]) => ({ ...draft, _id: id }))]
}

/** Documents on the root path are public in a public dataset, every other one needs a token: sanity.io docs, ids and paths. */
export const isPublicId = (id: string): boolean => !id.includes('.')

const isDraftOrVersion = (id: string): boolean => id.startsWith('drafts.') || id.startsWith('versions.')

export function entryOf(raw: Buffer | string): Entry {
  const line = Buffer.from(raw)
  try {
    const value: unknown = JSON.parse(line.toString('utf8'))
    return isDocument(value) ? { line, document: value } : { line }
  } catch {
    return { line }
  }
}

function isDocument(value: unknown): value is SanityDocument {
  return typeof value === 'object' && value !== null && '_id' in value && typeof value._id === 'string' && '_type' in value
}

/** Exports seen in public repositories have their keys in alphabetical order at every depth. */
function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sortKeys(item)]),
  )
}
