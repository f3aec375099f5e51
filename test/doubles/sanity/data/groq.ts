import { evaluate, parse } from 'groq-js'
import type { SanityDocument } from './store.ts'

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
