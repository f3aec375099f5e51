import type { BackupError } from '../../errors.ts'
import type { Source } from '../source.ts'
import type { ErrorBody } from './error-body.ts'

/** What can be wrong with a token that Sanity does not take. */
type TokenProblem = 'not-found' | 'expired' | 'other-project' | 'not-member' | 'unknown'

type Refusal = { readonly code: BackupError['code']; readonly title: string; readonly message: string; readonly hint: string }

/** What the token is for: to read takes the Viewer role, to write the Editor role. */
export type Access = 'read' | 'write'

const newTokenFor = (access: Access) =>
  `Create a robot token with the ${access === 'read' ? 'Viewer' : 'Editor'} role at sanity.io/manage (project, API, Tokens), and save it as the repository secret that \`token\` is set from.`

/**
 * Which problem of a token a 401 speaks of: by its code (`SIO-401-…`), then by its text, for answers that lack one. A 401 that names a grant has
 * a valid session behind it.
 */
export function kindOf401({ errorCode, type, text }: ErrorBody): TokenProblem | 'grant' {
  if (errorCode === 'SIO-401-ANF') return 'not-found'
  if (errorCode === 'SIO-401-AEX') return 'expired'
  if (errorCode === 'SIO-401-AWH') return 'other-project'
  if (/missing required grant|permission/i.test(text)) return 'grant'
  if (type === 'projectUserNotFoundError' || /project user not found/i.test(text)) return 'not-member'
  if (/session not found/i.test(text)) return 'not-found'
  if (/expired/i.test(text)) return 'expired'
  if (/does not match project/i.test(text)) return 'other-project'
  return 'unknown'
}

/** What the texts are made of. */
type RefusalNeeds = {
  readonly source: Source
  readonly access: Access
  readonly newToken: string
  readonly where: string
  readonly words: string
}

const refusals: Readonly<Record<TokenProblem, (needs: RefusalNeeds) => Omit<Refusal, 'code'>>> = {
  expired: ({ where, words, newToken }) => ({
    title: 'The Sanity token has expired (401)',
    message: `The token for ${where} was valid once, but has expired.${words}`,
    hint: `${newToken} Robot tokens do not expire unless a date was set; personal tokens do.`,
  }),
  'other-project': ({ source, words, newToken }) => ({
    title: 'The Sanity token belongs to another project (401)',
    message: `The token is valid, but not for project "${source.projectId}".${words}`,
    hint: `Compare \`project-id\` letter by letter with the project at sanity.io/manage. If it is right: ${lowerFirst(newToken)}`,
  }),
  'not-member': ({ source, words, newToken }) => ({
    title: 'The Sanity token belongs to an account outside the project (401)',
    message: `The account or organisation behind the token is not a member of project "${source.projectId}".${words}`,
    hint: `Check \`project-id\`. Then: ${lowerFirst(newToken)}`,
  }),
  'not-found': ({ where, words, newToken }) => ({
    title: 'Sanity does not know the token (401)',
    message: `The token for ${where} is not valid: it was mistyped, cut off, deleted or revoked.${words}`,
    hint: `${newToken} A token is shown only once: if in doubt, make a new one.`,
  }),
  unknown: ({ access, where, words, newToken }) => ({
    title: 'Sanity refused the token (401)',
    message: `The token cannot ${access} ${where}.${words}`,
    hint: `Check that the secret is set and belongs to this project, and that the token has not been deleted. If in doubt: ${lowerFirst(newToken)}`,
  }),
}

/** What a 401 means for the user, with the cure. `words` are Sanity's own, made harmless, as a sentence that follows a full stop. */
export function unauthorized(
  problem: TokenProblem,
  { source, words, access }: { readonly source: Source; readonly words: string; readonly access: Access },
): Refusal {
  const where = `dataset "${source.dataset}" of project "${source.projectId}"`
  return { code: 'sanity-unauthorized', ...refusals[problem]({ source, access, newToken: newTokenFor(access), where, words }) }
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1)
}
