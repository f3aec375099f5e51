import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  type Contender,
  figure,
  interleave,
  type Measured,
  machine,
  measureAction,
  measureNode,
  measureShell,
  median,
  table,
} from './measure.ts'
import { type Source, startSource } from './source.ts'

/**
 * The documents of one dataset: the action beside its peers, on the same server, in one run. `--mb 1000` takes one size instead of both,
 * `--runs 5` more rounds. `--large` measures how time and memory grow from 1 GB to 10 GB.
 */
export async function run(options: string[]): Promise<number> {
  const { values } = parseArgs({
    args: options,
    options: { mb: { type: 'string', multiple: true }, runs: { type: 'string' }, large: { type: 'boolean', default: false } },
  })
  const runs = Number(values.runs ?? (values.large ? 1 : 3))
  const sizes = values.mb?.map(Number) ?? (values.large ? [1000, 10_000] : [100, 1000])
  console.log(`${machine()}; ${runs} runs each, interleaved; medians, peak RSS the highest.`)
  const results: Result[] = []
  for (const size of sizes) {
    const result = await compare({ bytes: size * 1e6, runs, withSlowPeers: !values.large })
    console.log(report(result))
    results.push(result)
  }
  const missed = [...results.flatMap(missedGoals), ...missedGrowth(results)]
  for (const each of missed) console.log(`MISSED: ${each}`)
  return missed.length === 0 ? 0 : 1
}

type Result = { readonly source: Omit<Source, 'url'>; readonly measured: ReadonlyMap<string, readonly Measured[]> }

const pigz = 'curl \\| pigz -6'
const exporter = '@sanity/export 7, stream, raw'
const gzip = 'sanity-backup, gzip'
const zstd = 'sanity-backup, zstd'
const zstd3 = 'sanity-backup, zstd, level 3'
const ours = [gzip, zstd, zstd3]

async function compare({ bytes, runs, withSlowPeers }: { bytes: number; runs: number; withSlowPeers: boolean }): Promise<Result> {
  using source = await startSource({ bytes })
  const { url } = source
  const contenders = [
    shell('curl > /dev/null', `curl -sS $url > /dev/null`, url),
    ...(withSlowPeers ? [shell(pigz, 'curl -sS $url | pigz -6 > $out', url)] : []),
    shell('curl \\| zstd -3 -T0', 'curl -sS $url | zstd -q -3 -T0 > $out', url),
    ...(withSlowPeers ? [officialExporter(url)] : []),
    action(gzip, url, 'gzip'),
    action(zstd, url, 'zstd'),
    ...(withSlowPeers ? [action(zstd3, url, 'zstd', '3')] : []),
  ]
  return { source, measured: await interleave(contenders, runs) }
}

function shell(name: string, command: string, url: string): Contender {
  return { name, run: async (folder) => await measureShell(command, folder, { url: `${url}/v2025-02-19/data/export/production` }) }
}

function officialExporter(url: string): Contender {
  return {
    name: exporter,
    run: async (folder) => {
      const output = join(folder, 'export.tar.gz')
      const argument = JSON.stringify({ url, project: 'abc12345', dataset: 'production', token, outputPath: output })
      return await measureNode(join(import.meta.dirname, '../test/peers/export.mjs'), { argument, folder, output })
    },
  }
}

const token = 'skBENCHabcdefghijklmnopqrstuvwxyz0123456789'

/** The action, from process start to the snapshot read back. */
export function action(name: string, url: string, compression: string, level = ''): Contender {
  return {
    name,
    run: async (folder) => {
      const inputs = { 'project-id': 'abc12345', token, 'api-host': url, destination: 'directory', path: join(folder, 'out') }
      return await measureAction({ inputs: { ...inputs, compression, 'compression-level': level } }, folder)
    },
  }
}

function report({ source, measured }: Result): string {
  const names = [...measured.keys()]
  const of = (name: string, field: keyof Measured) => median(measured.get(name) ?? [], field)
  const rows = names.map((name) => [
    name,
    figure(of(name, 'wallSeconds'), 2),
    figure(source.bytes / 1e6 / of(name, 'wallSeconds'), 0),
    figure(of(name, 'cpuSeconds') / (source.bytes / 1e9), 1),
    figure(peakOf(measured.get(name)) / 1e6, 0),
    figure(of(name, 'outputBytes') / 1e6, 1),
    figure(of(exporter, 'wallSeconds') / of(name, 'wallSeconds'), 2),
    figure(of(pigz, 'wallSeconds') / of(name, 'wallSeconds'), 2),
  ])
  const head = ['', 'wall s', 'MB/s', 'CPU s per GB', 'peak RSS MB', 'size MB', 'speed ÷ exporter', 'speed ÷ pigz']
  return `\n${source.documents.toLocaleString('en-US')} documents, ${figure(source.bytes / 1e6, 0)} MB\n\n${table(head, rows)}\n`
}

function peakOf(runs: readonly Measured[] = []): number {
  return Math.max(...runs.map(({ peakRssBytes }) => peakRssBytes))
}

const peakRssLimitBytes = 250e6

/** The goals of docs/performance.md for one size. Ratios below a gigabyte are mostly start-up. */
function missedGoals({ source, measured }: Result): string[] {
  const of = (name: string, field: keyof Measured) => median(measured.get(name) ?? [], field)
  const speedup = (name: string, peer: string) => of(peer, 'wallSeconds') / of(name, 'wallSeconds')
  const isLarge = source.bytes >= 1e9 && measured.has(exporter)
  const goals = [
    ...ours
      .filter((name) => measured.has(name))
      .map((name) => ({ goal: `${name}: peak RSS below 250 MB`, met: peakOf(measured.get(name)) < peakRssLimitBytes })),
    ...(isLarge
      ? [
          { goal: `${gzip}: 3.0 times as fast as the exporter`, met: speedup(gzip, exporter) >= 3 },
          { goal: `${gzip}: as fast as pigz`, met: speedup(gzip, pigz) >= 1 },
          ...[zstd, zstd3].flatMap((name) => [
            { goal: `${name}: 5.0 times as fast as the exporter`, met: speedup(name, exporter) >= 5 },
            {
              goal: `${name}: a file a fifth smaller than the exporter's`,
              met: of(name, 'outputBytes') <= 0.8 * of(exporter, 'outputBytes'),
            },
          ]),
        ]
      : []),
  ]
  return goals.filter(({ met }) => !met).map(({ goal }) => `${goal} (${figure(source.bytes / 1e6, 0)} MB)`)
}

const bytesPerDocument = 16
const growthBytes = 16e6

/** Between the smallest and the largest size, memory may grow by little. */
function missedGrowth(results: readonly Result[]): string[] {
  const [smallest, largest] = [results[0], results.at(-1)]
  if (smallest === undefined || largest === undefined || largest.source.bytes < 1e10) return []
  const allowed = bytesPerDocument * (largest.source.documents - smallest.source.documents) + growthBytes
  return ours
    .filter((name) => largest.measured.has(name))
    .flatMap((name) => {
      const growth = peakOf(largest.measured.get(name)) - peakOf(smallest.measured.get(name))
      console.log(`${name}: memory grew by ${figure(growth / 1e6, 1)} MB; ${figure(allowed / 1e6, 1)} MB are allowed`)
      return growth <= allowed ? [] : [`${name}: memory grows by at most 16 bytes a document and 16 MB`]
    })
}
