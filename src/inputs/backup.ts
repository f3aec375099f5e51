import type { Compression } from '../codec/codec.ts'
import { codecs } from '../codec/codecs.ts'
import { BackupError } from '../errors.ts'
import type { Filters } from '../format/filters.ts'
import { idPatternRule } from '../format/id-pattern.ts'
import { type Shard, shardSuffix } from '../format/shard.ts'
import { labelRule } from '../format/snapshot-name.ts'
import type { Source } from '../sanity/api.ts'
import { quoteOutside } from '../text.ts'
import { type DestinationKind, type Env, findUndeclared, type InputNames, inputOf, minTokenLength, readers, tokenOf } from './reader.ts'
import { apiVersionRules, artifactNameRules, branchRules, datasetRules, partsOfSecret, projectIdRules, repositoryRules } from './rules.ts'
import { nearest } from './spelling.ts'

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

/** The inputs of action.yml, in its order. */
const backupInputs: InputNames = [
  'project-id',
  'dataset',
  'token',
  'api-host',
  'api-version',
  'export-mode',
  'include-drafts',
  'include-assets',
  'types',
  'exclude-types',
  'exclude-ids',
  'asset-concurrency',
  'asset-cache',
  'on-missing-asset',
  'shard',
  'compression',
  'compression-level',
  'destination',
  'path',
  'label',
  'artifact-name',
  'retention-days',
  'branch',
  'branch-layout',
  'keep-last',
  'commit-message',
  'repository',
  'github-token',
  'allow-public',
  'min-documents',
  'max-shrink-percent',
  'heartbeat-url',
]

/** The values that must never be shown, as far as they are long enough to be masked. To be called before anything is printed. */
export function findSecrets(env: Env): string[] {
  const secrets = [tokenOf(env), inputOf(env, 'github-token'), inputOf(env, 'heartbeat-url')]
  const misspelt = findUndeclared(env, backupInputs).filter((input) => secretInputs.has(nearest(input, backupInputs)))
  const parts = [tokenOf(env), inputOf(env, 'github-token')].flatMap(partsOfSecret)
  return [...new Set([...secrets, ...parts, ...misspelt.map((input) => inputOf(env, input))])].filter(
    (secret) => secret.length >= minTokenLength,
  )
}

const secretInputs: ReadonlySet<string> = new Set(['token', 'github-token', 'heartbeat-url'])

/** The names of the environment variables that hold secrets: to be removed, so that no child process inherits them. */
export const secretVariables = ['INPUT_TOKEN', 'SANITY_AUTH_TOKEN', 'INPUT_GITHUB-TOKEN', 'INPUT_HEARTBEAT-URL'] as const

/** Reads the inputs from the environment. Throws one `input-invalid` that names every problem, in the order of action.yml. */
export function parseInputs(env: Env): Inputs {
  const problems: Problem[] = []
  const read = readers(env, backupInputs, (input, says) => problems.push({ input, says }))
  // What follows from an input that is wrong itself is not told.
  const isWrong = (name: string): boolean => problems.some(({ input }) => input === name)
  read.refuseToken()

  const projectId = read.matching('project-id', projectIdRules)
  const dataset = read.matching('dataset', datasetRules)
  const token = read.token()
  const apiHost = read.apiHost()
  const apiVersion = read.matching('api-version', apiVersionRules).replace(/^v/, '')
  const exportMode = read.oneOf('export-mode', ['auto', 'stream', 'cursor'])
  const includeDrafts = read.boolean('include-drafts')
  const includeAssets = read.boolean('include-assets')
  const types = read.list('types')
  const excludeTypes = read.list('exclude-types')
  const contradictory = excludeTypes.find((type) => types.includes(type))
  if (contradictory !== undefined) read.problem('exclude-types', `"${quoteOutside(contradictory, 80)}" is also in \`types\``)
  const excludeIds = read.list('exclude-ids', [
    { is: idPatternRule, says: 'is not a pattern of ids: letters, digits, `.`, `_`, `-` and stars, at most 256' },
  ])
  const assetConcurrency = read.wholeNumber('asset-concurrency', 1, 64) ?? read.missing('asset-concurrency', 1)
  const assetCache = read.folder('asset-cache')
  const onMissingAsset = read.oneOf('on-missing-asset', ['fail', 'warn', 'ignore'])
  const shard = read.shard() ?? null
  if (shard !== null && !includeAssets && !isWrong('include-assets'))
    read.problem('shard', 'divides the assets, so it needs `include-assets: true`')
  const compression = read.oneOf('compression', ['gzip', 'zstd'])
  const { levels } = codecs[compression]
  const highestLevel = isWrong('compression') ? codecs.zstd.levels.highest : levels.highest
  const compressionLevel = read.wholeNumber('compression-level', 1, highestLevel) ?? levels.default
  const destinations = read.destinations()
  if (shard !== null && destinations.has('branch'))
    read.problem('shard', 'does not go with `destination: branch`, which holds whole snapshots')
  const path = read.path()
  const label = read.optional('label', [
    { is: labelRule, says: 'is not a label: letters, digits, `.`, `_` and `-`, at most 64, and not .partial at its end' },
  ])
  const artifactName = read.optional('artifact-name', artifactNameRules)
  const retentionDays = read.wholeNumber('retention-days', 1, 400)
  const branch = read.matching('branch', branchRules)
  const branchLayout = read.oneOf('branch-layout', ['text', 'compressed'])
  const keepLast = read.wholeNumber('keep-last', 0, 10_000) ?? read.missing('keep-last', 0)
  const commitMessage = read.template('commit-message', ['project-id', 'dataset', 'count', 'label', 'date', 'snapshot'])
  const repository = read.optional('repository', repositoryRules)
  const githubToken = read.secret('github-token')
  const allowPublic = read.boolean('allow-public')
  const minDocuments = read.wholeNumber('min-documents', 0, Number.MAX_SAFE_INTEGER) ?? read.missing('min-documents', 1)
  const maxShrinkPercent = read.wholeNumber('max-shrink-percent', 0, 100) ?? read.missing('max-shrink-percent', 50)
  const heartbeatUrl = read.heartbeatUrl()
  read.undeclared()

  if (problems.length > 0) throw invalid(problems)
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

type Problem = { readonly input: string; readonly says: string }

/** In the order of action.yml; what is not an input comes last. */
function placeOf({ input }: Problem): number {
  const place = backupInputs.indexOf(input)
  return place === -1 ? backupInputs.length : place
}

function invalid(problems: readonly Problem[]): BackupError {
  const inOrder = problems.toSorted((a, b) => placeOf(a) - placeOf(b))
  const misspelt = problems.some(({ input }) => !backupInputs.includes(input))
  return new BackupError({
    code: 'input-invalid',
    title: problems.length === 1 ? 'An input is not valid' : `${problems.length} inputs are not valid`,
    message: inOrder.map(({ input, says }) => `${input}: ${says}`).join('\n'),
    hint: `Correct the \`with:\` block of this step. The README lists every input with its meaning and default.${misspelt ? ' If you set a variable of this name with `env:`, give it a name that does not begin with INPUT_.' : ''}`,
  })
}
