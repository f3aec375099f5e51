/** What is to be written, as a graph over document numbers 0…n-1. */
export type OrderNeeds = {
  /** In the snapshot, not in the target. */
  readonly creates: readonly number[]
  /** In both, to be written as the snapshot has it. */
  readonly replaces: readonly number[]
  /**
   * Like a replace, but `_type` changes: the server refuses it while a strong reference points at the document in the target. Whatever refers to
   * it there is to be replaced, retyped or deleted too.
   */
  readonly retypes: readonly number[]
  /** In the target only. No line of the snapshot may refer strongly to one, and no document that stays as it is. */
  readonly deletes: readonly number[]
  /** Strong references of the snapshot's line. Targets that exist in neither were sorted out before. */
  readonly refersInSnapshot: (document: number) => Iterable<number>
  /** Strong references of the target's document as it is now. */
  readonly refersInTarget: (document: number) => Iterable<number>
  /** Bytes of the mutation for the snapshot's line. */
  readonly size: (document: number) => number
}

export type Write =
  /** create: plain create of the raw line; replace: lock + createOrReplace raw line; delete: lock + delete. */
  | { readonly kind: 'create' | 'replace' | 'delete'; readonly document: number }
  /** Create of `{_id,_type}` only, with the snapshot's type; in the same batch a `fill` follows. */
  | { readonly kind: 'stub'; readonly document: number }
  /** createOrReplace raw line, no lock: only after `stub` or `clear` in the same batch. */
  | { readonly kind: 'fill'; readonly document: number }
  /**
   * Lock + createOrReplace `{_id,_type}` with the TARGET's type: drops all its references. A `fill`, or a `delete` (without lock then), follows
   * in the same batch, or a write with a lock in a later step, see {@link Step}.
   */
  | { readonly kind: 'clear'; readonly document: number }
  /**
   * The raw line with the references to `targets` made weak (create, or lock + createOrReplace if `replaces`); a later step has a `replace` for the
   * same document.
   */
  | { readonly kind: 'weak'; readonly document: number; readonly targets: readonly number[]; readonly replaces: boolean }

/** One transaction. */
export type Batch = { readonly writes: readonly Write[] }

/**
 * The batches of a step may be sent in any order and at the same time; a step begins when the one before is through. `kind` is what a step is
 * for: with a retype, what has to go is deleted in the same batch; a retype may be deleted and made anew in its batch (`delete`, `stub`, `fill`).
 *
 * What others can see between two steps: documents whose references are partly weak, and in two cases documents that are cleared. Such a `clear` has
 * nothing after it in its batch: of documents to be deleted that refer to one another in too large a cycle or over too many levels, or that refer to
 * retypes which do not fit into one batch; and of such retypes that refer to one another in a cycle or over too many levels.
 */
export type Step = { readonly kind: 'create' | 'replace' | 'delete'; readonly batches: readonly Batch[] }

/** How much a batch may hold, and how many steps one kind of write may be spread over. */
export type Limits = { readonly bytes: number; readonly documents: number; readonly levels: number }
