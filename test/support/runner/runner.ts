import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { parse } from 'yaml'
import { makeTempFolder, ROOT } from '../process.ts'
import { parseCommandFile } from './command-files.ts'
import { makeMask, type RunnerLine, readLine } from './commands.ts'
import { type ActionYml, DEFAULT_EVENT, inputEnvironment, runnerEnvironment } from './environment.ts'

export type RunOptions = {
  /** Inputs set by the workflow; every other declared input gets its default or the empty string, as on the runner. */
  readonly inputs?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  /** Payload of the event file. Default: what a scheduled run of a private repository has. */
  readonly event?: object
  /** Values that the runner knows as secrets from the start. None by default: then only the action's own masking counts. */
  readonly secrets?: readonly string[]
  readonly githubToken?: string
  /** The action's folder, relative to the root. Default: the root, i.e. the backup. */
  readonly action?: string
  /** The script to run instead of `main` of action.yml. */
  readonly entry?: string
  /** Arguments of Node, for example `--max-old-space-size=100`. */
  readonly nodeArguments?: readonly string[]
  readonly timeoutMs?: number
  /** Called when the process runs; what it returns is awaited before the result. */
  readonly onStart?: (run: Running) => void | Promise<void>
  /** Called with each line as it comes, masked as the runner does, and with whether GitHub would fold it away. */
  readonly onLine?: (line: string, folded: boolean) => void
  /** Folder of an earlier run to be used again as RUNNER_TEMP and workspace; it is then not removed. */
  readonly folder?: string
}

export type Running = {
  readonly child: ChildProcess
  readonly temp: string
  readonly workspace: string
  signal(name: 'SIGINT' | 'SIGTERM' | 'SIGKILL'): void
  /** Cancels as the runner does: SIGINT, 7.5 s later SIGTERM, 2.5 s later SIGKILL (actions/runner ProcessInvoker.cs). */
  cancel(): void
  /** Resolves when the log has a match, rejects when the process ends without one. */
  waitFor(pattern: RegExp): Promise<void>
}

export type Annotation = {
  readonly kind: 'error' | 'warning' | 'notice'
  readonly title: string
  readonly message: string
  readonly properties: Readonly<Record<string, string>>
}

export type RunResult = AsyncDisposable & {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  /** True if the time was up and the process was killed. */
  readonly timedOut: boolean
  readonly stdout: string
  readonly stderr: string
  /** Both streams, line by line, as they came. */
  readonly log: string
  /** The log that a person sees: commands carried out, secrets masked. */
  readonly maskedLog: string
  readonly outputs: Readonly<Record<string, string>>
  readonly exportedEnv: Readonly<Record<string, string>>
  readonly state: Readonly<Record<string, string>>
  readonly summary: string
  readonly annotations: readonly Annotation[]
  /** Every workflow command that the runner would have carried out, `add-mask` included. */
  readonly commands: readonly { readonly name: string; readonly properties: Readonly<Record<string, string>>; readonly data: string }[]
  readonly masks: readonly string[]
  readonly durationMs: number
  readonly temp: string
  readonly workspace: string
  /** Files below a folder, relative and sorted; without a folder those below RUNNER_TEMP, the runner's own files left out. */
  filesLeft(folder?: string): Promise<string[]>
}

/** How long after SIGINT the runner sends SIGTERM (actions/runner ProcessInvoker.cs). */
export const RUNNER_TERM_MS = 7_500

/** A run that takes longer hangs: less than Jest gives a test, so that the test can say what the run had said. */
const HANG_MS = 280_000

/** GitHub drops a larger summary, with an error annotation (actions/runner CreateStepSummaryCommand). */
const SUMMARY_LIMIT_BYTES = 1024 * 1024

const COMMAND_FILES = { OUTPUT: 'set_output', ENV: 'set_env', STATE: 'save_state', PATH: 'add_path', STEP_SUMMARY: 'step_summary' }

