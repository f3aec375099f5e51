/** Mutations as the text of their JSON, made around the bytes of a document's line: what the snapshot holds is never parsed and printed again. */

/**
 * A lock: the mutations behind it, in the same transaction, are refused if the document was changed since it had this revision. Sanity's documents all
 * have one; what has none, as in a copy by other programs, cannot be locked.
 */
type Locked = { readonly id: string; readonly revision: string }

/** The lock that the Studio uses, since only a patch takes a revision: sanity-io/sanity …/document-pair/operations/publish.ts. */
export function lockOf({ id, revision }: Locked): Buffer[] {
  if (revision === '') return []
  return [Buffer.from(JSON.stringify({ patch: { id, ifRevisionID: revision, unset: ['_revision_lock_pseudo_field_'] } }))]
}

/** Makes a document. Refused if somebody made it meanwhile. */
export function createOf(line: Buffer): Buffer[] {
  return [wrapped('create', line)]
}

/** Writes the whole document, whatever was there: only where a lock, or a document of our own, stands before it in the transaction. */
export function fillOf(line: Buffer): Buffer[] {
  return [wrapped('createOrReplace', line)]
}

/** Writes the whole document in the place of the revision that the plan saw. */
export function replaceOf(locked: Locked, line: Buffer): Buffer[] {
  return [...lockOf(locked), ...fillOf(line)]
}

/** A document without content: it refers to nothing. */
export function stubOf(id: string, type: string): Buffer[] {
  return [wrapped('create', Buffer.from(JSON.stringify({ _id: id, _type: type })))]
}

/** Takes all content out of a document, and so all its references. */
export function clearOf(locked: Locked, type: string): Buffer[] {
  return [...lockOf(locked), wrapped('createOrReplace', Buffer.from(JSON.stringify({ _id: locked.id, _type: type })))]
}

/** Deletes the revision that the plan saw; without one, whatever stands there by now in the transaction. */
export function deleteOf(id: string, revision?: string): Buffer[] {
  const mutation = Buffer.from(JSON.stringify({ delete: { id } }))
  return revision === undefined ? [mutation] : [...lockOf({ id, revision }), mutation]
}

/** Sets the members of `set`, the text of an object, and takes out those that are named. */
export function patchOf({ id, revision }: Locked, set: Buffer | undefined, unset: readonly string[] = []): Buffer[] {
  const head = JSON.stringify({ id, ...(revision === '' ? {} : { ifRevisionID: revision }), ...(unset.length > 0 ? { unset } : {}) })
  const body = set ? [Buffer.from(`${head.slice(0, -1)},"set":`), set, Buffer.from('}')] : [Buffer.from(head)]
  return [wrapped('patch', Buffer.concat(body))]
}

function wrapped(kind: string, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`{"${kind}":`), value, Buffer.from('}')])
}

/** What a mutation takes beside the line, in bytes, about: its name and, where something is replaced, the lock with an id and a revision. */
export const overhead = { create: 16, replace: 200 } as const
