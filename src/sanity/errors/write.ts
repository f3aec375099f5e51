import { BackupError, reworded } from '../../errors.ts'
import { retryAfterMs } from '../../http/retry-after.ts'
import { formatDuration, quoteOutside } from '../../text.ts'
import { type Answer, errorOfAnswer } from './answer.ts'
import { readErrorBody } from './error-body.ts'
import type { Cut } from './network.ts'
import { kindOf401, unauthorized } from './token.ts'

/** Nothing needs to be known about a restore that stopped: the next one sees what is there. */
const again = 'run the restore again: it compares the dataset anew, and writes only what still differs.'
const later = `See status.sanity.io. Then ${again}`

/** What it means when the answer to a write, or to a question in between, ends early. */
export const cutWrite: Cut = { code: 'sanity-unavailable', hint: later }

/** What Sanity's permission `create`, `update` … allows is missing (`insufficientPermissionsError`). Also the answer to a dry run that asks for it. */
export class MayNotWrite extends BackupError {
  /** As Sanity names it, made harmless: `create`, `update`, `delete` …; empty if it names none. */
  readonly permission: string
  /** Of the mutation in the request; -1 if Sanity names none. */
  readonly index: number

  constructor(answer: Answer, { permission, index }: { readonly permission: string; readonly index: number }) {
    super({ code: 'sanity-forbidden', ...missingRight(answer, quoteOutside(permission, 40)) })
    this.permission = quoteOutside(permission, 40)
    this.index = index
  }
}

/**
 * The error for an answer to a write that is neither a result nor about the documents, with a cure for one who writes: the token needs the Editor
 * role, and documents that were written already need nothing done about them.
 */
export function errorOfWrite(answer: Answer): BackupError {
  const { status, source } = answer
  const body = readErrorBody(answer.body)
  const words = wordsOf(answer)
  if (status === 401) {
    const kind = kindOf401(body)
    if (kind === 'grant') return new BackupError({ code: 'sanity-forbidden', ...missingRight(answer, '') })
    return new BackupError(unauthorized(kind, { source, words, access: 'write' }))
  }
  const error = errorOfAnswer(answer)
  if (error.code === 'sanity-quota' || status === 402) return overQuota(answer)
  if (status === 403) return new BackupError({ code: 'sanity-forbidden', ...missingRight(answer, '') })
  if (error.code === 'sanity-rate-limited') return withCure(error, `Run fewer jobs of this project at the same time. Later, ${again}`)
  if (status === 408) return slow(answer)
  return status >= 500 ? withCure(error, later) : error
}

/** The same error with another cure; another try can help against it. */
function withCure({ code, title, message, cause, retry }: BackupError, hint: string): BackupError {
  return new BackupError({ code, title, message, hint, cause, retry: { ...retry, tries: Math.max(retry.tries, 2) } })
}

function slow(answer: Answer): BackupError {
  return new BackupError({
    code: 'sanity-unavailable',
    title: 'Sanity waited too long for the request (408)',
    message: `Sanity, or a gateway before it, gave up waiting for ${answer.what}.${wordsOf(answer)}`,
    hint: later,
    retry: { tries: 2, afterMs: retryAfterMs(answer.headers) },
  })
}

/** The error for a plan's limit, which every further write would meet too. */
export function overQuota(answer: Answer): BackupError {
  const { status, source } = answer
  return new BackupError({
    code: 'sanity-quota',
    title: `The Sanity plan's limit is reached (${status})`,
    message: `Sanity refuses ${answer.what} (project "${source.projectId}", dataset "${source.dataset}"): a limit of its plan is reached, or a bill is open.${wordsOf(answer)}`,
    hint: `See Usage and Plan at sanity.io/manage: raise the limit, pay the bill, or delete what is not needed. Then ${again}`,
  })
}

/** The error for a write that another one got in the way of: Sanity rolled it back, and it may be sent again. */
export function conflicted(answer: Answer): BackupError {
  return new BackupError({
    code: 'sanity-unavailable',
    title: `Another write got in the way (${answer.status})`,
    message: `Sanity rolled ${answer.what} back because of another transaction at the same time.${wordsOf(answer)}`,
    hint: `Let nobody else write into the dataset meanwhile: editors, functions, other jobs. Then ${again}`,
    retry: { tries: 2, afterMs: retryAfterMs(answer.headers) },
  })
}

/** The error for a 200 that does not hold what Sanity would have said. */
export function notAnAnswer({ what, url }: Pick<Answer, 'what' | 'url'>): BackupError {
  return new BackupError({
    code: 'sanity-unavailable',
    title: `${url.host} gave an answer that is not Sanity's`,
    message: `The answer to ${what} was a 200, but does not hold what Sanity says to it. Whether it was carried out is not known.`,
    hint: `Check \`api-host\`, and whether a proxy answers in the place of Sanity. Then ${again}`,
  })
}

type Tried = { readonly what: string; readonly tries: number; readonly forMs: number }

/** The last of many failures, of which none was for good: how long it was tried, and how to go on. */
export function gaveUp(error: BackupError, { what, tries, forMs }: Tried): BackupError {
  return reworded(error, {
    message: `${error.message} That was try ${tries} of ${what}, in ${formatDuration(forMs)}, and none came through.`,
    hint: error.code === 'sanity-rate-limited' ? error.hint : later,
    cause: error,
  })
}

function missingRight({ status, what, source, ...answer }: Answer, permission: string) {
  const lack = permission ? `lacks the permission "${permission}"` : 'lacks a permission'
  return {
    title: /^(create|read|update|delete)$/.test(permission)
      ? `The Sanity token may not ${permission} documents (${status})`
      : `The Sanity token may not write into this dataset (${status})`,
    message: `The token is valid, but its role ${lack}, which is needed for ${what} (project "${source.projectId}", dataset "${source.dataset}").${wordsOf(answer)}`,
    hint: `Give the token the Editor role, or a custom role that creates, updates and deletes all documents and assets of this dataset, at sanity.io/manage (project, API, Tokens). A change can take some minutes to be known everywhere. If it has such a role, check that the project is not blocked, and that no proxy or firewall answers in the place of Sanity. Then ${again}`,
  }
}

function wordsOf({ body }: Pick<Answer, 'body'>): string {
  const { error, message } = readErrorBody(body)
  const text = quoteOutside([error, message].filter(Boolean).join(': '), 300)
  return text ? ` Sanity says: "${text}".` : ' Sanity gave no reason.'
}
