import { membersOf } from '../canonical/canonical.ts'

/** What a mutation may take with what is around it: sanity.io/docs/content-lake/technical-limits has 4 MB for the whole request. */
const mostBytes = 4_000_000 - 2_000

/** A document that is too large for one mutation: first it is written with some of its members, then the others are set, group after group. */
export type Parts = { readonly first: Buffer; readonly groups: readonly Buffer[] }

/** Whether a document of this length fits into one mutation. */
export function fitsInOne(bytes: number): boolean {
  return bytes <= mostBytes
}

/**
 * Divides a document's line by the members at its top; undefined where one of them is too large by itself, or has a name that a patch would take for a
 * path. Each group is the text of an object with the members to set.
 */
export function partsOf(line: Buffer): Parts | undefined {
  // Of a name that comes twice the last one counts, and only in the order of the line.
  const byKey = new Map(membersOf(line).map((member) => [member.key, member]))
  const members = [...byKey.values()].map(({ key, keyAt, valueEnd }) => ({ key, text: line.subarray(keyAt, valueEnd) }))
  const stays = members.filter(({ key }) => !isPlainName(key))
  const others = members.filter(({ key }) => isPlainName(key)).toSorted((a, b) => a.text.length - b.text.length)
  const bins: { texts: Buffer[]; bytes: number }[] = [{ texts: stays.map(({ text }) => text), bytes: sum(stays) }]
  for (const { text } of others) {
    const last = bins.at(-1)
    if (last && last.bytes + text.length + 1 <= mostBytes) {
      last.texts.push(text)
      last.bytes += text.length + 1
    } else bins.push({ texts: [text], bytes: text.length + 1 })
  }
  if (bins.some(({ bytes }) => bytes > mostBytes)) return undefined
  const [first, ...groups] = bins.map(({ texts }) => objectOf(texts))
  return { first: first as Buffer, groups }
}

function isPlainName(key: string): boolean {
  return /^[A-Za-z]\w*$/.test(key)
}

function sum(members: readonly { readonly text: Buffer }[]): number {
  return members.reduce((bytes, { text }) => bytes + text.length + 1, 0)
}

function objectOf(texts: readonly Buffer[]): Buffer {
  return Buffer.concat([
    Buffer.from('{'),
    ...texts.flatMap((text, index) => (index === 0 ? [text] : [Buffer.from(','), text])),
    Buffer.from('}'),
  ])
}
