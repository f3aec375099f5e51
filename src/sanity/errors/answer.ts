import { BackupError, type Retry } from '../../errors.ts'
import { retryAfterMs } from '../../http/retry-after.ts'
import { quoteOutside } from '../../text.ts'
import type { Source } from '../source.ts'
import { type ErrorBody, readErrorBody } from './error-body.ts'
import { kindOf401, unauthorized } from './token.ts'

/** An answer of Sanity's that is not a 200. */
export type Answer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: Buffer
  readonly source: Source
  /** What was asked for. */
  readonly what: string
  readonly url: URL
}

type Meaning = {
  readonly code: BackupError['code']
  readonly title: string
  readonly message: string
  readonly hint: string
  readonly retry?: Retry
}
/** An answer with what its body holds, and with Sanity’s own words as a sentence for the message. */
type ReadAnswer = Answer & { readonly errorBody: ErrorBody; readonly words: string }

/** The error that an answer means, with the cure for that very case. The shapes and texts are those of `@sanity/client` src/http/errors.ts. */
export function errorOfAnswer(answer: Answer): BackupError {
  const errorBody = readErrorBody(answer.body)
  const text = quoteOutside([errorBody.error, errorBody.message].filter(Boolean).join(': '), 300)
  const words = text ? ` Sanity says: "${text}".` : ' Sanity gave no reason.'
  const meaning = meaningOf({ ...answer, errorBody, words })
  return new BackupError({ ...meaning, message: meaning.message + traceOf(answer) })
}

function meaningOf(answer: ReadAnswer): Meaning {
  const { status } = answer
  if (status === 401) return meaningOf401(answer)
  if (isQuota(answer)) return quota(answer)
  if (status === 403) return meaningOf403(answer)
  if (status === 404) return meaningOf404(answer)
  if (status === 429) return rateLimited(answer)
  if (status === 400) return badRequest(answer)
  if (status >= 500) return serverError(answer)
  return unexpectedStatus(answer)
}

function meaningOf401({ errorBody, source, words, what }: ReadAnswer): Meaning {
  const kind = kindOf401(errorBody)
  return kind === 'grant' ? missingGrant({ status: 401, words, what, source }) : unauthorized(kind, { source, words, access: 'read' })
}

function meaningOf403({ errorBody, source, words, what }: ReadAnswer): Meaning {
  if (/robots? (is|are) not allowed/i.test(errorBody.message)) {
    return {
      code: 'sanity-forbidden',
      title: 'Sanity says: Robots are not allowed (403)',
      message: `The endpoint for ${what} does not take robot tokens (the kind made under API, Tokens) here. Project "${source.projectId}", dataset "${source.dataset}", API version ${source.apiVersion}.`,
      hint:
        'Sanity says so when a request reaches an API that is only for people. Check in this order: `project-id` and `dataset` for typing errors; `api-version` (use a dated one such as 2025-02-19, not vX); ' +
        '`api-host`; that the token is a robot token of this very project with the Viewer role. The last resort is a personal token (`sanity debug --secrets` shows it): it carries all your rights and expires after a year at most.',
    }
  }
  if (/permission|grant|access to this dataset/i.test(errorBody.text)) return missingGrant({ status: 403, words, what, source })
  return {
    code: 'sanity-forbidden',
    title: 'Sanity forbids the request (403)',
    message: `The token is valid, but ${what} of dataset "${source.dataset}" in project "${source.projectId}" is forbidden.${words}`,
    hint: 'Give the token the Viewer role at sanity.io/manage (project, API, Tokens). If it has it already, check that the project is not blocked or unpaid, and that no proxy or firewall answers in the place of Sanity.',
  }
}

function missingGrant({ status, words, what, source }: { status: number; words: string; what: string; source: Source }): Meaning {
  return {
    code: 'sanity-forbidden',
    title: `The Sanity token may not read this dataset (${status})`,
    message: `The token is valid, but its role lacks a permission needed for ${what} (project "${source.projectId}", dataset "${source.dataset}").${words}`,
    hint: 'Give the token the Viewer role, or a custom role that reads all documents of this dataset, at sanity.io/manage (project, API, Tokens). A change can take some minutes to be known everywhere.',
  }
}

