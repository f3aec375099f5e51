import { graphOf, reversed, targetsOf } from './graph.ts'
import { role, type Scope } from './scope.ts'

/**
 * Retypes with all that has to be written in the same transaction; every retype is in one group. To change its type, nothing may refer to a document,
 * and what is written back may refer to another retype only when that has its new type. A document that is deleted for this is to have no
 * referrers either. `late` are replaces that refer to a retype in the snapshot; all other replaces are through.
 */
export function groupsOf(scope: Scope, late: readonly number[]): number[][] {
  const { needs, roles, scratch } = scope
  if (needs.retypes.length === 0) return []
  const movers = [...needs.retypes, ...late, ...needs.deletes]
  const referrers = reversed(graphOf(movers, needs.refersInTarget, scratch))
  const nodeOf = new Map(needs.retypes.map((document, node) => [document, node]))
  const { root, join } = unions(movers.length)
  const reached = new Uint8Array(movers.length)
  const waiting: number[] = []
  const reach = (node: number): void => {
    if (reached[node] === 0) waiting.push(node)
    reached[node] = 1
  }
  for (const node of nodeOf.values()) reach(node)
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    const document = movers[node] as number
    // Referrers of a replace do not matter: it is there before and after.
    if (roles[document] !== role.replace) {
      for (const referrer of targetsOf(referrers, node)) {
        join(node, referrer)
        reach(referrer)
      }
    }
    if (roles[document] !== role.delete) {
      for (const target of needs.refersInSnapshot(document)) join(node, nodeOf.get(target) ?? node)
    }
  }
  const groups = new Map<number, number[]>()
  for (const [node, document] of movers.entries()) {
    if (reached[node] === 0) continue
    const group = groups.get(root(node))
    if (group) group.push(document)
    else groups.set(root(node), [document])
  }
  return [...groups.values()]
}

/** Sets that are joined: a node's root tells which one it is in. */
function unions(count: number): { readonly root: (node: number) => number; readonly join: (a: number, b: number) => void } {
  const parents = Int32Array.from({ length: count }, (_, node) => node)
  const root = (from: number): number => {
    let node = from
    while (parents[node] !== node) {
      // Each look shortens the way for the next one.
      parents[node] = parents[parents[node] as number] as number
      node = parents[node] as number
    }
    return node
  }
  const join = (a: number, b: number): void => {
    parents[root(a)] = root(b)
  }
  return { root, join }
}
