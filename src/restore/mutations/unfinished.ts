import { closeBrace } from '../../streams/json/json-bytes.ts'
import { membersOf } from '../canonical/canonical.ts'

/**
 * The member that a document has while it is only half there: written in parts, or with weak references until what it refers to is there. It tells a
 * later run, which may choose other documents, that this one is ours to finish.
 */
export const unfinishedMember = 'sanityBackupUnfinished'

const quoted = Buffer.from(`"${unfinishedMember}"`)
const added = Buffer.from(`,"${unfinishedMember}":true`)

/** The line of a document with that member. */
export function asUnfinished(line: Buffer): Buffer {
  const end = line.lastIndexOf(closeBrace)
  return Buffer.concat([line.subarray(0, end), added, line.subarray(end)])
}

/** Whether the line of a document has it. */
export function isUnfinished(line: Buffer): boolean {
  return line.includes(quoted) && membersOf(line).some(({ key }) => key === unfinishedMember)
}
