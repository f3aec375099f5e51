import type { Graph } from './graph.ts'

/**
 * The strongly connected components of a graph: nodes that all lead to one another, by however many references. A component comes after all that it
 * refers to. This is Tarjan's way, with a stack of its own in place of calls: a chain may be as long as the dataset is large.
 */
export function componentsOf(graph: Graph): { readonly count: number; readonly at: (component: number) => Int32Array } {
  const { count, offsets, targets } = graph
  /** When a node was first seen, counted from 1, and the earliest one on the stack that it is known to lead to. */
  const seen = new Int32Array(count)
  const earliest = new Int32Array(count)
  const settled = new Uint8Array(count)
  const nextEdge = offsets.slice(0, count)
  const path = new Int32Array(count)
  const open = new Int32Array(count)
  const nodes = new Int32Array(count)
  const starts = new Int32Array(count + 1)
  let [clock, pathLength, opened, placed, found] = [0, 0, 0, 0, 0]

  const enter = (node: number): void => {
    clock++
    seen[node] = clock
    earliest[node] = clock
    path[pathLength++] = node
    open[opened++] = node
  }
  const leadsAtLeastTo = (node: number, time: number): void => {
    if (time < (earliest[node] as number)) earliest[node] = time
  }
  const look = (node: number, target: number): void => {
    if (seen[target] === 0) enter(target)
    else if (settled[target] === 0) leadsAtLeastTo(node, seen[target] as number)
  }
  const settle = (node: number): void => {
    let member: number
    do {
      member = open[--opened] as number
      settled[member] = 1
      nodes[placed++] = member
    } while (member !== node)
    starts[++found] = placed
  }
  const leave = (node: number): void => {
    pathLength--
    if (earliest[node] === seen[node]) settle(node)
    if (pathLength > 0) leadsAtLeastTo(path[pathLength - 1] as number, earliest[node] as number)
  }

  for (let root = 0; root < count; root++) {
    if (seen[root] === 0) enter(root)
    while (pathLength > 0) {
      const node = path[pathLength - 1] as number
      const edge = nextEdge[node] as number
      if (edge === offsets[node + 1]) leave(node)
      else {
        nextEdge[node] = edge + 1
        look(node, targets[edge] as number)
      }
    }
  }
  return { count: found, at: (component) => nodes.subarray(starts[component], starts[component + 1]) }
}
