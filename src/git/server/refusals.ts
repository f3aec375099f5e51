import { BackupError, findSystemCode } from '../../errors.ts'
import { quoteOutside } from '../../text.ts'
import { type Finished, GitError } from '../command.ts'
import {
  damaged,
  forbidden,
  forbiddenToRead,
  notFound,
  type Refusal,
  refusals,
  rewriting,
  unknownFailure,
  unknownRefusal,
} from './refusal-rules.ts'

/** A push that did not change anything. `lost`: somebody else was faster. `broken`: it may do better the next time, or may even have been done. */
export type PushFailure =
  | { readonly kind: 'lost' }
  | { readonly kind: 'refused'; readonly error: BackupError }
  | { readonly kind: 'broken'; readonly error: BackupError }

/**
 * Tells why a push failed. The line of the ref is git's (git-scm.com/docs/git-push, --porcelain); in brackets stand git's or the server's words.
 */
export function failedPush(finished: Finished, url: string): PushFailure {
  const report = finished.stdout.toString('utf8')
  const reasons = Array.from(report.matchAll(/^!\t[^\t]*\t\[(?:remote )?rejected\] \((.*)\)$/gm), ([, reason = '']) => reason)
  // Of two refs that move together, the one that could have moved says only that the other could not.
  const why = reasons.find((reason) => !/^(atomic|transaction)/.test(reason)) ?? reasons[0] ?? ''
  const refusal = findRefusal(`${finished.stderr}\n${why}`)
  if (lostRule.test(why) && refusal !== rewriting && !/exists; cannot create/.test(finished.stderr)) return { kind: 'lost' }
  const words = `${wordsOf(finished)}${why === '' ? '' : ` (${why})`}`
  const error = refused(refusal ?? (why === '' ? unknownFailure : unknownRefusal), words, url)
  return { kind: error.retry.tries > 1 || (why === '' && refusal === undefined) ? 'broken' : 'refused', error }
}

/**
 * The branch is not where it was expected to be: found by git before, or by the server while pushing. A history that another run has rewritten
 * meanwhile leaves a shallow one hanging in the air.
 */
const lostRule =
  /^(stale info|fetch first|non-fast-forward|cannot lock ref|failed to update ref|reference already exists|incorrect old value|shallow update not allowed)/

/** The error for a server that gives no answer, or refuses to be read. */
export function failedRead(finished: Finished, url: string): BackupError {
  const refusal = findRefusal(finished.stderr) ?? unknownFailure
  return refused(refusal === forbidden ? forbiddenToRead : refusal, wordsOf(finished), url)
}

/** The error that says in words why a git process failed; undefined if it was something else that failed. */
export function findCommandFailure(error: unknown, url: string): BackupError | undefined {
  if (error instanceof GitError) return failedRead(error.finished, url)
  // Node gives the same code for a program that is not there as for a file.
  return findSystemCode(error) === 'ENOENT' && String(error).includes('spawn git') ? noGit(error) : undefined
}

function findRefusal(said: string): Refusal | undefined {
  return refusals.find(({ rule }) => rule.test(said))
}

/** Whether a server has what was asked for no longer, or not as it should be. */
export function isDamaged(error: unknown): boolean {
  return error instanceof BackupError && error.title === damaged.title
}

/** Whether a server said that it knows no such repository. */
export function isNotFound(error: unknown): boolean {
  return error instanceof BackupError && error.title === notFound.title
}

/** The error for a runner without git. */
function noGit(cause: unknown): BackupError {
  return new BackupError({
    code: 'branch-rejected',
    title: 'There is no git on this runner',
    message: 'A branch is written with git, and no program of that name was found on this runner.',
    hint: 'Install git before this step, or use `destination: artifact`. Runners of GitHub have it.',
    cause,
  })
}

/** The error for a git that does not know what is asked of it here. */
export function oldGit(found: string, needed: string): BackupError {
  return new BackupError({
    code: 'branch-rejected',
    title: 'The git on this runner is too old',
    message: `It calls itself "${quoteOutside(found)}", and a branch is written with git ${needed} or newer. An older one would not send the token.`,
    hint: `Install git ${needed} or newer before this step, or use \`destination: artifact\`.`,
  })
}

function refused({ code, title, hint, tries = 1 }: Refusal, said: string, url: string): BackupError {
  return new BackupError({
    code,
    title,
    hint,
    retry: { tries },
    message: `Repository ${quoteOutside(url, 200)}: git says "${quoteOutside(said, 800)}"`,
  })
}

/** What the server and git said that is worth reading. */
function wordsOf({ stderr }: Finished): string {
  const lines = stderr
    .split(/[\n\r]/)
    .map((line) => line.replace(/^remote: ?/, '').trim())
    .filter((line) => line !== '' && !/^(To |hint:|Everything up-to-date|(Enumerating|Counting|Compressing|Writing|Resolving) )/.test(line))
  return [...new Set(lines)].join(' ')
}
