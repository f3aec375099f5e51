import { componentsOf } from './components.ts'
import { levelsFromAbove } from './from-above.ts'
import { graphOf, isCycle } from './graph.ts'
import { role, type Scope, targetsInSnapshot } from './scope.ts'
import type { Write } from './writes.ts'

/**
 * The writes of a group (see `groupsOf`) that fits into one batch: all references in it go, then documents are deleted and get their new type, then
 * the references come back.
 */
export function groupTogether(scope: Scope, group: readonly number[]): Write[] {
  const { needs, roles } = scope
  const bound = new Set(group.filter((document) => roles[document] !== role.replace))
  const cleared = new Set(group.filter((document) => Iterator.from(needs.refersInTarget(document)).some((target) => bound.has(target))))
  const having = (which: number): number[] => group.filter((document) => roles[document] === which)
  return [
    ...writesOf('clear', cleared),
    ...writesOf('delete', having(role.delete)),
    ...newTypes(scope, having(role.retype), cleared),
    ...writesOf('fill', having(role.replace)),
  ]
}

/**
 * A retype comes after those that it will refer to. Those that will refer to one another can not: the first to be filled would refer to one that is
 * still to change. So they are deleted and made anew, as stubs first.
 */
function newTypes(scope: Scope, retypes: readonly number[], cleared: ReadonlySet<number>): Write[] {
  const graph = graphOf(retypes, scope.needs.refersInSnapshot, scope.scratch)
  const components = componentsOf(graph)
  return Array.from({ length: components.count }, (_, index): Write[] => {
    const component = components.at(index)
    const members = [...component].map((node) => retypes[node] as number)
    if (isCycle(graph, component)) return [...writesOf('delete', members), ...writesOf('stub', members), ...writesOf('fill', members)]
    return members.map((document) => ({ kind: cleared.has(document) ? 'fill' : 'replace', document }))
  }).flat()
}

/** The writes of a group that does not fit into one batch, a document each. */
export type Apart = {
  /** Before any type changes. */
  readonly before: Write[]
  /** The changes of types, with the level of each. */
  readonly changes: { readonly level: number; readonly write: Write }[]
  /** Documents to be replaced when all types are changed. */
  readonly after: number[]
}

/** A group that does not fit: referrers begin weak, or are cleared where they will be deleted; the types change; the rest follows. */
export function groupApart(scope: Scope, group: readonly number[]): Apart {
  const { needs, roles, limits, scratch } = scope
  const isRetype = (target: number): boolean => roles[target] === role.retype
  const refersNow = (document: number): boolean => Iterator.from(needs.refersInTarget(document)).some(isRetype)
  const apart: Apart = { before: [], changes: [], after: [] }
  for (const document of group) {
    if (roles[document] === role.replace) apart.after.push(document)
    if (isRetype(document) || !refersNow(document)) continue
    if (roles[document] === role.delete) apart.before.push({ kind: 'clear', document })
    else apart.before.push({ kind: 'weak', document, targets: targetsInSnapshot(scope, document, isRetype), replaces: true })
  }
  const retypes = group.filter(isRetype)
  const levels = new Map<number, number>()
  const graph = graphOf(retypes, needs.refersInTarget, scratch)
  for (const { nodes, level, cleared } of levelsFromAbove(graph, limits.levels, () => false)) {
    for (const document of [...nodes].map((node) => retypes[node] as number)) {
      levels.set(document, level)
      if (cleared) apart.before.push({ kind: 'clear', document })
    }
  }
  for (const [document, level] of levels) {
    const targets = targetsInSnapshot(scope, document, (target) => (levels.get(target) ?? -1) >= level)
    apart.changes.push({
      level,
      write: targets.length > 0 ? { kind: 'weak', document, targets, replaces: true } : { kind: 'replace', document },
    })
    if (targets.length > 0) apart.after.push(document)
  }
  return apart
}

function writesOf(kind: 'clear' | 'delete' | 'stub' | 'fill', documents: Iterable<number>): Write[] {
  return Array.from(documents, (document) => ({ kind, document }))
}
