import type { BackupOutcome } from '../../commands/backup/outcome.ts'
import type { StoredOnBranch } from '../../destinations/destination.ts'
import { isSealed, plainName } from '../../format/manifest/sealed.ts'
import { joinCommand } from '../../snapshot/read/join.ts'
import { escapeMarkdown, shellQuoted } from '../../text.ts'
import { doorAddress } from '../links.ts'
import { secret } from '../summary.ts'

/** Where `gh` and `git` find what a run stored, and where the action's pages are. The first two names are empty outside GitHub Actions. */
export type RunAddress = {
  readonly repository: string
  readonly runId: string
  readonly serverUrl: string
  /** Where the action's own pages lie; undefined where the runner does not tell. */
  readonly docs: string | undefined
}

/** The section that says how to restore the snapshot: a step of our own `restore` to paste, then the commands of the Sanity CLI. */
export function restoreLines(outcome: BackupOutcome, address: RunAddress): string {
  const { manifest, documents } = outcome
  const { data } = documents
  if (!data) return 'Together with shard 1, which holds the documents: its summary says how.'
  const { lines, file } = fetchLines(outcome, data.file.path, address)
  return [
    ...ownStep(outcome, address),
    '**With the Sanity CLI alone:**',
    '',
    '```sh',
    ...lines,
    importLine(outcome, file),
    '```',
    '',
    '`--replace` overwrites documents of the same id; documents made since then stay.',
    ...(manifest.assets.included
      ? [`If Sanity has lost the files of assets too: ${page(address, 'recipes.md#bring-assets-back')} says how to bring them back.`]
      : []),
  ].join('\n')
}

/** A step that makes a plan of this very snapshot, and what turns it into one that writes. */
function ownStep({ manifest, stored }: BackupOutcome, address: RunAddress): string[] {
  const { projectId, dataset } = manifest.source
  const place = placeInputs({ manifest, stored }, address)
  const inputs: readonly (readonly [string, string])[] = [
    ['project-id', quoted(projectId)],
    ['dataset', quoted(dataset)],
    ['token', secret('SANITY_RESTORE_TOKEN')],
    ...place,
    ...(manifest.encryption ? [['identity', secret('SANITY_BACKUP_IDENTITY')] as const] : []),
  ]
  const [firstPlace] = place[0] ?? []
  const where = firstPlace === 'path' || address.repository === '' ? '' : ` of ${escapeMarkdown(address.repository)}`
  return [
    `**With this action**, as a step in a workflow${where}. As it is, it writes nothing and shows what it would do:`,
    '',
    '```yaml',
    `- uses: ${doorAddress('restore', address.docs)}`,
    '  with:',
    ...inputs.map(([name, value]) => `    ${name}: ${value}`),
    '    # mirror: true   # to also delete what was made since',
    ...(manifest.encryption
      ? ['    # encrypt-to: …   # as in the backup: the dataset as it is now is stored too before anything is written']
      : []),
    '    # To carry the plan out, add these two, and the plan-digest that the plan shows:',
    '    # mode: apply',
    `    # confirm: ${quoted(dataset)}`,
    '```',
    '',
    `The token needs the Editor role to write. Whole workflows to copy, for one page or everything: ${page(address, 'recipes.md#restore')}.`,
    '',
  ]
}

/** Where `restore` finds this very snapshot. */
function placeInputs({ manifest, stored }: Pick<BackupOutcome, 'manifest' | 'stored'>, { repository, runId }: RunAddress) {
  const artifact = stored.find(({ kind }) => kind === 'artifact')
  if (artifact?.kind === 'artifact') {
    // The shards of a run are found together, by the name that they share.
    const name = manifest.shard ? artifact.name.replace(/-shard-\d+-of-\d+(-attempt-\d+)?$/, '') : artifact.name
    return [['artifact-name', quoted(name)] as const, ...(runId === '' ? [] : [['run-id', quoted(runId)] as const])]
  }
  const branch = stored.find(({ kind }) => kind === 'branch')
  if (branch?.kind === 'branch' && stored.length === 1) {
    return [
      ...(branch.repository === repository ? [] : [['repository', quoted(branch.repository)] as const]),
      ['branch', quoted(branch.branch)] as const,
      ...(branch.commit ? [['commit', quoted(branch.commit)] as const] : []),
    ]
  }
  return [['path', quoted(`./${manifest.snapshot}`)] as const]
}

