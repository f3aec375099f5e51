/** References among some documents, each known here by its place in the list that the graph was made of. */
export type Graph = { readonly count: number; readonly offsets: Int32Array; readonly targets: Int32Array }

/**
 * Makes a {@link Graph} of the references among `documents`; those to others are left out. `scratch` has a place for each document number and holds
 * zeros, before and after: a table of its own for each of many small graphs would cost more than the graphs.
 */
export function graphOf(documents: readonly number[], refers: (document: number) => Iterable<number>, scratch: Int32Array): Graph {
  for (const [node, document] of documents.entries()) scratch[document] = node + 1
  const offsets = new Int32Array(documents.length + 1)
  let targets = new Int32Array(documents.length)
  let edges = 0
  for (const [node, document] of documents.entries()) {
    for (const target of refers(document)) {
      const place = scratch[target]
      if (!place) continue
      if (edges === targets.length) targets = grown(targets)
      targets[edges++] = place - 1
    }
    offsets[node + 1] = edges
  }
  for (const document of documents) scratch[document] = 0
  return { count: documents.length, offsets, targets }
}

function grown(full: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(full.length * 2 + 16)
  larger.set(full)
  return larger
}

/** What a node refers to, itself and repetitions included. */
export function targetsOf({ offsets, targets }: Graph, node: number): Int32Array {
  return targets.subarray(offsets[node], offsets[node + 1])
}

/** The same graph with every reference turned round. */
export function reversed(graph: Graph): Graph {
  const offsets = new Int32Array(graph.count + 1)
  const edges = graph.offsets[graph.count] as number
  for (let edge = 0; edge < edges; edge++) bump(offsets, (graph.targets[edge] as number) + 1)
  for (let node = 0; node < graph.count; node++) bump(offsets, node + 1, offsets[node])
  const free = offsets.slice()
  const targets = new Int32Array(edges)
  for (let node = 0; node < graph.count; node++) {
    for (const target of targetsOf(graph, node)) targets[bump(free, target)] = node
  }
  return { count: graph.count, offsets, targets }
}

/** How many references point at each node. */
export function timesReferredTo({ count, offsets, targets }: Graph): Int32Array {
  const times = new Int32Array(count)
  for (const target of targets.subarray(0, offsets[count])) bump(times, target)
  return times
}

/** Gives what was there before. */
function bump(numbers: Int32Array, place: number, by = 1): number {
  const before = numbers[place] as number
  numbers[place] = before + by
  return before
}

/** Whether the nodes of a component refer to one another, or its only one to itself. */
export function isCycle(graph: Graph, component: Int32Array): boolean {
  return component.length > 1 || targetsOf(graph, component[0] as number).includes(component[0] as number)
}
