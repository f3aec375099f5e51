import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runAction } from '../test/support/runner/runner.ts'
import { figure, type Measured, machine, measureAction, measureNode, table } from './measure.ts'

/**
 * What a restore takes, beside `@sanity/import`, against the same emulated Sanity with the real one's limit of 25 requests a second: a whole dataset
 * into an empty one, one in which 1 % has changed, and one page. `--documents 250000`, `--mb 1000`, `--peer-documents 8000` (the importer holds
 * everything in memory and has no limiter, so it gets less, and a server without limits).
 */
export async function run(options: string[]): Promise<number> {
  const { values } = parseArgs({
    args: options,
    options: {
      documents: { type: 'string', default: '250000' },
      mb: { type: 'string', default: '1000' },
      'peer-documents': { type: 'string', default: '8000' },
    },
  })
  const documents = Number(values.documents)
  const bytes = Math.round((Number(values.mb) * 1e6) / documents)
  console.log(`${machine()}\n${documents.toLocaleString('en-US')} documents of ${bytes} bytes.\n`)
  const folder = await mkdtemp(join(tmpdir(), 'sanity-backup-bench-'))
  try {
    const ours = await measureOurs({ documents, bytes, folder: join(folder, 'ours') })
    const peer = await measurePeer({ documents: Number(values['peer-documents']), bytes, folder: join(folder, 'peer') })
    console.log(report([...ours, peer]))
    const missed = missedGoals(ours, documents)
    for (const goal of missed) console.log(`MISSED: ${goal}`)
    return missed.length === 0 ? 0 : 1
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Nothing here keeps the plan and the journal. */
const noArtifacts = { ACTIONS_RESULTS_URL: '' }

type Size = { readonly documents: number; readonly bytes: number; readonly folder: string }
type Row = {
  readonly name: string
  readonly documents: number
  readonly measured: Measured
  readonly requests: Readonly<Record<string, number>>
}
type Server = {
  readonly url: string
  readonly token: string
  readonly count: () => Promise<Record<string, number>>
  readonly [Symbol.dispose]: () => void
}

const whole = 'restore into an empty dataset'
const changed = 'restore, 1 % changed'
const page = 'restore, one page'

async function measureOurs({ documents, bytes, folder }: Size): Promise<Row[]> {
  using server = await startServer({ documents, bytes, limited: true })
  const { url, token } = server
  await using backup = await runAction({
    timeoutMs: 3_600_000,
    inputs: { 'project-id': 'abc12345', dataset: 'source', token, 'api-host': url, destination: 'directory', path: folder },
  })
  if (backup.exitCode !== 0) throw new Error(`the backup failed:\n${backup.maskedLog}`)
  await server.count()
  const rows: Row[] = []
  const restore = async (name: string, dataset: string, more: Readonly<Record<string, string>> = {}) => {
    const inputs = { 'project-id': 'abc12345', dataset, token, 'api-host': url, path: folder, 'source-dataset': 'source' }
    const apply = { mode: 'apply', confirm: dataset, 'safety-snapshot': 'false', ...more }
    const into = await mkdtemp(join(tmpdir(), 'sanity-backup-bench-'))
    const measured = await measureAction({ action: 'restore', inputs: { ...inputs, ...apply }, env: noArtifacts }, into)
    await rm(into, { recursive: true, force: true })
    rows.push({ name, documents, measured, requests: await server.count() })
    process.stderr.write(`  ${name}: ${measured.wallSeconds.toFixed(1)} s\n`)
  }
  await restore(page, 'page', { ids: 'doc-4242' })
  await restore(changed, 'changed')
  await restore(whole, 'empty')
  return rows
}

async function measurePeer({ documents, bytes, folder }: Size): Promise<Row> {
  using server = await startServer({ documents, bytes, limited: false })
  const { url, token } = server
  await using backup = await runAction({
    timeoutMs: 3_600_000,
    inputs: { 'project-id': 'abc12345', dataset: 'source', token, 'api-host': url, destination: 'directory', path: folder },
  })
  const [name = ''] = await readdir(folder)
  await server.count()
  if (backup.exitCode !== 0) throw new Error(`the backup failed:\n${backup.maskedLog}`)
  const source = join(folder, name, 'data.ndjson.gz')
  const argument = JSON.stringify({ url, token, project: 'abc12345', dataset: 'peer', operation: 'createOrReplace', source })
  const script = join(import.meta.dirname, '..', 'test/peers/import.mjs')
  const measured = await measureNode(script, { argument, folder, output: join(folder, 'none') })
  return {
    name: `@sanity/import, ${documents.toLocaleString('en-US')} documents, no limits`,
    documents,
    measured,
    requests: await server.count(),
  }
}

async function startServer({ documents, bytes, limited }: Omit<Size, 'folder'> & { readonly limited: boolean }): Promise<Server> {
  const child: ChildProcess = fork(join(import.meta.dirname, 'sanity-server.ts'), [documents, bytes, limited ? 1 : 0].map(String), {
    execArgv: ['--max-old-space-size=12000'],
  })
  const ask = async () => ((await once(child, 'message')) as [Record<string, unknown>])[0]
  const { url, token } = (await ask()) as { url: string; token: string }
  return {
    url,
    token,
    count: async () => {
      child.send('count')
      return ((await ask()) as { routes: Record<string, number> }).routes
    },
    [Symbol.dispose]: () => child.disconnect(),
  }
}

function total(requests: Readonly<Record<string, number>>): number {
  return Object.values(requests).reduce((sum, each) => sum + each, 0)
}

function report(rows: readonly Row[]): string {
  const cells = rows.map(({ name, measured, requests }) => [
    name,
    figure(measured.wallSeconds, 1),
    figure(measured.cpuSeconds, 1),
    figure(measured.peakRssBytes / 1e6, 0),
    String(total(requests)),
    String(requests['mutate'] ?? 0),
  ])
  return `\n${table(['', 'wall s', 'CPU s', 'peak RSS MB', 'requests', 'of them writes'], cells)}\n`
}

const peakLimitBytes = 250e6

function missedGoals(rows: readonly Row[], documents: number): string[] {
  const of = (name: string) => rows.find((row) => row.name === name)
  const peak = Math.max(...rows.map(({ measured }) => measured.peakRssBytes))
  const mostWrites = Math.ceil((documents / 250_000) * 4200)
  const wholeRequests = total(of(whole)?.requests ?? {})
  const changedRequests = total(of(changed)?.requests ?? {})
  const pageSeconds = of(page)?.measured.wallSeconds ?? Number.NaN
  return [
    ...(wholeRequests <= mostWrites ? [] : [`at most ${mostWrites} requests for the whole (${wholeRequests})`]),
    ...(peak < peakLimitBytes ? [] : [`under 250 MB (${figure(peak / 1e6, 0)} MB)`]),
    ...(changedRequests <= 60 + 10 ? [] : [`1 % changed costs two exports and at most 60 requests (${changedRequests})`]),
    ...(pageSeconds < 30 ? [] : [`one page back in under 30 s (${figure(pageSeconds, 1)})`]),
  ]
}
