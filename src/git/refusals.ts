import { BackupError } from '../errors.ts'
import { quoteOutside } from '../text.ts'
import type { Finished } from './command.ts'

/** A push that did not change anything. `lost`: somebody else was faster. `broken`: it may do better the next time, or may even have been done. */
export type PushFailure =
  | { readonly kind: 'lost' }
  | { readonly kind: 'refused'; readonly error: BackupError }
  | { readonly kind: 'broken'; readonly error: BackupError }

/**
 * Tells why a push failed. The line of the ref is git's (git-scm.com/docs/git-push, --porcelain); in brackets stand git's or the server's words.
 */
export function failedPush(finished: Finished, url: string): PushFailure {
  const said = wordsOf(finished)
  const why = /^!\t[^\t]*\t\[(?:remote )?rejected\] \((.*)\)$/m.exec(finished.stdout.toString('utf8'))?.[1] ?? ''
  if (lostRule.test(why) && !/exists; cannot create/.test(said)) return { kind: 'lost' }
  const refusal = refusals.find(({ rule }) => rule.test(`${said}\n${why}`))
  const error = refused(refusal ?? (why === '' ? unknownFailure : unknownRefusal), `${said}${why === '' ? '' : ` (${why})`}`, url)
  return { kind: why === '' && (refusal === undefined || refusal === unreachable) ? 'broken' : 'refused', error }
}

/** The branch is not where it was expected to be: found by git before, or by the server while pushing. */
const lostRule =
  /^(stale info|fetch first|non-fast-forward|cannot lock ref|failed to update ref|reference already exists|incorrect old value)/

/** The error for a server that gives no answer, or refuses to be read. */
export function failedRead(finished: Finished, url: string): BackupError {
  const said = wordsOf(finished)
  return refused(refusals.find(({ rule }) => rule.test(said)) ?? unknownFailure, said, url)
}

/** Whether a server said that it knows no such repository. */
export function isNotFound(error: unknown): boolean {
  return error instanceof BackupError && error.title === notFound.title
}

/** The error for a runner without git. */
export function noGit(cause: unknown): BackupError {
  return new BackupError({
    code: 'branch-rejected',
    title: 'There is no git on this runner',
    message: 'A branch is written with git, and no program of that name was found on this runner.',
    hint: 'Install git before this step, or use `destination: artifact`. Runners of GitHub have it.',
    cause,
  })
}

type Refusal = {
  readonly rule: RegExp
  readonly code: 'branch-rejected' | 'branch-too-large' | 'disk-full'
  readonly title: string
  readonly hint: string
}

const unreachable: Refusal = {
  rule: /Could not resolve|Failed to connect|Connection (refused|reset|timed out)|timed out|Empty reply|returned error: (5\d\d|429)|RPC failed|unexpected disconnect|early EOF|hung up|Operation too slow|SSL|certificate/i,
  code: 'branch-rejected',
  title: 'The git server cannot be reached',
  hint: 'Run the job again; see githubstatus.com. On a self-hosted runner check the network, the proxy and its certificates.',
}

const notFound: Refusal = {
  rule: /Repository not found|repository '.*' not found|not found: did you run git update-server-info|returned error: 404/i,
  code: 'branch-rejected',
  title: 'The repository is not there for this token',
  hint: 'Check `repository` letter by letter. GitHub says the same where the token has no access: the workflow’s own token knows its own repository only, so set `github-token` to one that may write there.',
}

/** The first that fits tells. GitHub's texts: docs.github.com, "About protected branches", "About large files on GitHub". */
const refusals: readonly Refusal[] = [
  {
    rule: /No space left on device|Disk quota exceeded|Out of diskspace/i,
    code: 'disk-full',
    title: 'The disk is full',
    hint: 'Free disk space before this step, let `path` point to a larger disk, or use a runner with more room: a branch needs about the compressed size of the snapshot twice.',
  },
  {
    rule: /GH001|exceeds GitHub's file size limit/,
    code: 'branch-too-large',
    title: 'A file is too large for GitHub',
    hint: 'Leave the document or asset out (`exclude-ids`, `include-assets: false`), or use `destination: artifact`, which takes files of any size.',
  },
  {
    rule: /pack exceeds maximum allowed size|remote unpack failed|RPC failed; HTTP 413/,
    code: 'branch-too-large',
    title: 'The push is too large for GitHub',
    hint: 'GitHub takes 2 GiB in one push. Back the dataset up in parts with `types`, one run after the other, or use `destination: artifact`.',
  },
  {
    rule: /GH013|repository rule violations|GH009|Push cannot contain secrets/,
    code: 'branch-rejected',
    title: 'A rule of the repository forbids the push',
    hint: 'Open Settings, Rules, Rulesets and exclude this branch from the rule that GitHub names. The workflow’s own token cannot be put on a list of exceptions. If it is about secrets in documents: remove them in Sanity, leave the documents out with `exclude-ids`, or switch push protection off for this repository.',
  },
  {
    rule: /GH006|protected branch/i,
    code: 'branch-rejected',
    title: 'The branch is protected',
    hint: 'Open Settings, Branches and let no protection rule match this branch, or name another one in `branch`.',
  },
  {
    rule: /Permission to .* denied|Write access to repository not granted|returned error: 403|Resource not accessible/i,
    code: 'branch-rejected',
    title: 'The token may not write to the repository',
    hint: 'Give the job `permissions: contents: write`. For another repository (`repository`) set `github-token` to a token that may write there: the workflow’s own token cannot. A repository that is archived takes nothing.',
  },
  {
    rule: /could not read (Username|Password)|Authentication failed|Invalid username or (password|token)|returned error: 401|Bad credentials/i,
    code: 'branch-rejected',
    title: 'GitHub does not accept the token',
    hint: 'Leave `github-token` at its default, or make a new token: the one that is set has expired, was revoked, or is no token of this server.',
  },
  notFound,
  {
    rule: /Duplicate header|returned error: 400/,
    code: 'branch-rejected',
    title: 'GitHub does not understand the request',
    hint: 'Something between this runner and GitHub changes requests. Check the proxy.',
  },
  unreachable,
]

const unknownRefusal: Refusal = {
  rule: /./,
  code: 'branch-rejected',
  title: 'The server refused the push',
  hint: 'Its words say why. Name another branch in `branch`, or use `destination: artifact` until it is settled.',
}

const unknownFailure: Refusal = {
  rule: /./,
  code: 'branch-rejected',
  title: 'git could not speak with the server',
  hint: 'Run the job again; see githubstatus.com. If it comes back, report it with these words.',
}

function refused({ code, title, hint }: Refusal, said: string, url: string): BackupError {
  return new BackupError({ code, title, hint, message: `Repository ${quoteOutside(url, 200)}: git says "${quoteOutside(said, 800)}"` })
}

/** What the server and git said that is worth reading. */
function wordsOf({ stderr }: Finished): string {
  const lines = stderr
    .split(/[\n\r]/)
    .map((line) => line.replace(/^remote: ?/, '').trim())
    .filter((line) => line !== '' && !/^(To |hint:|Everything up-to-date|(Enumerating|Counting|Compressing|Writing|Resolving) )/.test(line))
  return [...new Set(lines)].join(' ')
}
