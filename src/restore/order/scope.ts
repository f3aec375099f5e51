import type { Limits, OrderNeeds } from './writes.ts'

/** What becomes of a document; 0 for one that stays as it is. */
export const role = { create: 1, replace: 2, retype: 3, delete: 4 } as const

/** What all parts of the order look at. */
export type Scope = {
  readonly needs: OrderNeeds
  readonly limits: Limits
  /** Of each document number its {@link role}. References to documents beyond the end lead to what stays as it is. */
  readonly roles: Uint8Array
  /** For `graphOf`. */
  readonly scratch: Int32Array
}

/** Gives each document its role. */
export function scopeOf(needs: OrderNeeds, limits: Limits): Scope {
  const lists = [
    [role.create, needs.creates],
    [role.replace, needs.replaces],
    [role.retype, needs.retypes],
    [role.delete, needs.deletes],
  ] as const
  let count = 0
  for (const [, documents] of lists) for (const document of documents) count = Math.max(count, document + 1)
  const roles = new Uint8Array(count)
  for (const [which, documents] of lists) for (const document of documents) roles[document] = which
  return { needs, limits, roles, scratch: new Int32Array(count) }
}

/** Whether a line of the snapshot refers strongly to a document whose type is to change. */
export function refersToRetype({ needs, roles }: Scope, document: number): boolean {
  if (needs.retypes.length === 0) return false
  for (const target of needs.refersInSnapshot(document)) if (roles[target] === role.retype) return true
  return false
}

/** References of a line of the snapshot that satisfy `which`, each target once. */
export function targetsInSnapshot({ needs }: Scope, document: number, which: (target: number) => boolean): number[] {
  return [...new Set(needs.refersInSnapshot(document))].filter(which)
}
