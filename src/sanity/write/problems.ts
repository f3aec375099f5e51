import { quoteOutside } from '../../text.ts'

/** What the server has against one mutation. All text is Sanity's, made harmless. */
export type Problem = {
  readonly type:
    | 'exists'
    | 'revision'
    | 'missing'
    | 'reference-missing'
    | 'still-referred'
    | 'release-limit'
    | 'invalid'
    | 'too-large'
    | 'other'
  /** Of the mutation in the request; 0 for an action, -1 where Sanity speaks of the request as a whole. */
  readonly index: number
  readonly id: string | undefined
  /** The document that is referred to and not there (`reference-missing`), or those that refer to this one (`still-referred`). */
  readonly others: readonly string[]
  readonly words: string
}

/** What a body says went wrong: the types as Sanity names them, and what they are about. */
export type Refusal = {
  /** At the top of the body; empty if there is none. */
  readonly type: string
  readonly faults: readonly Fault[]
}

/** One error of a body: of a mutation (`items`), or of the request. */
type Fault = { readonly type: string; readonly index: number; readonly members: Readonly<Record<string, unknown>> }

/**
 * The error types of Content Lake, which are the same for mutations and actions. sanity-io/sanity issues 3202 and 2440, isReleaseLimitError.ts;
 * `documentNotFoundError` is a guess: the docs only say that the patch of a missing document fails.
 */
const problemTypes: Readonly<Record<string, Problem['type']>> = {
  documentAlreadyExistsError: 'exists',
  documentRevisionIDDoesNotMatchError: 'revision',
  documentNotFoundError: 'missing',
  documentReferenceDoesNotExistError: 'reference-missing',
  documentHasExistingReferencesError: 'still-referred',
  releaseLimitExceededError: 'release-limit',
  validationError: 'invalid',
}

/**
 * Reads the body of a refusal, of whatever shape: `{error:{type,description,items:[{index,error}]}}` of a mutation, `{error:{type,…}}` of an action,
 * `{statusCode,error,message}` of the layers before Content Lake, or none of these. Sanity's own client tells them apart likewise:
 * `@sanity/client` src/http/errors.ts.
 */
export function readRefusal(body: Buffer): Refusal {
  const json = parseRecord(body)
  const error = recordIn(json, 'error')
  const items = Array.isArray(error?.['items']) ? error['items'].flatMap(faultOfItem) : []
  const type = textIn(error, 'type') || textIn(json, 'error')
  const whole = error ?? { description: textIn(json, 'message') || textIn(json, 'error') }
  return { type, faults: items.length > 0 ? items : [{ type, index: -1, members: whole }] }
}

/** Whether there is something against a document that is known by its type, whatever the status. */
export function isAboutDocuments({ faults }: Refusal): boolean {
  return faults.some(({ type }) => Object.hasOwn(problemTypes, type))
}

/** What a refusal has against each mutation. */
export function problemsOf({ faults }: Refusal, status: number): Problem[] {
  return faults.map(({ type, index, members }) => ({
    type: problemType(type, status),
    index,
    id: textIn(members, 'id') ? quoteOutside(textIn(members, 'id'), 200) : undefined,
    others: othersIn(members),
    words:
      quoteOutside(textIn(members, 'description') || textIn(members, 'message'), 300) || `Sanity answered ${status}, and gave no reason`,
  }))
}

function problemType(type: string, status: number): Problem['type'] {
  const known = Object.hasOwn(problemTypes, type) ? problemTypes[type] : undefined
  if (known !== undefined) return known
  if (status === 413) return 'too-large'
  return status === 400 || status === 422 ? 'invalid' : 'other'
}

/** Sanity names a document once for each of its references. */
function othersIn(members: Readonly<Record<string, unknown>>): string[] {
  const referring = members['referencingIDs']
  const ids = [members['referenceID'], ...(Array.isArray(referring) ? referring : [])]
  return [...new Set(ids.flatMap((id) => (typeof id === 'string' ? [quoteOutside(id, 200)] : [])))]
}

function faultOfItem(item: unknown): Fault[] {
  const members = isRecord(item) ? recordIn(item, 'error') : undefined
  if (!isRecord(item) || !members) return []
  const index = item['index']
  return [{ type: textIn(members, 'type'), index: typeof index === 'number' && Number.isSafeInteger(index) ? index : -1, members }]
}

/** The JSON object of a body; undefined if it is none. */
export function parseRecord(body: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

export function recordIn(object: Readonly<Record<string, unknown>> | undefined, key: string): Record<string, unknown> | undefined {
  const value = object?.[key]
  return isRecord(value) ? value : undefined
}

export function textIn(object: Readonly<Record<string, unknown>> | undefined, key: string): string {
  const value = object?.[key]
  return typeof value === 'string' ? value : ''
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
