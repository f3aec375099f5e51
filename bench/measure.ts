import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunOptions, runAction } from '../test/support/runner/runner.ts'

/** What one process, or one pipeline, took from its start to its end. `peakRssBytes` is that of its largest process. */
export type Measured = {
  readonly wallSeconds: number
  readonly cpuSeconds: number
  readonly peakRssBytes: number
  readonly outputBytes: number
}

/** One of those that are compared. `run` gets an empty folder that is removed afterwards. */
export type Contender = { readonly name: string; readonly run: (folder: string) => Promise<Measured> }

const usageModule = join(import.meta.dirname, 'usage.js')

/** Runs contenders in rounds, so that what else the machine does meanwhile meets all of them; each round begins with another one. */
export async function interleave(contenders: readonly Contender[], rounds: number): Promise<Map<string, Measured[]>> {
  const measured = new Map<string, Measured[]>(contenders.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const { name, run } = contenders[(round + turn) % contenders.length]!
      const folder = await mkdtemp(join(tmpdir(), 'sanity-backup-bench-'))
      try {
        const result = await run(folder)
        measured.get(name)?.push(result)
        process.stderr.write(`  round ${round + 1} of ${rounds}: ${name}: ${result.wallSeconds.toFixed(2)} s\n`)
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    }
  }
  return measured
}

/** The median of one figure of several runs; of an even number the lower one. */
export function median(runs: readonly Measured[], field: keyof Measured): number {
  const sorted = runs.map((run) => run[field]).sort((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN
}

/** Runs a pipeline of the shell that writes to `$out`. */
export async function measureShell(command: string, folder: string, env: Readonly<Record<string, string>> = {}): Promise<Measured> {
  const out = join(folder, 'out')
  const startedAt = performance.now()
  // The shell's own clock covers all processes of the pipeline.
  const child = spawn('bash', ['-c', `set -o pipefail; TIMEFORMAT='%U %S'; time { ${command}; }`], {
    env: { ...process.env, ...env, out },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let told = ''
  child.stderr.on('data', (chunk: Buffer) => {
    told += chunk
  })
  const peak = watchPeak(child)
  const [code] = await once(child, 'close')
  const wallSeconds = secondsSince(startedAt)
  if (code !== 0) throw new Error(`"${command}" ended with ${code}: ${told}`)
  const [user = Number.NaN, system = Number.NaN] = (told.trim().split('\n').at(-1) ?? '').split(' ').map(Number)
  return { wallSeconds, cpuSeconds: user + system, peakRssBytes: peak(), outputBytes: await sizeOf(out) }
}

/** Runs a program of Node's, as it is. */
export async function measureNode(script: string, options: { argument: string; folder: string; output: string }): Promise<Measured> {
  const usage = join(options.folder, 'usage.json')
  const startedAt = performance.now()
  const child = spawn(process.execPath, ['--import', usageModule, script, options.argument], {
    env: { ...process.env, BENCH_USAGE: usage, TMPDIR: options.folder },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const [code] = await once(child, 'close')
  const wallSeconds = secondsSince(startedAt)
  if (code !== 0) throw new Error(`${script} ended with ${code}`)
  return { wallSeconds, ...(await usageIn(usage)), outputBytes: await sizeOf(options.output) }
}

/** Runs the bundled action as the runner would, with some inputs. `outputBytes` is what its output `size-bytes` says. */
export async function measureAction(options: RunOptions, folder: string): Promise<Measured> {
  const usage = join(folder, 'usage.json')
  await using result = await runAction({
    timeoutMs: 3_600_000,
    ...options,
    env: { ...options.env, BENCH_USAGE: usage },
    nodeArguments: ['--import', usageModule, ...(options.nodeArguments ?? [])],
  })
  if (result.exitCode !== 0) throw new Error(`the action failed:\n${result.maskedLog}`)
  return { wallSeconds: result.durationMs / 1000, ...(await usageIn(usage)), outputBytes: Number(result.outputs['size-bytes']) }
}

/** The first line of a report: on what and when it was measured. */
export function machine(): string {
  return `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim()}, ${new Date().toISOString().slice(0, 10)}`
}

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** A figure for a table; a dash for one that does not apply. */
export function figure(value: number, digits: number): string {
  return Number.isFinite(value) ? value.toFixed(digits) : '–'
}

async function usageIn(file: string): Promise<Pick<Measured, 'cpuSeconds' | 'peakRssBytes'>> {
  return JSON.parse(await readFile(file, 'utf8'))
}

async function sizeOf(file: string): Promise<number> {
  return await stat(file).then(
    ({ size }) => size,
    () => Number.NaN,
  )
}

function secondsSince(startedAt: number): number {
  return (performance.now() - startedAt) / 1000
}

const lookEveryMs = 50

/** Looks at the memory of a process and of those below it while they run: the kernel keeps each one's peak (proc(5), VmHWM). */
function watchPeak({ pid = 0 }: ChildProcess): () => number {
  let peak = 0
  const look = async () => {
    for (const each of await descendants(pid)) {
      const status = await readFile(`/proc/${each}/status`, 'utf8').catch(() => '')
      peak = Math.max(peak, Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024)
    }
  }
  const timer = setInterval(() => void look(), lookEveryMs)
  return () => {
    clearInterval(timer)
    return peak === 0 ? Number.NaN : peak
  }
}

/** Looks at the memory of a process and of all below it at the same moments, and gives the most that they took together. */
export function watchTogether({ pid = 0 }: ChildProcess): () => number {
  let peak = 0
  const look = async () => {
    const all = [pid, ...(await descendants(pid))]
    const statuses = await Promise.all(all.map((each) => readFile(`/proc/${each}/status`, 'utf8').catch(() => '')))
    const bytes = statuses.reduce((sum, status) => sum + Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024, 0)
    peak = Math.max(peak, bytes)
  }
  const timer = setInterval(() => void look(), lookEveryMs)
  return () => {
    clearInterval(timer)
    return peak === 0 ? Number.NaN : peak
  }
}

async function descendants(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  const children = text.split(' ').filter(Boolean).map(Number)
  return [...children, ...(await Promise.all(children.map(descendants))).flat()]
}
