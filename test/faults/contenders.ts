import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { checkSnapshot } from '../../src/snapshot/check/check.ts'
import type { Sanity } from '../doubles/sanity/sanity.ts'
import { ROOT, until } from '../support/process.ts'
import { runAction } from '../support/runner/runner.ts'
import type { Ended } from './judge.ts'
import type { Place, Row } from './row.ts'

const usageModule = join(ROOT, 'bench/usage.js')
const exporterScript = join(ROOT, 'test/peers/export.mjs')
const largeBytes = 1024 * 1024 * 1024

type Ground = { readonly row: Row; readonly sanity: Sanity; readonly place: Place | undefined; readonly folder: string }

/** Runs the bundle under a row's fault, as the runner would, into a folder. */
export async function runOurs({ row, sanity, place, folder }: Ground): Promise<Ended> {
  const path = join(place?.output ?? folder, 'ours')
  const usage = join(folder, 'usage.json')
  await using run = await runAction({
    inputs: {
      'project-id': sanity.project,
      token: row.token ?? sanity.token,
      'api-host': place?.url ?? row.url ?? sanity.url,
      destination: 'directory',
      path,
      ...(row.mode ? { 'export-mode': row.mode } : {}),
      ...row.inputs,
    },
    env: { BENCH_USAGE: usage, ...row.env, ...place?.env },
    nodeArguments: ['--import', usageModule],
    timeoutMs: (row.limit?.ours ?? 60) * 1000,
    onStart: async ({ signal }) => {
      if (!row.signal) return
      await until(() => sanity.count('export') > 0)
      await sleep(row.signal.afterMs)
      signal(row.signal.name)
    },
  })
  const names = await readdir(path).catch(() => [])
  const published = names.filter((name) => !name.endsWith('.partial'))
  const found = published[0] === undefined ? undefined : join(path, published[0])
  const used = await readFile(usage, 'utf8').then(JSON.parse, () => ({}))
  return {
    exitCode: run.exitCode,
    timedOut: run.timedOut,
    seconds: run.durationMs / 1000,
    requests: sanity.requests.length,
    seen: [run.stdout, run.stderr, run.summary, ...Object.values(run.outputs)].join('\n').replace(/^::add-mask::.*$/gm, ''),
    lines: found === undefined ? undefined : linesIn(gunzipSync(await readFile(join(found, 'data.ndjson.gz')))),
    left: names.filter((name) => name.endsWith('.partial')).join(', '),
    peakRssBytes: used.peakRssBytes,
    code: run.outputs['error-code'],
    findings: found === undefined ? [] : await findingsIn(found),
  }
}

async function findingsIn(folder: string): Promise<string[]> {
  const manifestBytes = await readFile(join(folder, 'manifest.json'))
  const findings = await checkSnapshot(folder, { level: 'data', manifestBytes, signal: AbortSignal.timeout(60_000) })
  return findings.filter(({ severity }) => severity === 'error').map(({ message }) => message)
}

/** Runs the official exporter under the same fault, into an archive. */
export async function runExporter({ row, sanity, place, folder }: Ground): Promise<Ended> {
  const output = place?.output ?? folder
  const [temp, outputPath] = [join(output, 'tmp'), join(output, 'export.tar.gz')]
  await mkdir(temp)
  const options = {
    url: place?.url ?? row.url ?? sanity.url,
    project: sanity.project,
    dataset: sanity.dataset,
    token: row.token ?? sanity.token,
    mode: row.mode ?? 'stream',
    outputPath,
  }
  const startedAt = performance.now()
  const child = spawn(process.execPath, [exporterScript, JSON.stringify(options)], {
    env: { PATH: '/usr/bin:/bin', TMPDIR: temp, ...row.env, ...place?.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let seen = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (seen += text))
  let timedOut = false
  const timer = setTimeout(
    () => {
      timedOut = true
      child.kill('SIGKILL')
    },
    (row.limit?.exporter ?? 60) * 1000,
  )
  const closed = once(child, 'close') as Promise<[number | null]>
  if (row.signal) {
    await Promise.race([until(() => sanity.count('export') > 0), closed])
    await sleep(row.signal.afterMs)
    child.kill(row.signal.name)
  }
  const [exitCode] = await closed
  clearTimeout(timer)
  const seconds = (performance.now() - startedAt) / 1000
  return {
    exitCode,
    timedOut,
    seconds,
    requests: sanity.requests.length,
    seen,
    lines: exitCode === 0 ? await linesInArchive(outputPath) : undefined,
    left: await leftBy(outputPath, temp, exitCode === 0),
    peakRssBytes: undefined,
  }
}

async function linesInArchive(path: string): Promise<readonly Buffer[]> {
  const { stdout } = await promisify(execFile)('tar', ['-xzOf', path, '--wildcards', '*/data.ndjson'], {
    encoding: 'buffer',
    maxBuffer: largeBytes,
  })
  return linesIn(stdout)
}

/** The lines of a file whose every line ends in a line feed. */
function linesIn(content: Buffer): readonly Buffer[] {
  const lines: Buffer[] = []
  for (let start = 0, end = content.indexOf(0x0a); end !== -1; start = end + 1, end = content.indexOf(0x0a, start)) {
    lines.push(content.subarray(start, end))
  }
  return lines
}

/** What a run that failed leaves at the place of the archive and beside it. */
async function leftBy(outputPath: string, temp: string, good: boolean): Promise<string> {
  const bytes = await stat(outputPath).then(
    ({ size }) => size,
    () => undefined,
  )
  const files = (await readdir(temp, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile()).length
  const archive = good || bytes === undefined ? [] : [`an archive of ${bytes} bytes`]
  return [...archive, ...(files > 0 ? [`${files} temporary ${files === 1 ? 'file' : 'files'}`] : [])].join(', ')
}
