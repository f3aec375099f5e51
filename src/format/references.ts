import { closeBrace, closingQuote, colon, isSpace, openBrace, quote } from '../streams/json/json-bytes.ts'

/** What an object has that may be a reference: what it refers to, whether it is weak or leads elsewhere, and where it says so (-1: nowhere). */
type Reference = { target: string | undefined; weak: boolean; elsewhere: boolean; weakAt: number; endAt: number }

const refKey = Buffer.from('"_ref"')
const underscore = 0x5f
const letterT = 0x74
/** Of the keys that matter: most others, such as `_type` and `_key`, are told by theirs. */
const firstLetters: ReadonlySet<number> = new Set(Buffer.from('rwdp'))

/**
 * The ids that a document refers to strongly and that should be in the same dataset: the `_ref` of each object that is not `_weak`, has no `_dataset`
 * and no `_projectId`, and does not name a place (`media-library:…`, `dataset:…`: an id has no colon). Sanity's own documents (`_.…`) are left out, as
 * they are of snapshots. The line must be a valid document. The keys are known by their bytes: Sanity sends them without escapes.
 */
export function strongReferences(line: Buffer): string[] {
  return scan(line).map(({ target }) => target)
}

/** A strong reference: what it refers to, where the value of its `_weak` begins (-1 if it has none), and where its closing brace is. */
export type StrongReference = { readonly target: string; readonly weakAt: number; readonly endAt: number }

/** The same references as {@link strongReferences} gives, and where they stand. */
export function placesOfStrongReferences(line: Buffer): StrongReference[] {
  return scan(line)
}

function scan(line: Buffer): StrongReference[] {
  const found: StrongReference[] = []
  // Most lines of many datasets have none, and this is much faster than the rest.
  if (!line.includes(refKey)) return found
  const open: (Reference | undefined)[] = []
  for (let at = 0; at < line.length; at++) {
    const byte = line[at] as number
    if (byte === openBrace) open.push(undefined)
    else if (byte === closeBrace) {
      const reference = open.pop()
      if (reference && isStrong(reference)) {
        reference.endAt = at
        found.push(reference)
      }
    } else if (byte === quote) {
      const end = closingQuote(line, at)
      if (line[at + 1] === underscore && firstLetters.has(line[at + 2] as number)) noteMember(open, line, at, end)
      at = end
    }
  }
  return found
}

function isStrong(reference: Reference): reference is Reference & StrongReference {
  const { target, weak, elsewhere } = reference
  return target !== undefined && !weak && !elsewhere && !target.includes(':') && !target.startsWith('_.')
}

/** Notes a member of the innermost object if it says something of a reference. A string that is no key has no colon behind it. */
function noteMember(open: (Reference | undefined)[], line: Buffer, start: number, end: number): void {
  const key = line.toString('latin1', start + 1, end)
  if (key !== '_ref' && key !== '_weak' && key !== '_dataset' && key !== '_projectId') return
  const colonAt = skipSpace(line, end + 1)
  if (line[colonAt] !== colon || open.length === 0) return
  const valueAt = skipSpace(line, colonAt + 1)
  const reference = open[open.length - 1] ?? { target: undefined, weak: false, elsewhere: false, weakAt: -1, endAt: -1 }
  open[open.length - 1] = reference
  if (key === '_weak') {
    reference.weak = line[valueAt] === letterT
    reference.weakAt = valueAt
  } else if (line[valueAt] !== quote) return
  else if (key === '_ref') reference.target = textAt(line, valueAt)
  else reference.elsewhere = true
}

function textAt(line: Buffer, start: number): string {
  const end = closingQuote(line, start)
  const text = line.toString('utf8', start + 1, end)
  return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text
}

function skipSpace(line: Buffer, start: number): number {
  let at = start
  while (isSpace(line[at] as number)) at++
  return at
}
