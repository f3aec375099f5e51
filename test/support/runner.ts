import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { parse } from 'yaml'
import { makeMask, type RunnerLine, readLine } from './commands.ts'
import { makeTempFolder, ROOT } from './process.ts'

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
  /** Called with each line as it comes, masked as the runner does. */
  readonly onLine?: (line: string) => void
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

type ActionYml = {
  readonly inputs?: Readonly<Record<string, { readonly default?: unknown } | null>>
  readonly outputs?: Readonly<Record<string, unknown>>
  readonly runs: { readonly using: string; readonly main: string }
}

/** How long after SIGINT the runner sends SIGTERM (actions/runner ProcessInvoker.cs). */
export const RUNNER_TERM_MS = 7_500

/** A run that takes longer hangs: less than Jest gives a test, so that the test can say what the run had said. */
const HANG_MS = 280_000

/** Where no service is listening: what the action reaches without a double. */
const NOWHERE = 'http://127.0.0.1:9'

/** PATH of a Linux runner, so that nothing of the developer's machine comes in. */
const RUNNER_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

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

/**
 * Parses GITHUB_OUTPUT, GITHUB_ENV or GITHUB_STATE with the runner's own rules and errors (actions/runner FileCommandManager.cs).
 */
export function parseCommandFile(text: string): Record<string, string> {
  const values: [string, string][] = []
  let rest = text
  while (rest.length > 0) {
    const [line = '', after] = cutLine(rest)
    rest = after ?? ''
    if (line === '') continue
    const equals = line.indexOf('=')
    const heredoc = line.indexOf('<<')
    if (equals >= 0 && (heredoc < 0 || equals < heredoc)) {
      values.push([nameOf(line.slice(0, equals), line), line.slice(equals + 1)])
      continue
    }
    if (heredoc < 0) throw new Error(`Invalid format '${line}'`)
    const name = nameOf(line.slice(0, heredoc), line)
    const delimiter = line.slice(heredoc + 2)
    if (delimiter === '') throw new Error(`Invalid format '${line}'. Delimiter must not be empty`)
    const lines: string[] = []
    for (;;) {
      if (rest === '') throw new Error(`Invalid value. Matching delimiter not found '${delimiter}'`)
      const [next = '', afterNext] = cutLine(rest)
      if (afterNext === undefined) throw new Error('Invalid value. EOF marker missing new line.')
      rest = afterNext
      if (next === delimiter) break
      lines.push(next)
    }
    values.push([name, lines.join('\n')])
  }
  return Object.fromEntries(values)
}

function nameOf(name: string, line: string): string {
  if (name === '') throw new Error(`Invalid format '${line}'. Name must not be empty`)
  return name
}

function cutLine(text: string): [string, string | undefined] {
  const end = text.indexOf('\n')
  return end < 0 ? [text, undefined] : [text.slice(0, end), text.slice(end + 1)]
}

/** Scheduled runs have the repository in their payload since 2022-09-27 (GitHub changelog). */
const DEFAULT_EVENT = {
  schedule: '17 3 * * *',
  repository: { id: 1, name: 'site', full_name: 'acme/site', private: true, visibility: 'private', owner: { login: 'acme' } },
}

function runnerEnvironment(paths: {
  temp: string
  workspace: string
  event: string
  folder: string
  actionFolder: string
}): Record<string, string> {
  return {
    PATH: RUNNER_PATH,
    HOME: paths.folder,
    LANG: 'C.UTF-8',
    CI: 'true',
    GITHUB_ACTION: '__self',
    GITHUB_ACTION_PATH: paths.actionFolder,
    GITHUB_ACTIONS: 'true',
    GITHUB_ACTOR: 'octocat',
    GITHUB_ACTOR_ID: '1',
    GITHUB_API_URL: NOWHERE,
    GITHUB_BASE_REF: '',
    GITHUB_EVENT_NAME: 'schedule',
    GITHUB_EVENT_PATH: paths.event,
    GITHUB_GRAPHQL_URL: `${NOWHERE}/graphql`,
    GITHUB_HEAD_REF: '',
    GITHUB_JOB: 'backup',
    GITHUB_REF: 'refs/heads/main',
    GITHUB_REF_NAME: 'main',
    GITHUB_REF_PROTECTED: 'false',
    GITHUB_REF_TYPE: 'branch',
    GITHUB_REPOSITORY: 'acme/site',
    GITHUB_REPOSITORY_ID: '1',
    GITHUB_REPOSITORY_OWNER: 'acme',
    GITHUB_REPOSITORY_OWNER_ID: '2',
    GITHUB_RETENTION_DAYS: '90',
    GITHUB_RUN_ATTEMPT: '1',
    GITHUB_RUN_ID: '42',
    GITHUB_RUN_NUMBER: '7',
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_SHA: '0123456789abcdef0123456789abcdef01234567',
    GITHUB_TRIGGERING_ACTOR: 'octocat',
    GITHUB_WORKFLOW: 'Backup',
    GITHUB_WORKFLOW_REF: 'acme/site/.github/workflows/backup.yml@refs/heads/main',
    GITHUB_WORKFLOW_SHA: '0123456789abcdef0123456789abcdef01234567',
    GITHUB_WORKSPACE: paths.workspace,
    RUNNER_ARCH: 'X64',
    RUNNER_ENVIRONMENT: 'github-hosted',
    RUNNER_NAME: 'GitHub Actions 1',
    RUNNER_OS: 'Linux',
    RUNNER_TEMP: paths.temp,
    RUNNER_TOOL_CACHE: join(paths.folder, 'tools'),
    RUNNER_WORKSPACE: paths.folder,
    ACTIONS_RESULTS_URL: `${NOWHERE}/`,
    ACTIONS_RUNTIME_URL: `${NOWHERE}/`,
    ACTIONS_RUNTIME_TOKEN: 'e30.e30.none',
  }
}

/** `INPUT_` and the name in upper case, spaces as `_`, hyphens kept (actions/runner Handler.cs). */
function inputEnvironment(
  { inputs: declared = {} }: ActionYml,
  { inputs, temp, githubToken }: { inputs: Readonly<Record<string, string>>; temp: string; githubToken: string },
): Record<string, string> {
  const unexpected = Object.keys(inputs).filter((name) => !(name in declared))
  if (unexpected.length > 0) throw new Error(`Not an input of action.yml: ${unexpected.join(', ')}`)
  const expand = (text: string) => text.replaceAll('${{ runner.temp }}', temp).replaceAll('${{ github.token }}', githubToken)
  return Object.fromEntries(
    Object.entries(declared).map(([name, input]) => {
      const value = inputs[name] ?? String(input?.default ?? '')
      return [`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`, expand(value)]
    }),
  )
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
  const take = (line: string) => {
    log.push(line)
    const read = readLine(line, stopped)
    stopped = read.stopped
    if (read.command) commands.push(read.command)
    if (read.command?.name === 'add-mask') mask.add(read.command.data)
    if (read.shown === undefined) return
    const masked = mask.apply(read.shown)
    shown.push(masked)
    options.onLine?.(masked)
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
