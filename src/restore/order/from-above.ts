import { componentsOf } from './components.ts'
import { type Graph, isCycle, targetsOf } from './graph.ts'

/** Where a component stands. */
export type Place = {
  readonly nodes: Int32Array
  readonly level: number
  readonly cycle: boolean
  /** The references of its nodes have to be gone before level 0 begins. */
  readonly cleared: boolean
}

/**
 * Levels for what may be written only when nothing refers to it any more: first those that nothing refers to. A cycle for which `together` says no
 * has its references cleared before; so has a document in the last level that refers to others, so that these can begin anew.
 */
export function* levelsFromAbove(graph: Graph, levels: number, together: (component: Int32Array) => boolean): Generator<Place> {
  const earliest = new Int32Array(graph.count)
  const components = componentsOf(graph)
  for (let index = components.count - 1; index >= 0; index--) {
    const nodes = components.at(index)
    const cycle = isCycle(graph, nodes)
    const level = nodes.reduce((most, node) => Math.max(most, earliest[node] as number), 0)
    const inside = cycle ? new Set(nodes) : undefined
    const leads = nodes.some((node) => targetsOf(graph, node).some((target) => inside?.has(target) !== true))
    if ((cycle && !together(nodes)) || (leads && level >= levels - 1)) {
      for (const node of nodes) yield { nodes: Int32Array.of(node), level: earliest[node] as number, cycle: false, cleared: true }
      continue
    }
    yield { nodes, level, cycle, cleared: false }
    for (const node of nodes) {
      for (const target of targetsOf(graph, node)) earliest[target] = Math.max(earliest[target] as number, level + 1)
    }
  }
}
