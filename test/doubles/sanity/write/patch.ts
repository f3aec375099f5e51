import { copyOf, isRecord, listIn, numberOf, recordIn } from '../data/json.ts'
import type { SanityDocument } from '../data/store.ts'
import { invalid } from './errors.ts'

type Step = string | number | { readonly key: string }

const OPERATIONS = new Set(['id', 'query', 'params', 'ifRevisionID', 'setIfMissing', 'set', 'unset', 'inc', 'dec', 'insert'])

/** The operations in the order of Sanity's own @sanity/mutator, src/patch/parse.ts. `diffMatchPatch` is left out: nothing here sends it. */
export function patched(existing: SanityDocument, patch: Readonly<Record<string, unknown>>): SanityDocument {
  const unknown = Object.keys(patch).find((key) => !OPERATIONS.has(key))
  if (unknown) throw new Error(`The emulated Sanity does not know the patch operation ${unknown}`)
  const document: Record<string, unknown> = copyOf(existing)
  for (const [path, item] of Object.entries(recordIn(patch, 'setIfMissing'))) {
    const steps = parsePath(path)
    if (valueAt(document, steps) === undefined) setAt(document, steps, item)
  }
  for (const [path, item] of Object.entries(recordIn(patch, 'set'))) setAt(document, parsePath(path), item)
  for (const path of listIn(patch, 'unset')) unsetAt(document, parsePath(String(path)))
  for (const [path, by] of Object.entries(recordIn(patch, 'inc'))) add(document, path, numberOf(by))
  for (const [path, by] of Object.entries(recordIn(patch, 'dec'))) add(document, path, -(numberOf(by) ?? Number.NaN))
  if (patch['insert'] !== undefined) insert(document, recordIn(patch, 'insert'))
  // Neither of the two can be changed by a patch: sanity.io docs, mutations.
  return { ...document, _id: existing._id, _type: existing._type }
}

/** The forms `a.b[0].c` and `a["0"].b` of JSONMatch, which is what @sanity/import serializePath.ts writes; also `list[-1]`, `list[_key=="x"]`. */
function parsePath(path: string): Step[] {
  const steps: Step[] = []
  const pattern = /\.?([A-Za-z_$-][\w$-]*)|\[(-?\d+)\]|\[["']((?:[^"'\\]|\\.)*)["']\]|\[_key\s*==\s*["']([^"']*)["']\]/y
  while (pattern.lastIndex < path.length) {
    const at = pattern.lastIndex
    const match = pattern.exec(path)
    if (!match) throw invalid(`Unable to parse path "${path}" at ${at}`)
    const [, name, index, quoted, key] = match
    steps.push(key === undefined ? (name ?? quoted ?? Number(index)) : { key })
  }
  return steps
}

/** Where a step leads in a list, -1 if nowhere. */
function indexIn(list: readonly unknown[], step: Step): number {
  if (typeof step === 'object') return list.findIndex((item) => isRecord(item) && item['_key'] === step.key)
  const index = Number(step)
  return index < 0 ? list.length + index : index
}

function child(parent: unknown, step: Step): unknown {
  if (Array.isArray(parent)) return typeof step === 'string' ? undefined : parent[indexIn(parent, step)]
  return isRecord(parent) && typeof step !== 'object' ? parent[step] : undefined
}

function valueAt(root: unknown, steps: readonly Step[]): unknown {
  return steps.reduce(child, root)
}

function setAt(root: Record<string, unknown>, steps: readonly Step[], value: unknown): void {
  const last = steps.at(-1)
  const parent = valueAt(root, steps.slice(0, -1))
  if (last === undefined || parent === undefined) return
  if (Array.isArray(parent)) {
    const index = indexIn(parent, last)
    if (index >= 0 && index < parent.length) parent[index] = value
  } else if (isRecord(parent) && typeof last !== 'object') parent[last] = value
}

function unsetAt(root: Record<string, unknown>, steps: readonly Step[]): void {
  const last = steps.at(-1)
  const parent = valueAt(root, steps.slice(0, -1))
  if (last === undefined) return
  if (Array.isArray(parent)) {
    const index = indexIn(parent, last)
    if (index >= 0) parent.splice(index, 1)
  } else if (isRecord(parent) && typeof last !== 'object') delete parent[last]
}

/** A number is needed at both ends: sanity.io docs, mutations. */
function add(root: Record<string, unknown>, path: string, by: number | undefined): void {
  const steps = parsePath(path)
  const value = numberOf(valueAt(root, steps))
  if (value === undefined || by === undefined || Number.isNaN(by)) throw invalid(`Cannot add to "${path}": no number`)
  setAt(root, steps, value + by)
}

/** `{before|after|replace: path, items}`: sanity.io docs, mutations. */
function insert(root: Record<string, unknown>, operation: Record<string, unknown>): void {
  const how = ['before', 'after', 'replace'].find((key) => typeof operation[key] === 'string')
  const steps = parsePath(String(operation[how ?? ''] ?? ''))
  const last = steps.at(-1)
  const parent = valueAt(root, steps.slice(0, -1))
  if (!how || last === undefined || !Array.isArray(parent)) throw invalid('Insert needs a path into a list')
  const index = indexIn(parent, last)
  if (index < 0 && parent.length > 0) return
  const at = how === 'after' ? index + 1 : index
  parent.splice(Math.max(at, 0), how === 'replace' ? 1 : 0, ...listIn(operation, 'items'))
}
