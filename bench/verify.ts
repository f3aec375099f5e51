import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startArtifacts } from '../test/doubles/artifacts/artifacts.ts'
import { startGit } from '../test/doubles/git/git.ts'
import { startGithubRest } from '../test/doubles/github/github.ts'
import { runAction } from '../test/support/runner/runner.ts'
import { figure, interleave, type Measured, machine, measureAction, measureShell, median, table } from './measure.ts'
import { startSource } from './source.ts'

/**
 * What it takes to prove a stored snapshot again: one of 250,000 documents from an artifact, beside its download and `gunzip | sha256sum` of the same
 * file, which read as much and prove less; and one on a branch in the layout `text`. `--mb 1000`, `--branch-mb 100` (0 leaves it out), `--rounds 3`.
 */
export async function run(options: string[]): Promise<number> {
  const { values } = parseArgs({
    args: options,
    options: {
      mb: { type: 'string', default: '1000' },
      'branch-mb': { type: 'string', default: '100' },
      rounds: { type: 'string', default: '3' },
    },
  })
  console.log(`${machine()}\n`)
  const folder = await mkdtemp(join(tmpdir(), 'sanity-backup-bench-'))
  try {
    const results = new Map([
      ...(await fromArtifact(Number(values.mb) * 1e6, { folder, rounds: Number(values.rounds) })),
      ...(Number(values['branch-mb']) > 0 ? await fromBranch(Number(values['branch-mb']) * 1e6, Number(values.rounds)) : []),
    ])
    console.log(report(results))
    const missed = missedGoals(results)
    for (const goal of missed) console.log(`MISSED: ${goal}`)
    return missed.length === 0 ? 0 : 1
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

type Results = Map<string, Measured[]>

const documentCount = 250_000
const verified = 'verify, from an artifact'
const structure = 'verify, structure'
const plain = 'download, gunzip | sha256sum'
const onBranch = 'verify, from a branch'

async function fromArtifact(bytes: number, { folder, rounds }: { folder: string; rounds: number }): Promise<Results> {
  using source = await startSource({ bytes, lineBytes: Math.floor(bytes / documentCount) })
  await using artifacts = await startArtifacts()
  await using github = await startGithubRest({ artifacts })
  const { env } = artifacts.newRun()
  await backUp({ url: source.url, env: { ...env, ...github.env }, inputs: { destination: 'artifact, directory', path: folder } })
  const [artifact] = artifacts.list()
  if (artifact === undefined) throw new Error('nothing was stored')
  console.log(
    `${source.documents.toLocaleString('en-US')} documents, ${figure(source.bytes / 1e6, 0)} MB in an artifact of ${figure(artifact.size / 1e6, 0)} MB.`,
  )
  const verify = (level: string) => async (into: string) =>
    await measureAction({ action: 'verify', env: github.env, inputs: { 'project-id': 'abc12345', dataset: 'production', level } }, into)
  const download = async (into: string) =>
    await measureShell(`curl -sf "$from" -o "$TMPDIR/zip" && cat ${folder}/abc12345-*/data.ndjson.gz | gunzip | sha256sum > "$out"`, into, {
      from: artifacts.signedUrl(artifact.id),
      TMPDIR: into,
    })
  const contenders = [
    { name: verified, run: verify('data') },
    { name: structure, run: verify('structure') },
    { name: plain, run: download },
  ]
  return await interleave(contenders, rounds)
}

async function fromBranch(bytes: number, rounds: number): Promise<Results> {
  using source = await startSource({ bytes })
  await using git = await startGit()
  await using github = await startGithubRest()
  const env = { ...github.env, ...git.env }
  await backUp({ url: source.url, env, inputs: { destination: 'branch' } })
  console.log(`${source.documents.toLocaleString('en-US')} documents, ${figure(source.bytes / 1e6, 0)} MB on a branch.`)
  const inputs = { branch: 'sanity-backups', 'project-id': 'abc12345', dataset: 'production' }
  return await interleave([{ name: onBranch, run: async (into) => await measureAction({ action: 'verify', env, inputs }, into) }], rounds)
}

type Backup = { readonly url: string; readonly env: Readonly<Record<string, string>>; readonly inputs: Readonly<Record<string, string>> }

async function backUp({ url, env, inputs }: Backup): Promise<void> {
  const source = { 'project-id': 'abc12345', token: 'skBENCHabcdefghijklmnopqrstuvwxyz0123456789', 'api-host': url, 'exclude-ids': '' }
  await using result = await runAction({ timeoutMs: 3_600_000, env, inputs: { ...source, ...inputs } })
  if (result.exitCode !== 0) throw new Error(`the backup failed:\n${result.maskedLog}`)
}

function report(results: Results): string {
  const rows = [...results].map(([name, runs]) => [
    name,
    figure(median(runs, 'wallSeconds'), 1),
    figure(median(runs, 'cpuSeconds'), 1),
    figure(Math.max(...runs.map(({ peakRssBytes }) => peakRssBytes)) / 1e6, 0),
  ])
  return `\n${table(['', 'wall s', 'CPU s', 'peak RSS MB'], rows)}\n`
}

const timesLimit = 1.3
const peakLimitBytes = 250e6

function missedGoals(results: Results): string[] {
  const times = median(results.get(verified) ?? [], 'wallSeconds') / median(results.get(plain) ?? [], 'wallSeconds')
  const peak = Math.max(...(results.get(verified) ?? []).map(({ peakRssBytes }) => peakRssBytes))
  return [
    ...(times <= timesLimit ? [] : [`within 1.3 times of its download and gunzip | sha256sum (${figure(times, 2)})`]),
    ...(peak < peakLimitBytes ? [] : [`under 250 MB (${figure(peak / 1e6, 0)} MB)`]),
  ]
}
