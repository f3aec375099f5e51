import * as keys from './kinds/keys.ts'
import * as kind from './kinds/kinds.ts'
import * as rules from './kinds/rules.ts'
import type { InputReader } from './reader.ts'

/** Which snapshot a user means: verify and restore ask for it with the same inputs. */
export type WhichSnapshot = {
  readonly place: SnapshotPlace
  /** The newest snapshot that was not taken later. */
  readonly at: Date | undefined
  /** The secret keys that open it if it is encrypted, as `opener` takes them; undefined if none was given. Never to be shown. */
  readonly identities: readonly string[] | undefined
  readonly githubToken: string
}

/** Where it lies. */
export type SnapshotPlace =
  | { readonly kind: 'directory'; readonly path: string }
  /** Without a name it is the one that a backup gives by itself. */
  | { readonly kind: 'artifact'; readonly name: string | undefined; readonly runId: string | undefined }
  | { readonly kind: 'branch'; readonly branch: string; readonly commit: string | undefined; readonly repository: string | undefined }

/** Reads these inputs, in the order of the `action.yml` of both. */
export function readWhichSnapshot(reader: InputReader): WhichSnapshot {
  const { read, env } = reader
  const given = {
    path: read('path', kind.optional(kind.folder(env))),
    artifactName: read('artifact-name', kind.optional(kind.text(rules.artifactNameRules))),
    runId: read('run-id', kind.optional(kind.text(rules.runIdRules))),
    branch: read('branch', kind.optional(kind.text(rules.branchRules))),
    commit: read('commit', kind.optional(kind.text(rules.commitRules))),
    repository: read('repository', kind.optional(kind.text(rules.repositoryRules))),
  }
  refuseContradictions(given, reader)
  const at = read('at', kind.optional(kind.time))
  if (at !== undefined && given.commit !== undefined) reader.refuse('at', 'says nothing beside `commit`, which names one snapshot')
  const identities = read('identity', keys.identities(env))
  return { place: placeOf(given), at, identities, githubToken: read('github-token', kind.secret) }
}

type Given = Readonly<Record<'path' | 'artifactName' | 'runId' | 'branch' | 'commit' | 'repository', string | undefined>>

function placeOf({ path, artifactName, runId, branch, commit, repository }: Given): SnapshotPlace {
  if (path !== undefined) return { kind: 'directory', path }
  return branch === undefined ? { kind: 'artifact', name: artifactName, runId } : { kind: 'branch', branch, commit, repository }
}

function refuseContradictions({ path, artifactName, runId, branch, commit, repository }: Given, { refuse }: InputReader): void {
  const places = [...(path === undefined ? [] : ['path']), ...(artifactName === undefined ? [] : ['artifact-name'])]
  if (branch !== undefined) places.push('branch')
  const [first, second] = places
  if (second !== undefined) refuse(second, `names a second place beside \`${first}\`: leave one of them out`)
  if (runId !== undefined && (path ?? branch) !== undefined) refuse('run-id', 'goes with an artifact, not with `path` or `branch`')
  if (branch !== undefined) return
  if (commit !== undefined) refuse('commit', 'needs `branch`: the branch that holds this commit')
  if (repository !== undefined) refuse('repository', 'needs `branch`: artifacts are looked for in this repository alone')
}
