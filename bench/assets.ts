import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Contender, figure, interleave, type Measured, machine, measureAction, measureNode, median, table } from './measure.ts'

/**
 * The files of assets: the action beside the official exporter, on the same server, in one run. `--files 500` takes fewer of them, `--latency 100`
 * another latency in milliseconds, `--runs 5` more rounds.
 */
export async function run(options: string[]): Promise<number> {
  const { values } = parseArgs({
    args: options,
    options: {
      files: { type: 'string', default: '2000' },
      latency: { type: 'string', default: '30' },
      runs: { type: 'string', default: '2' },
    },
  })
  const server = spawn(process.execPath, [join(import.meta.dirname, 'asset-server.ts'), values.files, values.latency], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const [answer] = (await once(server.stdout, 'data')) as [Buffer]
    const { port, bytes } = JSON.parse(String(answer)) as { port: number; bytes: number }
    const url = `http://127.0.0.1:${port}`
    const contenders = [
      exporter(exporterDefault, url, {}),
      exporter(exporterPlain, url, { compress: false }),
      ...[8, 16, 64].map((each) => ours(each, url)),
    ]
    const measured = await interleave(contenders, Number(values.runs))
    console.log(`${machine()}; ${values.runs} runs each, interleaved; medians, peak RSS the highest.\n`)
    console.log(`${values.files} files from 10 KB to 5 MB, ${(bytes / 1e6).toFixed(0)} MB in all, ${values.latency} ms of latency.\n`)
    console.log(report(measured, bytes))
    const missed = missedGoals(measured)
    for (const each of missed) console.log(`\nMISSED: ${each}`)
    return missed.length === 0 ? 0 : 1
  } finally {
    server.kill()
  }
}

const exporterDefault = '@sanity/export 7, concurrency 8 (default)'
const exporterPlain = '@sanity/export 7, concurrency 8, compression off'
const nameOf = (concurrency: number) => `sanity-backup, concurrency ${concurrency}`
const defaultConcurrency = 16
const token = 'skBENCHabcdefghijklmnopqrstuvwxyz0123456789'

function exporter(name: string, url: string, options: object): Contender {
  return {
    name,
    run: async (folder) => {
      const output = join(folder, 'export.tar.gz')
      const source = { url, project: 'abc12345', dataset: 'production', token, outputPath: output }
      const argument = JSON.stringify({ ...source, raw: false, assets: true, ...options })
      return await measureNode(join(import.meta.dirname, '../test/peers/export.mjs'), { argument, folder, output })
    },
  }
}

/** From process start to the snapshot read back. */
function ours(concurrency: number, url: string): Contender {
  const inputs = { 'project-id': 'abc12345', token, 'api-host': url, destination: 'directory', 'include-assets': 'true' }
  return {
    name: nameOf(concurrency),
    run: async (folder) =>
      await measureAction({ inputs: { ...inputs, 'asset-concurrency': String(concurrency), path: join(folder, 'out') } }, folder),
  }
}

type All = ReadonlyMap<string, readonly Measured[]>

const peakOf = (runs: readonly Measured[]) => Math.max(...runs.map(({ peakRssBytes }) => peakRssBytes))
const wallOf = (measured: All, name: string) => median(measured.get(name) ?? [], 'wallSeconds')

function report(measured: All, bytes: number): string {
  const head = [
    'contender',
    'wall s',
    'MB/s',
    'CPU s per GB',
    'peak RSS MB',
    'output MB',
    'speed ÷ exporter',
    'speed ÷ exporter, compression off',
  ]
  const rows = [...measured].map(([name, runs]) => {
    const wall = median(runs, 'wallSeconds')
    return [
      name,
      figure(wall, 2),
      figure(bytes / 1e6 / wall, 0),
      figure(median(runs, 'cpuSeconds') / (bytes / 1e9), 1),
      figure(peakOf(runs) / 1e6, 0),
      figure(median(runs, 'outputBytes') / 1e6, 0),
      figure(wallOf(measured, exporterDefault) / wall, 2),
      figure(wallOf(measured, exporterPlain) / wall, 2),
    ]
  })
  return table(head, rows)
}

/** Goals at the default concurrency; memory at every one. */
function missedGoals(measured: All): string[] {
  const wall = wallOf(measured, nameOf(defaultConcurrency))
  const missed: string[] = []
  if (wallOf(measured, exporterDefault) / wall < 8) missed.push('less than 8 times the speed of the exporter')
  if (wallOf(measured, exporterPlain) / wall < 3) missed.push('less than 3 times the speed of the exporter with its compression off')
  for (const [name, runs] of measured)
    if (name.startsWith('sanity-backup') && peakOf(runs) > 250e6) missed.push(`${name}: more than 250 MB of memory`)
  return missed
}
