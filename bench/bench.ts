import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { demoDocuments } from '../demo/dataset.ts'
import { runAction } from '../test/support/runner.ts'

/**
 * Compares the action with its peers on the same server in one run, as real processes, interleaved: `npm run bench -- --mb 1000 --runs 3`.
 * Exits with 1 if the action is slower than the official exporter, or takes more memory than it may.
 */
const { values } = parseArgs({ options: { mb: { type: 'string', default: '1000' }, runs: { type: 'string', default: '3' } } })
const sizeBytes = Number(values.mb) * 1e6
const runs = Number(values.runs)
const peakRssLimitBytes = 250e6
const usageModule = join(import.meta.dirname, 'usage.js')
const token = 'skBENCHabcdefghijklmnopqrstuvwxyz0123456789'

type Measured = { readonly wallSeconds: number; readonly cpuSeconds: number; readonly peakRssBytes: number; readonly outputBytes: number }
type Contender = { readonly name: string; readonly run: (folder: string) => Promise<Measured> }

const work = await mkdtemp(join(tmpdir(), 'sanity-backup-bench-'))
try {
  process.exitCode = await bench()
} finally {
  await rm(work, { recursive: true, force: true })
}

async function bench(): Promise<number> {
  const source = await makeSource(join(work, 'source.ndjson'))
  console.log(`${source.documents.toLocaleString('en-US')} documents, ${mb(source.bytes)} MB; ${runs} runs each, interleaved; medians.`)
  console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim()}, ${new Date().toISOString().slice(0, 10)}\n`)
  const server = spawn(process.execPath, [join(import.meta.dirname, 'server.ts'), source.file, String(source.documents)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const [port] = (await once(server.stdout, 'data')) as [Buffer]
    const url = `http://127.0.0.1:${String(port).trim()}`
    const contenders = [curl(url), exporter(url), ours(url, 'gzip'), ours(url, 'zstd')]
    const measured = new Map<string, Measured[]>(contenders.map(({ name }) => [name, []]))
    for (let round = 0; round < runs; round++) {
      for (const { name, run } of contenders) {
        const folder = join(work, `run-${round}`)
        await mkdir(folder)
        measured.get(name)?.push(await run(folder))
        await rm(folder, { recursive: true, force: true })
      }
    }
    return print(measured, source.bytes)
  } finally {
    server.kill()
  }
}

async function makeSource(file: string): Promise<{ file: string; documents: number; bytes: number }> {
  const out = createWriteStream(file, { highWaterMark: 1024 * 1024 })
  let documents = 0
  let bytes = 0
  for (const line of demoDocuments(1, Number.MAX_SAFE_INTEGER)) {
    if (!line.includes('"_id":"_.')) documents++
    bytes += line.length + 1
    if (!out.write(Buffer.concat([line, Buffer.from('\n')]))) await once(out, 'drain')
    if (bytes >= sizeBytes) break
  }
  out.end()
  await once(out, 'close')
  return { file, documents, bytes }
}

function curl(url: string): Contender {
  return {
    name: 'curl > /dev/null',
    run: async () => {
      const startedAt = performance.now()
      const child = spawn('curl', ['-sS', '-o', '/dev/null', `${url}/v2025-02-19/data/export/production`], { stdio: 'inherit' })
      await succeeded(child)
      return { wallSeconds: secondsSince(startedAt), cpuSeconds: Number.NaN, peakRssBytes: Number.NaN, outputBytes: Number.NaN }
    },
  }
}

function exporter(url: string): Contender {
  return {
    name: '@sanity/export 7, stream, raw',
    run: async (folder) => {
      const usage = join(folder, 'usage.json')
      const outputPath = join(folder, 'export.tar.gz')
      const options = JSON.stringify({ url, project: 'abc12345', dataset: 'production', token, outputPath })
      const startedAt = performance.now()
      const child = spawn(process.execPath, ['--import', usageModule, join(import.meta.dirname, '../test/peers/export.mjs'), options], {
        env: { ...process.env, BENCH_USAGE: usage, TMPDIR: folder },
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      await succeeded(child)
      return await measuredIn(usage, startedAt, outputPath)
    },
  }
}

function ours(url: string, compression: 'gzip' | 'zstd'): Contender {
  return {
    name: `sanity-backup, ${compression}`,
    run: async (folder) => {
      const usage = join(folder, 'usage.json')
      const startedAt = performance.now()
      await using result = await runAction({
        inputs: { 'project-id': 'abc12345', token, 'api-host': url, destination: 'directory', path: join(folder, 'out'), compression },
        env: { BENCH_USAGE: usage },
        nodeArguments: ['--import', usageModule],
        timeoutMs: 3_600_000,
      })
      if (result.exitCode !== 0) throw new Error(`the action failed:\n${result.maskedLog}`)
      return await measuredIn(
        usage,
        startedAt,
        join(result.outputs['path'] ?? '', compression === 'gzip' ? 'data.ndjson.gz' : 'data.ndjson.zst'),
      )
    },
  }
}

async function succeeded(child: ReturnType<typeof spawn>): Promise<void> {
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`a contender ended with ${code}`)
}

async function measuredIn(usage: string, startedAt: number, output: string): Promise<Measured> {
  const wallSeconds = secondsSince(startedAt)
  return { wallSeconds, ...JSON.parse(await readFile(usage, 'utf8')), outputBytes: (await stat(output)).size }
}

function secondsSince(startedAt: number): number {
  return (performance.now() - startedAt) / 1000
}

function print(measured: ReadonlyMap<string, readonly Measured[]>, bytes: number): number {
  const median = (name: string, field: keyof Measured) =>
    (measured.get(name) ?? []).map((run) => run[field]).sort((a, b) => a - b)[Math.floor((runs - 1) / 2)] ?? Number.NaN
  const peer = median('@sanity/export 7, stream, raw', 'wallSeconds')
  const known = (value: number, digits: number) => (Number.isNaN(value) ? '–' : value.toFixed(digits))
  console.log('| contender | wall s | MB/s | CPU s per GB | peak RSS MB | output MB | speed ÷ exporter |')
  console.log('| --- | --- | --- | --- | --- | --- | --- |')
  const failures: string[] = []
  for (const name of measured.keys()) {
    const wall = median(name, 'wallSeconds')
    const peak = Math.max(...(measured.get(name) ?? []).map((run) => run.peakRssBytes))
    const cpuPerGb = known(median(name, 'cpuSeconds') / (bytes / 1e9), 1)
    const cells = [
      name,
      known(wall, 2),
      known(bytes / 1e6 / wall, 0),
      cpuPerGb,
      known(peak / 1e6, 0),
      known(median(name, 'outputBytes') / 1e6, 1),
      known(peer / wall, 2),
    ]
    console.log(`| ${cells.join(' | ')} |`)
    if (name.startsWith('sanity-backup') && wall > peer) failures.push(`${name} is slower than the official exporter`)
    if (name.startsWith('sanity-backup') && peak > peakRssLimitBytes)
      failures.push(`${name} takes more than ${mb(peakRssLimitBytes)} MB of memory`)
  }
  for (const failure of failures) console.log(`\nFAILED: ${failure}`)
  return failures.length === 0 ? 0 : 1
}

function mb(value: number): string {
  return (value / 1e6).toFixed(0)
}
