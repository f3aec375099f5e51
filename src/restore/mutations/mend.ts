import { canonicalDigest, type Member, membersOf } from '../canonical/canonical.ts'
import { ownMembersOfAsset } from '../plan/look.ts'
import { patchOf } from './mutations.ts'
import { stampsIn } from './stamps.ts'

type MendNeeds = {
  /** Of the asset in the target. */
  readonly id: string
  /** The snapshot's line, and the target's document as it is now. */
  readonly line: Buffer
  readonly now: Buffer
  readonly sameDataset: boolean
  /** Whether the asset has another id than in the snapshot. */
  readonly isNew: boolean
}

/** The mutations that make of an asset's document what the snapshot has, but for what the server finds out by itself; none where that is so already. */
export function mendAsset({ id, line, now, sameDataset, isNew }: MendNeeds): Buffer[] {
  const own = ownMembersOfAsset({ sameDataset, isNew })
  const wanted = membersByKey(line)
  const there = membersByKey(now)
  const set = [...wanted].flatMap(([key, member]) => {
    const current = there.get(key)
    if (own.has(key) || (current && sameValue({ line, member }, { line: now, member: current }))) return []
    return [Buffer.concat([Buffer.from(`${JSON.stringify(pathOf(key))}:`), line.subarray(member.valueAt, member.valueEnd)])]
  })
  const unset = [...there.keys()].filter((key) => !own.has(key) && !wanted.has(key)).map(pathOf)
  if (set.length === 0 && unset.length === 0) return []
  const revision = stampsIn(now).revision
  return patchOf({ id, revision }, set.length > 0 ? objectOf(set) : undefined, unset)
}

/** Of a key that comes twice the last counts. */
function membersByKey(line: Buffer): Map<string, Member> {
  return new Map(membersOf(line).map((member) => [member.key, member]))
}

type Value = { readonly line: Buffer; readonly member: Member }

function sameValue(one: Value, other: Value): boolean {
  return digestOf(one).equals(digestOf(other))
}

function digestOf({ line, member }: Value): Buffer {
  const value = line.subarray(member.valueAt, member.valueEnd)
  return canonicalDigest(Buffer.concat([Buffer.from('{"value":'), value, Buffer.from('}')]), { without: new Set() })
}

function objectOf(members: readonly Buffer[]): Buffer {
  const separated = members.flatMap((member, index) => (index === 0 ? [member] : [Buffer.from(','), member]))
  return Buffer.concat([Buffer.from('{'), ...separated, Buffer.from('}')])
}

/** A member's name as a path of a patch: sanity.io/docs, JSONMatch. */
function pathOf(key: string): string {
  return /^[A-Za-z_]\w*$/.test(key) ? key : `['${key.replaceAll("'", "\\'")}']`
}
