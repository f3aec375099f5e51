import { readFile } from 'node:fs/promises'
import { BackupError } from '../errors.ts'
import { askGithub, type Github, ownerAndRepo, whyNot } from './rest.ts'

type Repository = {
  readonly name: string
  /** The event that started the run; it may tell what the API does not. */
  readonly eventPath: string | undefined
}

/**
 * Throws `public-repository` unless GitHub's API says that the repository is private or internal: anyone signed in may download the artifacts
 * of a public one, and anyone may read its branches. Where the API gives no answer the repository counts as public; the event's payload is too old
 * to vouch for the opposite (a run can be repeated weeks later), so it only helps with the words.
 */
export async function refusePublic({ name, eventPath }: Repository, github: Github): Promise<void> {
  const answer = await askGithub(github, ({ repos }) => repos.get(ownerAndRepo(name)))
  const visibility = visibilityIn(answer.value)
  if (visibility?.kind === 'private') return
  if (visibility?.kind === 'public') throw isPublic(name)
  const why = answer.status === 200 ? 'GitHub’s answer does not say' : whyNot(answer)
  throw isUnknown(name, { why, status: answer.status, payload: await payloadSays(eventPath) })
}

function visibilityIn(value: unknown): { readonly kind: 'public' } | { readonly kind: 'private' } | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { visibility, private: isPrivate } = value as Record<string, unknown>
  // An internal repository is private to the enterprise.
  if (visibility === 'private' || visibility === 'internal') return { kind: 'private' }
  if (visibility === 'public' || isPrivate === false) return { kind: 'public' }
  return isPrivate === true ? { kind: 'private' } : undefined
}

async function payloadSays(eventPath: string | undefined): Promise<string> {
  if (eventPath === undefined) return ''
  try {
    const event: unknown = JSON.parse(await readFile(eventPath, 'utf8'))
    const found = visibilityIn((event as { repository?: unknown } | null)?.repository)
    return found ? ` It was ${found.kind} when the event that started this run was sent.` : ''
  } catch {
    return ''
  }
}

const cure =
  'Store it with `destination: directory` and copy it to a private place in the next step, run the backup in a private repository, encrypt it with `encrypt-to`, or set `allow-public: true` if everyone may read the dataset, drafts included.'

function isPublic(name: string): BackupError {
  return new BackupError({
    code: 'public-repository',
    title: 'The repository is public',
    message: `Anyone could read what is stored in "${name}", and the snapshot is not encrypted. Nothing was fetched or stored.`,
    hint: cure,
  })
}

/** What to do about an answer other than the wanted one: docs.github.com/rest/using-the-rest-api/troubleshooting-the-rest-api. */
const cures: Readonly<Record<number, string>> = {
  301: 'The repository was renamed or given to another owner: write its new name into `repository`.',
  401: 'GitHub does not accept `github-token`: leave it at its default, or make a new token, for it has expired, was revoked, or is none.',
  403: 'The token (`github-token`) may not ask: one of an organization with single sign-on must be authorized for it, an organization may allow only certain addresses, and too many requests are refused for an hour.',
  404: 'Check `repository` letter by letter. GitHub says the same where the token has no access: the workflow’s own token knows its own repository only, so set `github-token` to one that may read and write there.',
}

type Unknown = { readonly why: string; readonly status: number | undefined; readonly payload: string }

function isUnknown(name: string, { why, status, payload }: Unknown): BackupError {
  return new BackupError({
    code: 'public-repository',
    title: 'The repository may be public',
    message: `Whether "${name}" is private could not be found out (${why}), so it counts as public.${payload} Nothing was fetched or stored.`,
    hint: `${cures[status ?? 0] ?? 'Run the job again; see githubstatus.com. If it stays so, check `github-token`.'} ${cure}`,
  })
}
