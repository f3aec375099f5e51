import { shardSuffix } from '../format/manifest/shard.ts'
import { quoteOutside } from '../text.ts'
import * as keys from './kinds/keys.ts'
import * as kind from './kinds/kinds.ts'
import * as rules from './kinds/rules.ts'
import type { InputReader } from './reader.ts'

/** What a user asked of a backup, checked once: nothing after this reads an input again. */
export type BackupInputs = Readonly<ReturnType<typeof readBackup>>

/** Reads the inputs of a backup. Whatever is wrong stays with the reader, which throws it when it is finished. */
export function readBackup(reader: InputReader) {
  const { projectId, dataset, apiHost, apiVersion, includeDrafts, types, excludeTypes, excludeIds, ...others } = readEach(reader)
  const { label, shard } = others
  refuseContradictions({ types, excludeTypes, ...others }, reader)
  const artifactName = ['sanity', projectId, dataset, ...(label === null ? [] : [label])].join('-') + shardSuffix(shard)
  return {
    ...others,
    command: 'backup' as const,
    source: { projectId, dataset, apiHost, apiVersion },
    filters: { includeDrafts, types, excludeTypes, excludeIds },
    artifactName: others.artifactName ?? artifactName,
  }
}

type EachInput = ReturnType<typeof readEach>

/** One line an input, in the order of action.yml: problems are reported in the order in which the inputs are read. */
function readEach({ read, env }: InputReader) {
  return {
    projectId: read('project-id', kind.required(kind.text(rules.projectIdRules), '')),
    dataset: read('dataset', kind.required(kind.text(rules.datasetRules), '')),
    token: read('token', kind.sanityToken(env)),
    apiHost: read('api-host', kind.apiHost),
    apiVersion: read('api-version', kind.required(kind.text(rules.apiVersionRules), '')).replace(/^v/, ''),
    /** `auto` begins with one stream and goes on in pages if that is cut twice. */
    exportMode: read('export-mode', kind.oneOf('auto', 'stream', 'cursor')),
    includeDrafts: read('include-drafts', kind.trueOrFalse),
    includeAssets: read('include-assets', kind.trueOrFalse),
    types: read('types', kind.list(rules.typeRules)),
    excludeTypes: read('exclude-types', kind.list(rules.typeRules)),
    excludeIds: read('exclude-ids', kind.list(rules.idPatternRules)),
    /** How many files are downloaded at the same time. */
    assetConcurrency: read('asset-concurrency', kind.required(kind.wholeNumber(1, 64), 1)),
    assetCache: read('asset-cache', kind.optional(kind.folder(env))),
    onMissingAsset: read('on-missing-asset', kind.oneOf('fail', 'warn', 'ignore')),
    shard: read('shard', kind.optional(kind.shard)) ?? null,
    compression: read('compression', kind.oneOf('gzip', 'zstd')),
    compressionLevel: read('compression-level', kind.compressionLevel(env)),
    /** Undefined: anybody who can read the place may read the snapshot. */
    encryptTo: read('encrypt-to', keys.recipients(env)),
    destinations: read('destination', kind.destinations),
    path: read('path', kind.required(kind.shownFolder(env), '')),
    label: read('label', kind.optional(kind.text(rules.labelRules))) ?? null,
    artifactName: read('artifact-name', kind.optional(kind.text(rules.artifactNameRules))),
    retentionDays: read('retention-days', kind.optional(kind.wholeNumber(1, 400))),
    branch: read('branch', kind.required(kind.text(rules.branchRules), '')),
    branchLayout: read('branch-layout', kind.oneOf('text', 'compressed')),
    /** How many snapshots of the dataset stay in the branch's history; 0: all. */
    keepLast: read('keep-last', kind.required(kind.wholeNumber(0, 10_000), 0)),
    commitMessage: read('commit-message', kind.required(kind.template(...placeholders), '')),
    /** `owner/name` of the repository of the branch; undefined for the one that the workflow runs in. */
    repository: read('repository', kind.optional(kind.text(rules.repositoryRules))),
    githubToken: read('github-token', kind.secret),
    allowPublic: read('allow-public', kind.trueOrFalse),
    minDocuments: read('min-documents', kind.required(kind.wholeNumber(0, Number.MAX_SAFE_INTEGER), 1)),
    /** 100 switches the comparison with the previous snapshot off. */
    maxShrinkPercent: read('max-shrink-percent', kind.required(kind.wholeNumber(0, 100), 50)),
    heartbeatUrl: read('heartbeat-url', kind.heartbeatUrl(env)),
  }
}

/** What may stand in braces in `commit-message`. */
const placeholders = ['project-id', 'dataset', 'count', 'label', 'date', 'snapshot'] as const

type Contradictable = Pick<EachInput, 'types' | 'excludeTypes' | 'shard' | 'includeAssets' | 'destinations' | 'encryptTo' | 'branchLayout'>

/** Refuses inputs that are good alone and mean nothing together. */
function refuseContradictions(
  { types, excludeTypes, shard, includeAssets, destinations, encryptTo, branchLayout }: Contradictable,
  { refuse, isWrong }: InputReader,
): void {
  const both = excludeTypes.find((type) => types.includes(type))
  if (both !== undefined) refuse('exclude-types', `"${quoteOutside(both, 80)}" is also in \`types\``)
  if (encryptTo !== undefined && destinations.has('branch') && branchLayout === 'text') {
    refuse('branch-layout', 'must be `compressed` with `encrypt-to`: text can be read by anybody who can read the branch')
  }
  if (shard === null) return
  if (!includeAssets && !isWrong('include-assets')) refuse('shard', 'divides the assets, so it needs `include-assets: true`')
  if (destinations.has('branch')) refuse('shard', 'does not go with `destination: branch`, which holds whole snapshots')
}
