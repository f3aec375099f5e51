import type { Git } from '../command.ts'
import type { Repository } from '../repository.ts'
import { failedPush, failedRead, type PushFailure } from './refusals.ts'

/** What the server says of a repository and one of its branches, without fetching anything. */
export type Overview = {
  /** The commit that the branch is at; undefined if there is no such branch. */
  readonly tip: string | undefined
  /** Undefined if the server does not tell. */
  readonly defaultBranch: string | undefined
  /** Whether there is no branch at all. */
  readonly empty: boolean
  /** The refs below a chosen one, and where they are. */
  readonly below: ReadonlyMap<string, string>
}

/** Asks the server about a branch, and about all refs below another (`refs/…/`). Throws a `branch-rejected` if it gives no answer. */
export async function askServer(git: Git, url: string, { branch, above }: { branch: string; above: string }): Promise<Overview> {
  const all = await listRefs(git, url, ['--symref', url, 'HEAD', `refs/heads/${branch}`, `${above}*`])
  const lines = all.split('\n')
  const isBelow = (line: string) => line.split('\t')[1]?.startsWith(above) === true
  const below = new Map(lines.filter(isBelow).map((line) => line.split('\t').toReversed() as [string, string]))
  const text = lines.filter((line) => !isBelow(line)).join('\n')
  const tip = new RegExp(`^([0-9a-f]{40,64})\\trefs/heads/${escapeRegExp(branch)}$`, 'm').exec(text)?.[1]
  const defaultBranch = /^ref: refs\/heads\/(.*)\tHEAD$/m.exec(text)?.[1]
  const empty = text.trim() === '' && (await listRefs(git, url, ['--heads', url])).trim() === ''
  return { tip, defaultBranch, empty, below }
}

async function listRefs(git: Git, url: string, args: readonly string[]): Promise<string> {
  const finished = await git.attempt(['ls-remote', ...args])
  if (finished.exitCode !== 0) throw failedRead(finished, url)
  return finished.stdout.toString('utf8')
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')
}

type FetchNeeds = {
  readonly ref: string
  /** How many commits; all without it. */
  readonly depth?: number
  /** Only commits that are not older than this (ISO 8601). */
  readonly since?: string
  /** What is left out: git-scm.com/docs/git-rev-list, --filter. */
  readonly filter?: 'blob:none' | 'tree:0'
}

/** Fetches a branch, or a commit by its name, and returns the commit's name; undefined if it is not there. Throws a `branch-rejected` if it cannot be fetched. */
export async function fetchCommit(git: Git, url: string, { ref, depth, since, filter }: FetchNeeds): Promise<string | undefined> {
  const finished = await git.attempt([
    'fetch',
    '--quiet',
    '--no-tags',
    '--no-write-fetch-head',
    '--no-auto-maintenance',
    ...(depth === undefined ? [] : [`--depth=${depth}`]),
    ...(since === undefined ? [] : [`--shallow-since=${since}`]),
    ...(filter === undefined ? ['--no-filter'] : [`--filter=${filter}`]),
    'origin',
    `+${ref}:${fetchedRef}`,
  ])
  if (finished.exitCode !== 0) {
    if (/couldn't find remote ref/.test(finished.stderr)) return undefined
    throw failedRead(finished, url)
  }
  return (await git.run(['rev-parse', '--verify', fetchedRef])).toString('latin1').trim()
}

/** Fetches objects by their names, and nothing that lies below them. Throws a `branch-rejected` if they cannot be fetched. */
export async function fetchObjects(git: Git, url: string, names: readonly string[]): Promise<void> {
  if (names.length === 0) return
  // Without negotiation: from commits that we have, the server would conclude that we have their trees and blobs too.
  const quiet = ['-c', 'fetch.negotiationAlgorithm=noop', 'fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--no-auto-maintenance']
  const finished = await git.attempt([...quiet, '--filter=tree:0', 'origin', ...names])
  if (finished.exitCode !== 0) throw failedRead(finished, url)
}

const fetchedRef = 'refs/fetched/tip'

/** One change of a ref: from the commit that it is expected to be at, to another. Undefined: the ref is not there. */
export type Move = {
  /** By its full name: `refs/heads/…`. */
  readonly ref: string
  readonly from: string | undefined
  readonly to: string | undefined
  /** Whether `to` is a commit on top of `from`, made of what is here. */
  readonly grows?: boolean
  /** Another ref that is removed in the same moment, and where it is. */
  readonly removes?: { readonly ref: string; readonly at: string }
}

/** How a push ended. `lost`: the ref was not where it was expected to be; nothing was changed. */
export type Pushed = { readonly kind: 'done' } | PushFailure

/** The same once it is settled. */
export type Moved = Exclude<Pushed, { readonly kind: 'broken' }>

/**
 * Moves a ref on the server, unless somebody else has moved it meanwhile. Where it grows, the new folders go as differences to the old ones, which
 * are here; old files are not, and git does without them where it knows nobody to ask (git's builtin/pack-objects.c, `check_object`: a missing
 * preferred base is passed over).
 */
export async function push(
  { git, offline }: Pick<Repository, 'git' | 'offline'>,
  url: string,
  { ref, from, to, grows = false, removes }: Move,
  signal?: AbortSignal,
): Promise<Pushed> {
  const changes = [{ ref, from: from ?? '', to: to ?? '' }, ...(removes ? [{ ref: removes.ref, from: removes.at, to: '' }] : [])]
  const args = [
    ...['push', '--porcelain', '--no-verify', ...(removes ? ['--atomic'] : [])],
    ...changes.map((change) => `--force-with-lease=${change.ref}:${change.from}`),
    ...['origin', ...changes.map((change) => `${change.to}:${change.ref}`)],
  ]
  const attempt = async (options: readonly string[]) =>
    await (grows ? offline : git).attempt([...options, ...args], signal ? { signal } : {})
  const first = await attempt([])
  const finished = refusesChunks.test(first.stderr) ? await attempt(['-c', `http.postBuffer=${wholeBytes}`]) : first
  return finished.exitCode === 0 ? { kind: 'done' } : failedPush(finished, url)
}

/** Removes refs from the server, wherever they are; all or none. Returns whether it did. */
export async function removeRefs(git: Git, refs: readonly string[], signal: AbortSignal): Promise<boolean> {
  const removals = refs.map((ref) => `:${ref}`)
  const { exitCode } = await git.attempt(['push', '--porcelain', '--no-verify', 'origin', ...removals], { signal })
  return exitCode === 0
}

/** A gateway that takes no body of unknown length. git sends one of a megabyte or more so. */
const refusesChunks = /RPC failed; HTTP (400|408|411)/
/** What git may hold in memory to send it with its length. */
const wholeBytes = 512 * 1024 * 1024
