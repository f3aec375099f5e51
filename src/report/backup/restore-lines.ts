import type { BackupOutcome } from '../../commands/backup/outcome.ts'
import type { StoredOnBranch } from '../../destinations/destination.ts'
import { isSealed, plainName } from '../../format/manifest/sealed.ts'
import { joinCommand } from '../../snapshot/read/join.ts'
import { shellQuoted } from '../../text.ts'

/** Where `gh` and `git` find what a run stored. Both names are empty outside GitHub Actions. */
export type RunAddress = { readonly repository: string; readonly runId: string; readonly serverUrl: string }

/** The section that says how to restore the snapshot: the commands to type, as a block of shell. */
export function restoreLines(outcome: BackupOutcome, address: RunAddress): string {
  const { manifest, documents } = outcome
  const { dataset, projectId } = manifest.source
  const { data } = documents
  if (!data) return 'Together with shard 1, which holds the documents.'
  const { lines, file } = fetchLines(outcome, data.file.path, address)
  return [
    'With the Sanity CLI:',
    '',
    '```sh',
    ...lines,
    `npx sanity@latest dataset import ${file} --project-id ${projectId} --dataset ${dataset} --replace${documents.tally.damaged > 0 ? ' --allow-replacement-characters' : ''}`,
    '```',
    '',
    '`--replace` overwrites documents of the same id; documents made since then stay.',
    ...(manifest.assets.included
      ? ['If Sanity has lost the files of assets too: docs/recipes.md of the action says how to bring them back.']
      : []),
  ].join('\n')
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
