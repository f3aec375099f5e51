import { placesOfStrongReferences, type StrongReference } from '../../format/references.ts'
import { closingQuote, colon, quote } from '../../streams/json/json-bytes.ts'
import { endOfValue, skipSpace } from '../../streams/json/scan.ts'
import { beginOutput, endOutput, replace, type Span } from './output.ts'
import { isRefKey, textOf } from './spelling.ts'

/** Bytes of a line, and what stands in their place. */
type Edit = Span & { readonly text: string }

/**
 * The line with each string under the key `_ref` that is a key of the map changed into its value, weak references and those to other datasets
 * included. The other bytes stay as they are. The same buffer if there is nothing to change.
 */
export function withReferences(line: Buffer, references: ReadonlyMap<string, string>): Buffer {
  const edits: Edit[] = []
  if (references.size === 0 || !mayHaveReferences(line)) return line
  for (let at = line.indexOf(quote); at >= 0; at = line.indexOf(quote, at)) {
    const end = closingQuote(line, at) + 1
    const valueAt = isRefKey(line, at, end) ? findString(line, end) : -1
    if (valueAt >= 0) {
      const valueEnd = closingQuote(line, valueAt) + 1
      const other = references.get(textOf(line, valueAt, valueEnd))
      if (other !== undefined) edits.push({ start: valueAt, end: valueEnd, text: JSON.stringify(other) })
    }
    at = end
  }
  return edited(line, edits)
}

const refKey = Buffer.from('"_ref"')
/** Letters are escaped by their number alone. */
const numberEscape = Buffer.from('\\u')

/** Most lines have none, and most others no escape in which a key might hide. */
function mayHaveReferences(line: Buffer): boolean {
  return line.includes(refKey) || line.includes(numberEscape)
}

/** Where the string begins that is the value of the key that ends in a place; -1 if its value is none, or if it is no key. */
function findString(line: Buffer, keyEnd: number): number {
  const colonAt = skipSpace(line, keyEnd)
  const valueAt = line[colonAt] === colon ? skipSpace(line, colonAt + 1) : -1
  return line[valueAt] === quote ? valueAt : -1
}

/**
 * The line with each strong reference to one of the targets made weak, by a `_weak` at the end of its object, or by another value for the one that is
 * there. Which references are strong is what {@link strongReferences} says. The other bytes stay as they are. The same buffer if there is nothing to
 * change.
 */
export function withWeakened(line: Buffer, targets: ReadonlySet<string>): Buffer {
  const edits = placesOfStrongReferences(line)
    .filter(({ target }) => targets.has(target))
    .map((reference) => weakening(line, reference))
  return edited(line, edits)
}

function weakening(line: Buffer, { weakAt, endAt }: StrongReference): Edit {
  const weakEnd = weakAt < 0 ? -1 : endOfValue(line, weakAt)
  return weakEnd < 0 ? { start: endAt, end: endAt, text: ',"_weak":true' } : { start: weakAt, end: weakEnd, text: 'true' }
}

function edited(line: Buffer, edits: readonly Edit[]): Buffer {
  if (edits.length === 0) return line
  const output = beginOutput(line)
  for (const edit of edits.toSorted((a, b) => a.start - b.start)) {
    // One that lies in a value which is replaced as a whole is gone with it.
    if (edit.start >= output.from) replace(output, edit, edit.text)
  }
  return Buffer.from(endOutput(output, line.length))
}
