import { fits, levelPackers, packer, stepOf } from './batches.ts'
import { levelsFromAbove } from './from-above.ts'
import { graphOf } from './graph.ts'
import type { Scope } from './scope.ts'
import type { Step, Write } from './writes.ts'

/**
 * Deletes in levels: first those that nothing refers to. Documents that refer to one another are cleared and deleted together. What is too much for
 * that is cleared in a step of its own. `cleared` refer to nothing any more.
 */
export function orderDeletes(scope: Scope, documents: readonly number[], cleared: ReadonlySet<number>): Step[] {
  const { needs, limits, scratch } = scope
  const refers = (document: number): Iterable<number> => (cleared.has(document) ? [] : needs.refersInTarget(document))
  const graph = graphOf(documents, refers, scratch)
  const clears = packer(limits)
  const levels = levelPackers(limits)
  const together = (nodes: Int32Array): boolean => fits({ documents: nodes.length, bytes: 0 }, limits)
  for (const place of levelsFromAbove(graph, limits.levels, together)) {
    const members = [...place.nodes].map((node) => documents[node] as number)
    const deletes = members.map((document): Write => ({ kind: 'delete', document }))
    const clearing = members.map((document): Write => ({ kind: 'clear', document }))
    if (place.cleared) clears.add({ writes: clearing, documents: members.length, bytes: 0 })
    levels.at(place.level).add({ writes: place.cycle ? [...clearing, ...deletes] : deletes, documents: members.length, bytes: 0 })
  }
  return [...stepOf('delete', clears), ...levels.steps('delete')]
}
