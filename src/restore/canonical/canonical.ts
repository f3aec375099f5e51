import { hash } from 'node:crypto'
import { closeBrace, comma, openBrace } from '../../streams/json/json-bytes.ts'
import { endOfString, endOfValue, type Place, skipSpace, valueOfMember } from '../../streams/json/scan.ts'
import { sortKeys } from './key-order.ts'
import { type CanonicalOptions, normalize } from './normal.ts'
import { textOf } from './spelling.ts'

/** Enough that two of all documents that there are do not have the same by chance, and half as much to keep. */
const digestBytes = 16

/**
 * The SHA-256, cut to 16 bytes, of the canonical form of a document. Two lines have the same one exactly where they are the same document: the order
 * of keys, white space, and the spelling of numbers and strings do not count. Numbers are compared as decimals: 1, 1.0 and 10e-1 are equal, and so are
 * 0 and -0; 12345678901234567890 and 12345678901234567891 are not. The order of arrays counts; of a key that comes twice the last one does.
 *
 * `without` are the names of members that are left out, of the outermost object alone. `references` are ids that stand for others: each string under
 * the key `_ref` that is a key of the map is taken as its value. A line that is not JSON equals none but itself.
 */
export function canonicalDigest(line: Buffer, options: CanonicalOptions): Buffer {
  const normal = normalize(line, options)
  // No canonical form begins with a zero byte.
  if (!normal) return digest(Buffer.concat([Buffer.alloc(1), line]))
  return digest(normal.inOrder ? normal.bytes : sortKeys(normal.bytes))
}

function digest(bytes: Buffer): Buffer {
  return hash('sha256', bytes, 'buffer').subarray(0, digestBytes)
}

/** A member of a document: its key as text, and where it stands. */
export type Member = Place & { readonly key: string }

/** The members at the top of a document's line, in their order. A key that comes twice is two members. */
export function membersOf(line: Buffer): Member[] {
  const members: Member[] = []
  let at = skipSpace(line, 0)
  if (line[at] !== openBrace) return members
  do {
    const keyAt = skipSpace(line, at + 1)
    if (line[keyAt] === closeBrace) break
    const valueAt = valueOfMember(line, keyAt)
    const valueEnd = valueAt < 0 ? -1 : endOfValue(line, valueAt)
    if (valueEnd < 0) break
    members.push({ key: textOf(line, keyAt, endOfString(line, keyAt)), keyAt, valueAt, valueEnd })
    at = skipSpace(line, valueEnd)
  } while (line[at] === comma)
  return members
}
