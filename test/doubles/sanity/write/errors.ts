import type { Answer } from '../../http.ts'

/** Thrown inside a transaction: nothing of it is applied. */
export class MutationError extends Error {
  readonly status: number
  readonly item: Readonly<Record<string, unknown>>
  /** Which mutation of the body. */
  index: number | undefined
  constructor(status: number, item: Readonly<Record<string, unknown>>, index?: number) {
    super(String(item['description']))
    this.status = status
    this.item = item
    this.index = index
  }
}

export const invalid = (description: string): MutationError => new MutationError(400, { type: 'validationError', description })

export const alreadyExists = (id: string): MutationError =>
  new MutationError(409, { type: 'documentAlreadyExistsError', id, description: `Document by ID "${id}" already exists` })

/** INFERRED: the docs say that a patch of a missing document fails; nobody shows how. */
export const notFound = (id: string): MutationError =>
  new MutationError(409, { type: 'documentNotFoundError', id, description: `The document with the ID "${id}" was not found` })

/** Members as independent users of the API read them. */
export function otherRevision(id: string, current: unknown, expected: unknown): MutationError {
  const description = `Document "${id}" has unexpected revision ID "${current}", expected "${expected}"`
  const ids = { id, currentRevisionID: current, expectedRevisionID: expected }
  return new MutationError(409, { type: 'documentRevisionIDDoesNotMatchError', ...ids, description })
}

/** Body: sanity-io/sanity issue 3202; `referenceID`: sanity-io/plugins issue 1228. */
export function missingReference(id: string, referenceID: string, index: number): MutationError {
  const description = `Document "${id}" references non-existent document "${referenceID}"`
  return new MutationError(409, { type: 'documentReferenceDoesNotExistError', id, referenceID, description }, index)
}

/** Status: sanity-io/sanity issue 2440; members: createVariantPermissionsStore.test.ts in the same repository. */
export function stillReferred(id: string, referencingIDs: readonly string[], index: number): MutationError {
  const description = `Document "${id}" cannot be deleted as there are references to it from "${referencingIDs[0]}"`
  return new MutationError(409, { type: 'documentHasExistingReferencesError', id, referencingIDs, description }, index)
}

export function notPermitted(permission: string): MutationError {
  const description = `Insufficient permissions; permission "${permission}" required`
  return new MutationError(403, { type: 'insufficientPermissionsError', description, permission })
}

/** The body as users paste it in public issues; 403 has another prefix (sanity-io/sanity issue 3284). */
export function mutationFailed(errors: readonly MutationError[]): Answer {
  const [first] = errors
  const status = first?.status ?? 400
  const description = `${status === 403 ? 'transaction' : 'The mutation(s)'} failed: ${first?.message}`
  const items = errors.map(({ index = 0, item }) => ({ index, error: item }))
  return { status, body: { error: { type: 'mutationError', description, items } } }
}

/**
 * Text found by Sanity's own client tests: sanity-io/client CONTRIBUTING.md. A conflict has its type at the top, where the Studio looks for it:
 * sanity-io/sanity @repo/release-notes createOrUpdateChangelogDocs.ts, isReleaseLimitError.ts.
 */
export function actionFailed(error: MutationError, index: number): Answer {
  const { status, item, message } = error
  if (item['type'] !== 'validationError') return { status, body: { error: item } }
  const description = `action index ${index}: ${message}`
  const inner = { type: 'validationError', description }
  return { status, body: { error: { type: 'actionError', description, items: [{ index, error: inner }] } } }
}

/** sanity-io/sdk submissionErrors.ts: the type stands at the top and means that an earlier attempt was committed. Text INFERRED. */
export function repeatedTransaction(id: string): Answer {
  const description = `Transaction with ID "${id}" already exists`
  return { status: 409, body: { error: { type: 'transactionAlreadyExistsError', description } } }
}