/** Runs the bundled action as a GitHub runner would, in an environment made from nothing. */
export async function runAction(options: RunOptions = {}): Promise<RunResult> {
  await using stack = new AsyncDisposableStack()
  const folder = options.folder ? { path: options.folder } : stack.use(await makeTempFolder('run'))
  const temp = join(folder.path, 'temp')
  const workspace = join(folder.path, 'workspace')
  const commandFolder = join(temp, '_runner_file_commands')
  await Promise.all([mkdir(commandFolder, { recursive: true }), mkdir(workspace, { recursive: true })])
  const files = Object.fromEntries(
    Object.entries(COMMAND_FILES).map(([name, file]) => [name, join(commandFolder, `${file}_${crypto.randomUUID()}`)]),
  )
  await Promise.all(Object.values(files).map((file) => writeFile(file, '')))
  const event = join(folder.path, 'event.json')
  await writeFile(event, JSON.stringify(options.event ?? DEFAULT_EVENT))

  const actionFolder = resolve(ROOT, options.action ?? '.')
  const action = parse(await readFile(join(actionFolder, 'action.yml'), 'utf8')) as ActionYml
  const entry = options.entry ? resolve(ROOT, options.entry) : resolve(actionFolder, action.runs.main)
  const env = {
    ...runnerEnvironment({ temp, workspace, event, folder: folder.path, actionFolder }),
    ...Object.fromEntries(Object.entries(files).map(([name, file]) => [`GITHUB_${name}`, file])),
    // The one thing that a runner does not set: Node keeps what it made of the bundle, so that hundreds of runs start sooner.
    NODE_COMPILE_CACHE: join(ROOT, 'node_modules', '.cache', 'compile'),
    ...options.env,
    ...inputEnvironment(action, {
      inputs: options.inputs ?? {},
      temp,
      githubToken: options.githubToken ?? 'ghs_doubleTokenOfTheWorkflow0123456789',
    }),
  }

  const started = performance.now()
  const run = await execute({ entry, env, temp, workspace, options })
  const durationMs = performance.now() - started
  const text = (name: string) => readFile(files[name] ?? '', 'utf8')
  const summary = await text('STEP_SUMMARY')
  const tooLong = Buffer.byteLength(summary) > SUMMARY_LIMIT_BYTES
  const outputs = parseCommandFile(await text('OUTPUT'))
  const exportedEnv = parseCommandFile(await text('ENV'))
  const state = parseCommandFile(await text('STATE'))
  const owned = stack.move()
  return {
    ...run,
    summary: tooLong ? '' : summary,
    annotations: [...run.annotations, ...(tooLong ? [summaryDropped(summary)] : [])],
    outputs,
    exportedEnv,
    state,
    durationMs,
    temp,
    workspace,
    async filesLeft(path) {
      const found = await listFiles(path ? resolve(temp, path) : temp)
      return path ? found : found.filter((file) => !file.startsWith('_runner_file_commands'))
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

type Execution = Pick<
  RunResult,
  'exitCode' | 'signal' | 'timedOut' | 'stdout' | 'stderr' | 'log' | 'maskedLog' | 'annotations' | 'commands' | 'masks'
>

type Call = {
  readonly entry: string
  readonly env: Record<string, string>
  readonly temp: string
  readonly workspace: string
  readonly options: RunOptions
}

async function execute({ entry, env, temp, workspace, options }: Call): Promise<Execution> {
  const child = spawn(process.execPath, [...(options.nodeArguments ?? []), entry], {
    cwd: workspace,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  // The runner knows its own tokens from the start.
  const mask = makeMask([...(options.secrets ?? []), env['INPUT_GITHUB-TOKEN'] ?? '', env['ACTIONS_RUNTIME_TOKEN'] ?? ''])
  const texts = { stdout: '', stderr: '' }
  const log: string[] = []
  const shown: string[] = []
  const commands: RunnerLine['command'][] = []
  let stopped: string | undefined
  let folded = false
  const take = (line: string) => {
    log.push(line)
    const read = readLine(line, stopped)
    stopped = read.stopped
    if (read.command) commands.push(read.command)
    if (read.command?.name === 'add-mask') mask.add(read.command.data)
    if (read.command?.name.endsWith('group')) folded = false
    if (read.shown === undefined) return
    const masked = mask.apply(read.shown)
    shown.push(masked)
    options.onLine?.(masked, folded)
    if (read.command?.name === 'group') folded = true
  }
  for (const name of ['stdout', 'stderr'] as const) {
    let half = ''
    child[name].setEncoding('utf8').on('data', (text: string) => {
      texts[name] += text
      const lines = (half + text).split('\n')
      half = lines.pop() ?? ''
      for (const line of lines) take(line.replace(/\r$/, ''))
    })
    child[name].on('end', () => half !== '' && take(half))
  }
  const timers: NodeJS.Timeout[] = []
  let timedOut = false
  timers.push(
    setTimeout(() => {
      timedOut = true
      child.kill('SIGKILL')
    }, options.timeoutMs ?? HANG_MS),
  )
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  const hook = (async () => await options.onStart?.(makeRunning({ child, temp, workspace, log, timers, closed })))()
  // Whoever waits for a line that never comes must not hide how the process ended.
  const hookDone = hook.then(
    () => undefined,
    (error: unknown) => {
      child.kill('SIGKILL')
      return { error }
    },
  )
  const [exitCode, signal] = await closed
  for (const timer of timers) clearTimeout(timer)
  const failed = await hookDone
  if (failed) throw failed.error
  const known = commands.filter((command) => command !== undefined)
  return {
    exitCode,
    signal,
    timedOut,
    ...texts,
    log: log.join('\n'),
    maskedLog: shown.join('\n'),
    annotations: known.flatMap(({ name, properties, data }) =>
      name === 'error' || name === 'warning' || name === 'notice'
        ? { kind: name, title: properties['title'] ?? '', message: data, properties }
        : [],
    ),
    commands: known,
    masks: known.filter(({ name }) => name === 'add-mask').map(({ data }) => data),
  }
}

type RunningParts = Omit<Running, 'signal' | 'cancel' | 'waitFor'> & {
  readonly log: readonly string[]
  readonly timers: NodeJS.Timeout[]
  readonly closed: Promise<unknown>
}

function makeRunning({ child, temp, workspace, log, timers, closed }: RunningParts): Running {
  const signal = (name: NodeJS.Signals) => void child.kill(name)
  return {
    child,
    temp,
    workspace,
    signal,
    cancel() {
      signal('SIGINT')
      timers.push(
        setTimeout(() => signal('SIGTERM'), RUNNER_TERM_MS),
        setTimeout(() => signal('SIGKILL'), 10_000),
      )
    },
    async waitFor(pattern) {
      let ended = false
      void closed.then(() => {
        ended = true
      })
      while (!log.some((line) => pattern.test(line))) {
        if (ended) throw new Error(`The action ended without a line like ${pattern}:\n${log.join('\n')}`)
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    },
  }
}

function summaryDropped(summary: string): Annotation {
  const kb = Math.round(Buffer.byteLength(summary) / 1024)
  const message = `$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of 1024k, got ${kb}k.`
  return { kind: 'error', title: '', message, properties: {} }
}

async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort()
}
