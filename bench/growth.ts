import { parseArgs } from 'node:util'
import { action } from './documents.ts'
import { figure, interleave, machine, median, table } from './measure.ts'
import { startSource } from './source.ts'

/** How the action's cost grows: with the length of a line, and with the level of compression. `--mb 200`, `--runs 3`. */
export async function run(options: string[]): Promise<number> {
  const { values } = parseArgs({
    args: options,
    options: { mb: { type: 'string', default: '200' }, runs: { type: 'string', default: '3' } },
  })
  const bytes = Number(values.mb) * 1e6
  const runs = Number(values.runs)
  console.log(`${machine()}; ${values.mb} MB, ${runs} runs each, interleaved; medians.\n`)
  console.log(await lineLengths(bytes, runs))
  console.log(await levels(bytes, runs))
  return 0
}

const head = ['wall s', 'MB/s', 'CPU s per GB', 'peak RSS MB', 'size MB', 'ratio']

async function lineLengths(bytes: number, runs: number): Promise<string> {
  const rows: string[][] = []
  for (const lineBytes of [300, 3_000, 30_000, 300_000, 3_000_000, 30_000_000]) {
    using source = await startSource({ bytes, lineBytes })
    const contenders = ['gzip', 'zstd'].map((compression) => action(compression, source.url, compression))
    for (const [name, measured] of await interleave(contenders, runs)) {
      rows.push([lineBytes.toLocaleString('en-US'), source.documents.toLocaleString('en-US'), name, ...figures(measured, source.bytes)])
    }
  }
  return `${table(['bytes a line', 'documents', 'compression', ...head], rows)}\n`
}

async function levels(bytes: number, runs: number): Promise<string> {
  using source = await startSource({ bytes })
  const contenders = [
    ...[1, 4, 6, 9].map((level) => action(`gzip ${level}`, source.url, 'gzip', String(level))),
    ...[1, 2, 3, 6, 9, 12, 19].map((level) => action(`zstd ${level}`, source.url, 'zstd', String(level))),
  ]
  const rows = [...(await interleave(contenders, runs))].map(([name, measured]) => [name, ...figures(measured, source.bytes)])
  return `${table(['level', ...head], rows)}\n`
}

function figures(measured: Parameters<typeof median>[0], bytes: number): string[] {
  const wall = median(measured, 'wallSeconds')
  const size = median(measured, 'outputBytes')
  return [
    figure(wall, 2),
    figure(bytes / 1e6 / wall, 0),
    figure(median(measured, 'cpuSeconds') / (bytes / 1e9), 1),
    figure(Math.max(...measured.map(({ peakRssBytes }) => peakRssBytes)) / 1e6, 0),
    figure(size / 1e6, 1),
    figure(bytes / size, 2),
  ]
}
