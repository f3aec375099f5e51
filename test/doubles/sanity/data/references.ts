import { isRecord } from './json.ts'

export type References = {
  /** Ids of this dataset that must exist, each once. */
  readonly strong: readonly string[]
  /** Strong references into other datasets. */
  readonly elsewhere: readonly { readonly project: string | undefined; readonly dataset: string; readonly id: string }[]
  /** A key that a reference must not have. */
  readonly foreignKey: string | undefined
}

/**
 * Any object with `_ref` is a reference; a foreign key in one is refused with `Key "x" not allowed in ref` (sanity-io/gradient issue 387,
 * sanity-io/sanity issue 12243). INFERRED: the list of allowed keys, from the types of @sanity/types and from asset documents' `_weak` links.
 */
const ALLOWED_KEYS = new Set(['_ref', '_type', '_key', '_weak', '_strengthenOnPublish', '_dataset', '_projectId'])

/**
 * The references of a document. Strong is what is not `_weak: true` (sanity.io docs, reference type). A global document reference
 * (`media-library:…`) points out of the project and is never checked (sanity-io/sanity files/common/assetSource.ts).
 */
export function referencesOf(document: unknown): References {
  const strong = new Set<string>()
  const elsewhere: { project: string | undefined; dataset: string; id: string }[] = []
  let foreignKey: string | undefined
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) {
      for (const item of value) visit(item)
      return
    }
    if (!isRecord(value)) return
    const id = value['_ref']
    if (typeof id !== 'string') {
      for (const key of Object.keys(value)) if (typeof value[key] === 'object') visit(value[key])
      return
    }
    foreignKey ??= Object.keys(value).find((key) => !ALLOWED_KEYS.has(key))
    if (value['_weak'] === true || id.startsWith('media-library:')) return
    const dataset = value['_dataset']
    const project = typeof value['_projectId'] === 'string' ? value['_projectId'] : undefined
    if (typeof dataset === 'string') elsewhere.push({ project, dataset, id })
    else strong.add(id)
  }
  visit(document)
  return { strong: [...strong], elsewhere, foreignKey }
}

/** Who refers to whom, so that a delete needs no walk through the dataset. */
export class ReferenceIndex {
  readonly #referrers = new Map<string, Set<string>>()

  referrers(id: string): ReadonlySet<string> {
    return this.#referrers.get(id) ?? new Set()
  }

  add(source: string, targets: readonly string[]): void {
    for (const target of targets) {
      const known = this.#referrers.get(target)
      if (known) known.add(source)
      else this.#referrers.set(target, new Set([source]))
    }
  }

  remove(source: string, targets: readonly string[]): void {
    for (const target of targets) {
      const known = this.#referrers.get(target)
      known?.delete(source)
      if (known?.size === 0) this.#referrers.delete(target)
    }
  }
}
