import { closeBracket, comma, openBrace, openBracket } from './json-bytes.ts'
import { endOfValue, isJson, skipSpace, valueOfMember } from './scan.ts'

/**
 * The items of the array that is the member `name` of an object, each as it stands there, so that no number loses a digit. Undefined if the bytes are
 * no JSON object, or it has no such member, or that is no array. Of two members of that name the first counts; the name must not be escaped.
 */
export function itemsOfMember(bytes: Buffer, name: string): Buffer[] | undefined {
  const key = Buffer.from(JSON.stringify(name))
  let at = skipSpace(bytes, 0)
  if (bytes[at] !== openBrace || !isJson(bytes)) return undefined
  do {
    const keyAt = skipSpace(bytes, at + 1)
    const valueAt = valueOfMember(bytes, keyAt)
    // An object without members.
    if (valueAt < 0) return undefined
    if (bytes.subarray(keyAt, keyAt + key.length).equals(key)) return bytes[valueAt] === openBracket ? itemsAt(bytes, valueAt) : undefined
    at = skipSpace(bytes, endOfValue(bytes, valueAt))
  } while (bytes[at] === comma)
  return undefined
}

/** The items of the array that begins at `start`, in bytes that are known to be JSON. */
function itemsAt(bytes: Buffer, start: number): Buffer[] {
  const items: Buffer[] = []
  let at = skipSpace(bytes, start + 1)
  while (bytes[at] !== closeBracket) {
    const end = endOfValue(bytes, at)
    items.push(bytes.subarray(at, end))
    const next = skipSpace(bytes, end)
    at = bytes[next] === comma ? skipSpace(bytes, next + 1) : next
  }
  return items
}