/** A text as YAML reads it back. */
function quoted(text: string): string {
  return /^[a-z][a-z0-9_-]{3,}$/i.test(text) && !/^(true|false|null)$/i.test(text) ? text : `'${text.replaceAll("'", "''")}'`
}

/** A page of this action, as a link where its address is known. */
function page({ docs }: RunAddress, name: string): string {
  return docs === undefined ? `docs/${name} of the action` : `[docs/${name.replace(/#.*/, '')}](${docs}/${name})`
}

function importLine({ manifest: { source }, documents }: BackupOutcome, file: string): string {
  const flags = documents.tally.damaged > 0 ? ' --allow-replacement-characters' : ''
  return `npx sanity@latest dataset import ${file} --project-id ${source.projectId} --dataset ${source.dataset} --replace${flags}`
}

/** How to get the data onto one's disk, and the file that it then lies in. */
function fetchLines(
  { manifest, stored }: BackupOutcome,
  path: string,
  { repository, runId, serverUrl }: RunAddress,
): { lines: string[]; file: string } {
  const branch = stored.find(({ kind }) => kind === 'branch')
  if (branch?.kind === 'branch' && stored.length === 1) return branchLines(branch, serverUrl)
  const artifact = stored.find(({ kind }) => kind === 'artifact')
  const folder = artifact ? 'snapshot' : `./${manifest.snapshot}`
  const { lines: unpacking, file } = unpackLines(folder, path)
  const download =
    artifact?.kind === 'artifact' && repository
      ? [`gh run download ${runId} --repo ${atHost(serverUrl)}${repository} --name ${shellQuoted(artifact.name)} --dir ${folder}`]
      : []
  return { lines: [...download, ...unpacking], file }
}

/** How to open and unpack a data file. `key.txt` holds an identity, as `age-keygen` writes it. */
function unpackLines(folder: string, path: string): { lines: string[]; file: string } {
  const opened = plainName(path)
  const plain = opened.replace(/\.zst$/, '')
  const lines = [
    ...(isSealed({ path }) ? [`age -d -i key.txt -o ${folder}/${opened} ${folder}/${path}`] : []),
    ...(opened === plain ? [] : [`zstd -d ${folder}/${opened}`]),
  ]
  return { lines, file: `${folder}/${plain}` }
}

/** What `gh` wants before `owner/name`, where that is not on github.com. */
function atHost(serverUrl: string): string {
  const host = URL.parse(serverUrl)?.host ?? 'github.com'
  return host === 'github.com' ? '' : `${host}/`
}

function branchLines({ manifest, repository, branch, commit }: StoredOnBranch, serverUrl: string): { lines: string[]; file: string } {
  const { projectId, dataset } = manifest.source
  const clone = [
    `git clone --quiet --single-branch --branch ${shellQuoted(branch)} ${serverUrl}/${repository} backups`,
    `mkdir snapshot && git -C backups archive ${commit || 'HEAD'}:${projectId}/${dataset} | tar -x -C snapshot`,
  ]
  if (manifest.branch) return { lines: [...clone, `${joinCommand} > data.ndjson`], file: 'data.ndjson' }
  const data = manifest.files.map(({ path }) => path).filter((path) => path.startsWith('data.ndjson.'))
  const name = data[0]?.replace(/\.001$/, '') ?? ''
  const joined = data.length > 1 ? [`cat snapshot/${name}.* > snapshot/${name}`] : []
  const { lines, file } = unpackLines('snapshot', name)
  return { lines: [...clone, ...joined, ...lines], file }
}
