import { membersOf } from '../canonical/canonical.ts'

/** What Sanity keeps of a document beside its content: the revision, empty where there is none, and when it was made, in milliseconds, NaN where that is not said. */
export type Stamps = { readonly revision: string; readonly createdMs: number }

/** Reads the stamps of a document's line. Of a key that comes twice the last counts. */
export function stampsIn(line: Buffer): Stamps {
  let revision = ''
  let createdMs = Number.NaN
  for (const { key, valueAt, valueEnd } of membersOf(line)) {
    if (key === '_rev') revision = textIn(line, valueAt, valueEnd)
    else if (key === '_createdAt') createdMs = Date.parse(textIn(line, valueAt, valueEnd))
  }
  return { revision, createdMs }
}

function textIn(line: Buffer, start: number, end: number): string {
  const value: unknown = JSON.parse(line.toString('utf8', start, end))
  return typeof value === 'string' ? value : ''
}
