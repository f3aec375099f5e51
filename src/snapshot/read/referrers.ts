import { isSealed } from '../../format/manifest/sealed.ts'
import { placedLines } from './document-lines.ts'

type Search = { readonly folder: string; readonly data: string; readonly ids: readonly string[]; readonly signal: AbortSignal }

/** So many documents are named for each id. */
const mostReferrers = 5

/** The ids of the first documents in a data file that refer to each of some ids (`"_ref": "<id>"`), by the id that is referred to. */
export async function findReferrers({ folder, data, ids, signal }: Search): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  // Of what is encrypted nobody is to learn who refers to what.
  if (ids.length === 0 || isSealed({ path: data })) return found
  const escaped = ids.map((id) => id.replace(/[^A-Za-z0-9]/g, '\\$&'))
  const references = new RegExp(`"_ref"\\s*:\\s*"(${escaped.join('|')})"`, 'g')
  for await (const lines of placedLines({ folder, path: data }, { signal })) for (const { line } of lines) note(line, references, found)
  return found
}

/** Ids of assets are ASCII, so a line need not be decoded to be searched. */
function note(line: Buffer, references: RegExp, found: Map<string, string[]>): void {
  const named = new Set([...line.toString('latin1').matchAll(references)].map(([, id = '']) => id))
  for (const id of named) {
    const referrers = found.get(id) ?? []
    if (referrers.length < mostReferrers) found.set(id, [...referrers, idOf(line)])
  }
}

function idOf(line: Buffer): string {
  const { _id: id } = JSON.parse(line.toString('utf8')) as Record<string, unknown>
  return String(id)
}
