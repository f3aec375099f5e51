import { type Compression, codecs } from './codec/codec.ts'
import { BackupError } from './errors.ts'
import { type DestinationKind, type Env, inputNames, inputOf, minTokenLength, readers, tokenOf } from './readers.ts'
import type { Source } from './sanity/api.ts'
import { type Shard, shardSuffix } from './snapshot/asset-name.ts'
import type { Filters } from './snapshot/filters.ts'
import { labelRule } from './snapshot/name.ts'
import { idPatternRule } from './snapshot/pattern.ts'
import { quoteOutside } from './text.ts'

/** What a user asked for, checked once: nothing after this reads an input again. */
export type Inputs = {
  readonly command: 'backup'
  readonly source: Source
  readonly token: string
  /** How the documents are fetched; `auto` begins with one stream and goes on in pages if that is cut twice. */
  readonly exportMode: 'auto' | 'stream' | 'cursor'
  readonly filters: Filters
  readonly includeAssets: boolean
  /** How many files are downloaded at the same time. */
  readonly assetConcurrency: number
  /** Absolute. */
  readonly assetCache: string | undefined
  readonly onMissingAsset: 'fail' | 'warn' | 'ignore'
  readonly shard: Shard | null
  readonly compression: Compression
  readonly compressionLevel: number
  readonly destinations: ReadonlySet<DestinationKind>
  /** Absolute. */
  readonly path: string
  readonly label: string | null
  readonly artifactName: string
  readonly retentionDays: number | undefined
  readonly branch: string
  readonly branchLayout: 'text' | 'compressed'
  /** How many snapshots of the dataset stay in the branch's history; 0: all. */
  readonly keepLast: number
  /** With placeholders in braces. */
  readonly commitMessage: string
  /** `owner/name` of the repository of the branch; undefined for the one that the workflow runs in. */
  readonly repository: string | undefined
  readonly githubToken: string
  readonly allowPublic: boolean
  readonly minDocuments: number
  /** 100 switches the comparison with the previous snapshot off. */
  readonly maxShrinkPercent: number
  readonly heartbeatUrl: URL | undefined
}

/** The values that must never be shown, as far as they are long enough to be masked. To be called before anything is printed. */
export function findSecrets(env: Env): string[] {
  return [tokenOf(env), inputOf(env, 'github-token'), inputOf(env, 'heartbeat-url')].filter((secret) => secret.length >= minTokenLength)
}

/** The names of the environment variables that hold secrets: to be removed, so that no child process inherits them. */
export const secretVariables = ['INPUT_TOKEN', 'SANITY_AUTH_TOKEN', 'INPUT_GITHUB-TOKEN', 'INPUT_HEARTBEAT-URL'] as const

