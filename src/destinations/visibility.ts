import { readFile } from 'node:fs/promises'
import type { Dispatcher } from 'undici'
import { BackupError } from '../errors.ts'

/** The part of an HTTP client that is needed here. */
type Http = (
  url: URL,
  options: { headers: Record<string, string>; headersTimeout: number; bodyTimeout: number; signal: AbortSignal },
) => Promise<Dispatcher.ResponseData>

type Repository = {
  readonly name: string
  readonly apiUrl: string
  readonly token: string
  /** The event that started the run; it may tell what the API does not. */
  readonly eventPath: string | undefined
}

const answerMs = 10_000
/** Nor may an answer that only drips keep a run waiting. */
const totalMs = 20_000
const tries = 3

/**
 * Throws `public-repository` unless GitHub's API says that the repository is private or internal: anyone signed in may download the artifacts
 * of a public one. Where the API gives no answer the repository counts as public; the event's payload is too old to vouch for the opposite
 * (a run can be repeated weeks later), so it only helps with the words.
 */
export async function refusePublic(
  repository: Repository,
  { http, wait, signal }: { http: Http; wait: (ms: number, signal: AbortSignal) => Promise<void>; signal: AbortSignal },
): Promise<void> {
  for (let tryNumber = 1; ; tryNumber++) {
    const answer = await askVisibility(repository, http, signal)
    if (answer.kind === 'private') return
    if (answer.kind === 'public') throw isPublic(repository.name)
    if (answer.final || tryNumber === tries) throw isUnknown(repository.name, answer.why, await payloadSays(repository.eventPath))
    await wait(1000 * tryNumber, signal)
  }
}

type Visibility =
  | { readonly kind: 'public' }
  | { readonly kind: 'private' }
  | { readonly kind: 'unknown'; readonly why: string; readonly final: boolean }

/** `GET /repos/{owner}/{repo}`: docs.github.com/rest/repos/repos#get-a-repository */
async function askVisibility({ name, apiUrl, token }: Repository, http: Http, signal: AbortSignal): Promise<Visibility> {
  try {
    const { statusCode, body } = await http(new URL(`${apiUrl}/repos/${name}`), {
      headers: {
        accept: 'application/vnd.github+json',
        'user-agent': 'sanity-backup',
        'x-github-api-version': '2022-11-28',
        ...(token ? { authorization: `Bearer ${token}` } : {}),
      },
      headersTimeout: answerMs,
      bodyTimeout: answerMs,
      signal: AbortSignal.any([signal, AbortSignal.timeout(totalMs)]),
    })
    if (statusCode !== 200) {
      await body.dump()
      return { kind: 'unknown', why: `GitHub answered ${statusCode}`, final: statusCode < 500 && statusCode !== 429 }
    }
    const answer: unknown = await body.json()
    return visibilityIn(answer) ?? { kind: 'unknown', why: 'GitHub’s answer does not say', final: true }
  } catch {
    signal.throwIfAborted()
    return { kind: 'unknown', why: 'GitHub could not be reached', final: false }
  }
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
  'Store it with `destination: directory` and copy it to a private place in the next step, run the backup in a private repository, or set `allow-public: true` if everyone may read the dataset, drafts included.'

function isPublic(name: string): BackupError {
  return new BackupError({
    code: 'public-repository',
    title: 'The repository is public',
    message: `Anyone could read what is stored in "${name}", and the snapshot is not encrypted. Nothing was fetched or stored.`,
    hint: cure,
  })
}

function isUnknown(name: string, why: string, payload: string): BackupError {
  return new BackupError({
    code: 'public-repository',
    title: 'The repository may be public',
    message: `Whether "${name}" is private could not be found out (${why}), so it counts as public.${payload} Nothing was fetched or stored.`,
    hint: `Check that \`github-token\` is the workflow’s own token. ${cure}`,
  })
}
