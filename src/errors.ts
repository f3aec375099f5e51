/** Every way in which a run can fail, by the names that users see: the output `error-code` and the headings of docs/errors.md. */
export type ErrorCode =
  | 'input-invalid'
  | 'sanity-unauthorized'
  | 'sanity-forbidden'
  | 'sanity-not-found'
  | 'sanity-quota'
  | 'sanity-rate-limited'
  | 'sanity-unavailable'
  | 'export-rejected'
  | 'export-truncated'
  | 'export-invalid'
  | 'too-few-documents'
  | 'dataset-shrunk'
  | 'asset-missing'
  | 'public-repository'
  | 'disk-full'
  | 'artifact-name-taken'
  | 'artifact-quota'
  | 'artifact-failed'
  | 'branch-rejected'
  | 'branch-too-large'
  | 'branch-conflict'
  | 'verification-failed'
  | 'snapshot-missing'
  | 'snapshot-invalid'
  | 'snapshot-locked'
  | 'restore-refused'
  | 'restore-failed'
  | 'cancelled'
  | 'unexpected'

/**
 * How often in all a step may be tried when it fails with this error, and how long the other side asked to wait, in milliseconds. `cut`: an
 * answer had begun and did not come to its end, so that asking for less at a time may help.
 */
export type Retry = { readonly tries: number; readonly afterMs?: number | undefined; readonly cut?: true }

type Details = {
  readonly code: ErrorCode
  /** What failed, in a few words. */
  readonly title: string
  /** The fact, in a sentence or two. */
  readonly message: string
  /** The cure: what to do now. */
  readonly hint: string
  readonly cause?: unknown
  readonly retry?: Retry
}

/** A failure whose cure is known. Its words are complete: whoever catches it adds nothing. */
export class BackupError extends Error {
  readonly code: ErrorCode
  readonly title: string
  readonly hint: string
  readonly retry: Retry

  constructor({ code, title, message, hint, cause, retry }: Details) {
    super(message, { cause })
    this.name = 'BackupError'
    this.code = code
    this.title = title
    this.hint = hint
    this.retry = retry ?? { tries: 1 }
  }
}

type Words = { readonly title?: string; readonly message?: string; readonly hint?: string; readonly cause?: unknown }

/** The same failure in other words; what is not given stays as it is. It is the last word on the step: no further try follows. */
export function reworded(error: BackupError, words: Words): BackupError {
  const { code, title, message, hint, cause } = error
  return new BackupError({ code, title, message, hint, cause, ...words })
}

/** The `code` of a Node or undici error, such as `ENOSPC` or `UND_ERR_SOCKET`, looking through its causes; undefined if there is none. */
export function findSystemCode(error: unknown): string | undefined {
  for (let current = error, depth = 0; typeof current === 'object' && current !== null && depth < 5; depth++) {
    if ('code' in current && typeof current.code === 'string') return current.code
    current = 'cause' in current ? current.cause : undefined
  }
  return undefined
}

/** What an error of unknown kind says of itself. */
export function messageOf(error: unknown): string {
  return Error.isError(error) ? error.message : String(error)
}
