import { fits, levelPackers } from './batches.ts'
import { componentsOf } from './components.ts'
import { type Graph, graphOf, isCycle, targetsOf, timesReferredTo } from './graph.ts'
import { refersToRetype, role, type Scope, targetsInSnapshot } from './scope.ts'
import type { Step, Write } from './writes.ts'

/** The level of a document that was not given one yet. */
const none = -1

type Levels = { readonly of: Int32Array; readonly weak: Uint8Array; readonly most: number }

/**
 * Creates in levels: a document comes after all that it refers to. Documents that refer to one another are created together. Where that cannot be,
 * since there are too many of them or too many levels, some are created first of all with their references weak, and are to be written again:
 * `weak` lists them.
 */
export function orderCreates(scope: Scope): { readonly steps: Step[]; readonly weak: number[] } {
  const { needs, limits, scratch } = scope
  // A create that refers to a retype would keep its type from being changed; and the retype may need other creates. So it begins weak.
  const hinders = Uint8Array.from(needs.creates, (document) => Number(refersToRetype(scope, document)))
  const strong = (document: number): Iterable<number> => (refersToRetype(scope, document) ? [] : needs.refersInSnapshot(document))
  const graph = graphOf(needs.creates, strong, scratch)
  const levels: Levels = { of: new Int32Array(graph.count).fill(none), weak: hinders, most: limits.levels }
  const packers = levelPackers(limits)
  const weak: number[] = []
  const documentAt = (node: number): number => needs.creates[node] as number
  const times = timesReferredTo(graph)

  const addAlone = (node: number): void => {
    const document = documentAt(node)
    const begins = levels.weak[node] === 1
    if (begins) weak.push(document)
    const write: Write = begins ? weakWrite(scope, document) : { kind: 'create', document }
    packers.at(levels.of[node] as number).add({ writes: [write], documents: 1, bytes: needs.size(document) })
  }
  const components = componentsOf(graph)
  for (let index = 0; index < components.count; index++) {
    const component = components.at(index)
    const members = [...component].map(documentAt)
    const whole = { documents: members.length, bytes: members.reduce((sum, document) => sum + needs.size(document), 0) }
    const level = levelAbove(graph, levels, component)
    if (isCycle(graph, component) && level < limits.levels && fits(whole, limits)) {
      for (const node of component) levels.of[node] = level
      packers.at(level).add({ ...whole, writes: stubbed(members) })
    } else {
      for (const node of oneByOne(component, times)) {
        giveLevel(graph, levels, node)
        addAlone(node)
      }
    }
  }
  return { steps: packers.steps('create'), weak }
}

/** Both orders of checking accept that, whatever the members refer to among themselves: what is referred to is there. */
function stubbed(members: readonly number[]): Write[] {
  const stubs = members.map((document): Write => ({ kind: 'stub', document }))
  return [...stubs, ...members.map((document): Write => ({ kind: 'fill', document }))]
}

/** The first level in which everything outside the component that it refers to is there. */
function levelAbove(graph: Graph, { of }: Levels, component: Int32Array): number {
  let level = 0
  for (const node of component) {
    for (const target of targetsOf(graph, node)) level = Math.max(level, (of[target] as number) + 1)
  }
  return level
}

/**
 * Those that most refer to come first. They begin weak, as what they refer to comes later; many of the others refer to nothing else, and need not:
 * of a page and the thousand that it lists and that link back, only the page is written twice. Otherwise the order of the component stays: there most
 * come after what they refer to, and of a long ring few are written twice.
 */
function oneByOne(component: Int32Array, times: Int32Array): Int32Array {
  if (component.length === 1) return component
  return component.toSorted((a, b) => (times[b] as number) - (times[a] as number))
}

/** A document that refers to something without a level yet, or that would come too late, begins weak. As it then needs nothing, it comes first. */
function giveLevel(graph: Graph, levels: Levels, node: number): void {
  const targets = targetsOf(graph, node)
  const level = levelAbove(graph, levels, Int32Array.of(node))
  if (targets.some((target) => levels.of[target] === none) || level >= levels.most) levels.weak[node] = 1
  levels.of[node] = levels.weak[node] === 1 ? 0 : level
}

function weakWrite(scope: Scope, document: number): Write {
  const notThere = (target: number): boolean => scope.roles[target] === role.create || scope.roles[target] === role.retype
  return { kind: 'weak', document, targets: targetsInSnapshot(scope, document, notThere), replaces: false }
}
