import { membersOf } from './canonical.ts'

/** The revision that stands in a document's line; empty if there is none. */
export function revisionIn(line: Buffer): string {
  const member = membersOf(line).findLast(({ key }) => key === '_rev')
  return member === undefined ? '' : String(JSON.parse(line.toString('utf8', member.valueAt, member.valueEnd)))
}
