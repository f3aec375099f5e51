import { fits, levelPackers, type Packer, packer, stepOf } from './batches.ts'
import { groupsOf } from './groups.ts'
import { groupApart, groupTogether } from './retypes.ts'
import { refersToRetype, role, type Scope } from './scope.ts'
import type { Step, Write } from './writes.ts'

/** What the deletes have to know: what is deleted already, and what refers to nothing any more. */
export type Replaced = { readonly steps: Step[]; readonly deleted: ReadonlySet<number>; readonly cleared: ReadonlySet<number> }

type Parts = {
  readonly first: Packer
  readonly middle: ReturnType<typeof levelPackers>
  readonly last: Packer
  readonly deleted: Set<number>
  readonly cleared: Set<number>
}

/**
 * Replaces, in three parts: those that refer to no retype, and so let go of it if they did; the retypes, with what must change together with
 * them; those that refer to a retype. Without retypes there is only the first part. `weak` are creates that are to be written again.
 */
export function orderReplaces(scope: Scope, weak: readonly number[]): Replaced {
  const { needs, limits } = scope
  const middle = levelPackers(limits)
  const parts: Parts = { first: packer(limits), middle, last: packer(limits), deleted: new Set(), cleared: new Set() }
  const late = needs.replaces.filter((document) => refersToRetype(scope, document))
  const grouped = new Set<number>()
  for (const group of groupsOf(scope, late)) {
    for (const document of group) grouped.add(document)
    addGroup(scope, parts, group)
  }
  for (const document of [...weak, ...needs.replaces]) {
    if (grouped.has(document)) continue
    add(scope, refersToRetype(scope, document) ? parts.last : parts.first, { kind: 'replace', document })
  }
  const steps = [...stepOf('replace', parts.first), ...middle.steps('replace'), ...stepOf('replace', parts.last)]
  return { steps, deleted: parts.deleted, cleared: parts.cleared }
}

function addGroup(scope: Scope, { first, middle, last, deleted, cleared }: Parts, group: readonly number[]): void {
  const whole = { documents: group.length, bytes: bytesOf(scope, group) }
  if (fits(whole, scope.limits)) {
    middle.at(0).add({ ...whole, writes: groupTogether(scope, group) })
    for (const document of group) if (scope.roles[document] === role.delete) deleted.add(document)
    return
  }
  const { before, changes, after } = groupApart(scope, group)
  for (const write of before) {
    add(scope, first, write)
    if (write.kind === 'clear') cleared.add(write.document)
  }
  for (const { level, write } of changes) add(scope, middle.at(level), write)
  for (const document of after) add(scope, last, { kind: 'replace', document })
}

function add(scope: Scope, to: Packer, write: Write): void {
  to.add({ writes: [write], documents: 1, bytes: bytesOf(scope, [write.document]) })
}

/** Bytes of the lines of the snapshot: a document that is deleted has none. */
function bytesOf({ needs, roles }: Scope, documents: readonly number[]): number {
  return documents.reduce((sum, document) => sum + (roles[document] === role.delete ? 0 : needs.size(document)), 0)
}