function meaningOf404({ errorBody, source, words }: ReadAnswer): Meaning {
  const code = 'sanity-not-found'
  const both = `project "${source.projectId}", dataset "${source.dataset}"`
  if (errorBody.errorCode === 'SIO-404-PNF' || /^project\b.*not found/i.test(errorBody.message) || errorBody.attributeType === 'project') {
    return {
      code,
      title: 'Sanity has no such project (404)',
      message: `Project "${source.projectId}" does not exist (asked for: ${both}).${words}`,
      hint: 'Copy the project id from sanity.io/manage into `project-id`.',
    }
  }
  if (/dataset/i.test(errorBody.text)) {
    return {
      code,
      title: 'Sanity has no such dataset (404)',
      message: `There is no dataset "${source.dataset}" in project "${source.projectId}".${words}`,
      hint: 'Compare `dataset` with the list at sanity.io/manage (project, Datasets): upper and lower case count, and an alias (~name) is not a dataset. Check `project-id` too.',
    }
  }
  return {
    code,
    title: 'Sanity has no such project or dataset (404)',
    message: `Nothing was found for ${both}.${words}`,
    hint: 'Compare `project-id` and `dataset` with sanity.io/manage, and check `api-host` and `api-version` if you set them.',
  }
}

/** A dataset may be called "quota", and a rate limit is called one too: words count only where they can mean a plan. */
function isQuota({ status, errorBody }: ReadAnswer): boolean {
  if (status === 402) return true
  if (status === 404 || status === 429 || status >= 500) return false
  return (
    /^(plan_limit_reached|documentLimitExceeded\w*)$/.test(errorBody.type || errorBody.error) ||
    (status === 403 && /quota/i.test(errorBody.text))
  )
}

function quota({ status, source, words }: ReadAnswer): Meaning {
  return {
    code: 'sanity-quota',
    title: `The Sanity plan's limit is reached (${status})`,
    message: `Sanity does not serve project "${source.projectId}" because a limit of its plan is reached or a bill is open.${words}`,
    hint: 'See Usage and Plan at sanity.io/manage. Nothing can be backed up until the limit is raised, the bill is paid, or the next period begins.',
  }
}

const rateLimitTries = 5

function rateLimited({ headers, words }: ReadAnswer): Meaning {
  const afterMs = retryAfterMs(headers)
  const asked = afterMs === undefined ? '' : ` It asked to wait ${Math.ceil(afterMs / 1000)} s.`
  return {
    code: 'sanity-rate-limited',
    title: 'Rate limited by Sanity (429)',
    message: `Sanity limits how often it can be asked from one address.${asked}${words}`,
    hint: 'Run the backup again later. Move its schedule off the full hour, and run fewer jobs of this project at the same time: hosted runners share their addresses with strangers.',
    retry: { tries: rateLimitTries, afterMs },
  }
}

function badRequest({ what, source, words }: ReadAnswer): Meaning {
  return {
    code: 'input-invalid',
    title: 'Sanity does not understand the request (400)',
    message: `Sanity refused ${what} (project "${source.projectId}", dataset "${source.dataset}", API version ${source.apiVersion}).${words}`,
    hint: 'Check `api-version` (for example 2025-02-19), `dataset` and `types`.',
  }
}

const serverErrorTries = 5
/** A server in trouble may ask for a longer wait than it needs: it is tried again all the same, in the usual time. */
const longestServerWaitMs = 60_000

function serverError({ status, headers, what, words }: ReadAnswer): Meaning {
  const askedMs = retryAfterMs(headers)
  return {
    code: 'sanity-unavailable',
    title: `Sanity has a problem (${status})`,
    message: `Sanity, or a gateway before it, answered ${status} to ${what}.${words}`,
    hint: 'See status.sanity.io, and run the backup again later.',
    retry: { tries: serverErrorTries, afterMs: askedMs !== undefined && askedMs <= longestServerWaitMs ? askedMs : undefined },
  }
}

function unexpectedStatus({ status, headers, url, what, words }: ReadAnswer): Meaning {
  if (status === 414 || status === 431) return tooLong(status, what)
  const redirect = status >= 300 && status < 400
  const target = quoteOutside(String(headers['location'] ?? ''), 100)
  return {
    code: 'sanity-unavailable',
    title: redirect ? `${url.host} answered with a redirect (${status})` : `${url.host} gave an unexpected answer (${status})`,
    message: redirect
      ? `A redirect${target ? ` to "${target}"` : ''} is not followed, so that the token cannot reach another host.${words}`
      : `Only a 200 can hold ${what}, and ${status} came.${words}`,
    hint: 'Check `api-host` and `api-version`, and whether a proxy answers in the place of Sanity.',
  }
}

function tooLong(status: number, what: string): Meaning {
  return {
    code: 'input-invalid',
    title: `The request is too long (${status})`,
    message: `types: so many types do not fit into the request for ${what}.`,
    hint: 'Name fewer types in `types`, or name those to leave out in `exclude-types`: that list is not sent.',
  }
}

/** Sanity's support finds a request by its trace id, the second part of the header `traceparent`. */
function traceOf({ headers }: Answer): string {
  const [, trace] = String(headers['traceparent'] ?? '').split('-')
  return trace && /^[0-9a-f]{32}$/.test(trace) ? ` (trace id ${trace})` : ''
}