/** Reads the inputs from the environment. Throws one `input-invalid` that names every problem, in the order of action.yml. */
export function parseInputs(env: Env): Inputs {
  const problems: string[] = []
  const read = readers(env, (input, problem) => problems.push(`${input}: ${problem}`))
  read.refuseToken()

  const projectId = read.matching(
    'project-id',
    /^[a-z0-9][a-z0-9-]{0,63}$/,
    'a project id: lower-case letters, digits and dashes, as sanity.io/manage shows it',
  )
  const dataset = read.matching(
    'dataset',
    /^[a-z0-9][\w-]{0,63}$/,
    'the name of a dataset: letters, digits, `_` and `-`, at most 64 (an alias, `~name`, is not one)',
  )
  const token = read.token()
  const apiHost = read.apiHost()
  const apiVersion = read.matching('api-version', /^v?(\d{4}-\d{2}-\d{2}|1|X)$/, 'an API version such as 2025-02-19').replace(/^v/, '')
  const exportMode = read.oneOf('export-mode', ['auto', 'stream', 'cursor'])
  const includeDrafts = read.boolean('include-drafts')
  const includeAssets = read.boolean('include-assets')
  const types = read.list('types')
  const excludeTypes = read.list('exclude-types')
  const contradictory = excludeTypes.find((type) => types.includes(type))
  if (contradictory !== undefined) read.problem('exclude-types', `"${quoteOutside(contradictory, 80)}" is also in \`types\``)
  const excludeIds = read.list('exclude-ids', idPatternRule, 'a pattern of ids: letters, digits, `.`, `_`, `-` and stars')
  const assetConcurrency = read.wholeNumber('asset-concurrency', 1, 64) ?? read.missing('asset-concurrency', 1)
  const assetCache = read.folder('asset-cache')
  const onMissingAsset = read.oneOf('on-missing-asset', ['fail', 'warn', 'ignore'])
  const shard = read.shard() ?? null
  if (shard !== null && !includeAssets) read.problem('shard', 'divides the assets, so it needs `include-assets: true`')
  const compression = read.oneOf('compression', ['gzip', 'zstd'])
  const { levels } = codecs[compression]
  const compressionLevel = read.wholeNumber('compression-level', 1, levels.highest) ?? levels.default
  const destinations = read.destinations()
  if (shard !== null && destinations.has('branch'))
    read.problem('shard', 'does not go with `destination: branch`, which holds whole snapshots')
  const path = read.path()
  const label = read.optional('label', labelRule, 'a label: letters, digits, `.`, `_` and `-`, at most 64')
  const artifactName = read.optional(
    'artifact-name',
    artifactNameRule,
    'a name for an artifact: none of " : < > | * ? % \\ / and no ##[, at most 200 characters',
  )
  const retentionDays = read.wholeNumber('retention-days', 1, 400)
  const branch = read.branch()
  const branchLayout = read.oneOf('branch-layout', ['text', 'compressed'])
  const keepLast = read.wholeNumber('keep-last', 0, 10_000) ?? read.missing('keep-last', 0)
  const commitMessage = read.template('commit-message', ['project-id', 'dataset', 'count', 'label', 'date', 'snapshot'])
  const repository = read.optional('repository', repositoryRule, 'a repository: `owner/name`')
  const githubToken = read.header('github-token')
  const allowPublic = read.boolean('allow-public')
  const minDocuments = read.wholeNumber('min-documents', 0, Number.MAX_SAFE_INTEGER) ?? read.missing('min-documents', 1)
  const maxShrinkPercent = read.wholeNumber('max-shrink-percent', 0, 100) ?? read.missing('max-shrink-percent', 50)
  const heartbeatUrl = read.heartbeatUrl()

  if (problems.length > 0) throw invalid(problems.sort((a, b) => placeOf(a) - placeOf(b)))
  return {
    command: 'backup',
    source: { projectId, dataset, apiHost, apiVersion },
    token,
    exportMode,
    filters: { includeDrafts, types, excludeTypes, excludeIds },
    includeAssets,
    assetConcurrency,
    assetCache,
    onMissingAsset,
    shard,
    compression,
    compressionLevel,
    destinations,
    path,
    label: label ?? null,
    artifactName: artifactName ?? ['sanity', projectId, dataset, ...(label === undefined ? [] : [label])].join('-') + shardSuffix(shard),
    retentionDays,
    branch,
    branchLayout,
    keepLast,
    commitMessage,
    repository,
    githubToken,
    allowPublic,
    minDocuments,
    maxShrinkPercent,
    heartbeatUrl,
  }
}

function placeOf(problem: string): number {
  return inputNames.indexOf(problem.slice(0, problem.indexOf(':')))
}

/** What GitHub lets owners and repositories be called. */
const repositoryRule = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}\/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/

/**
 * `@actions/artifact` src/internal/upload/path-and-artifact-name-validation.ts; besides, it takes a % for the start of an escape when it
 * downloads, and prints names as they are, where the runner could take one for a command.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const artifactNameRule = /^(?!.*##\[)(?!\.+$)[^":<>|*?%\\/\u0000-\u001f\u007f]{1,200}$/

function invalid(problems: readonly string[]): BackupError {
  return new BackupError({
    code: 'input-invalid',
    title: problems.length === 1 ? 'An input is not valid' : `${problems.length} inputs are not valid`,
    message: problems.join('\n'),
    hint: 'Correct the `with:` block of this step. The README lists every input with its meaning and default.',
  })
}
