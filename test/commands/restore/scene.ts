import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { parse } from 'yaml'
import { backup } from '../../../src/commands/backup/backup.ts'
import type { RestoreOutcome } from '../../../src/commands/restore/outcome.ts'
import { restore } from '../../../src/commands/restore/restore.ts'
import { parseInputs } from '../../../src/inputs/inputs.ts'
import { parseRunner } from '../../../src/runner.ts'
import { makeTools, type OpenTools } from '../../../src/tools.ts'
import { type Sanity, type SanityOptions, startSanity } from '../../doubles/sanity/sanity.ts'
import { makeTempFolder, ROOT } from '../../support/process.ts'
import { type ActionYml, inputEnvironment } from '../../support/runner/environment.ts'

/** A dataset, a snapshot of it, and the real functions of a restore in this process. */
export type Scene = AsyncDisposable & {
  readonly sanity: Sanity
  readonly logged: string[]
  /** The waits that were asked for, in milliseconds. None of them lasts. */
  readonly waits: number[]
  /** Makes a snapshot of the dataset as it is. */
  readonly backUp: (inputs?: Readonly<Record<string, string>>) => Promise<void>
  /** Applies the newest snapshot, without a safety snapshot. */
  readonly apply: (inputs?: Readonly<Record<string, string>>, signal?: AbortSignal) => Promise<RestoreOutcome>
  /** The rows of a new plan, as `action id`. */
  readonly plan: (inputs?: Readonly<Record<string, string>>) => Promise<string[]>
}

const doors = {
  backup: parse(await readFile(join(ROOT, 'action.yml'), 'utf8')) as ActionYml,
  restore: parse(await readFile(join(ROOT, 'restore/action.yml'), 'utf8')) as ActionYml,
}

export async function startScene(options: SanityOptions): Promise<Scene> {
  await using stack = new AsyncDisposableStack()
  const sanity = stack.use(await startSanity(options))
  const temp = stack.use(await makeTempFolder('restore'))
  const logged: string[] = []
  const waits: number[] = []
  const env = { RUNNER_TEMP: temp.path, GITHUB_REPOSITORY: 'acme/site' }
  const toolsWith = (signal = new AbortController().signal): OpenTools => {
    const log = (line: string) => void logged.push(line)
    const real = makeTools({
      log: {
        info: log,
        warning: log,
        debug: () => undefined,
        progress: () => undefined,
        fold: async (_title, _stop, work) => await work(),
      },
      clean: (text) => text,
      environment: {},
      signal,
    })
    const wait = async (ms: number, stop: AbortSignal) => {
      stop.throwIfAborted()
      waits.push(ms)
      await setImmediate()
    }
    return { ...real, wait }
  }
  const inputsFor = (door: keyof typeof doors, inputs: Readonly<Record<string, string>>) =>
    parseInputs({ ...env, ...inputEnvironment(doors[door], { inputs, temp: temp.path, githubToken: 'ghs' }) })
  const common = { 'project-id': sanity.project, dataset: sanity.dataset, 'api-host': sanity.url, path: join(temp.path, 'snapshots') }
  const run = async (wanted: Readonly<Record<string, string>>, signal?: AbortSignal) => {
    const tools = toolsWith(signal)
    try {
      const inputs = inputsFor('restore', { ...common, token: sanity.editorToken, ...wanted })
      if (inputs.command !== 'restore') throw new Error('not a restore')
      return await restore(inputs, parseRunner(env), tools)
    } finally {
      await tools.close()
    }
  }
  const owned = stack.move()
  return {
    sanity,
    logged,
    waits,
    backUp: async (wanted = {}) => {
      const tools = toolsWith()
      const inputs = inputsFor('backup', { ...common, token: sanity.token, destination: 'directory', ...wanted })
      if (inputs.command !== 'backup') throw new Error('not a backup')
      const made = await backup(inputs, parseRunner(env), tools)
      await tools.close()
      if (made.kind === 'failed') throw made.error
    },
    apply: async (inputs, signal) => await run({ mode: 'apply', confirm: sanity.dataset, 'safety-snapshot': 'false', ...inputs }, signal),
    plan: async (inputs = {}) => (await run(inputs)).plan.rows.map(({ action, id }) => `${action} ${id}`),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** The documents of a dataset, as 2.4.1 of the contract compares them, by their ids. */
export function contentOf({ sanity }: Pick<Scene, 'sanity'>): Map<string, object> {
  const documents = sanity
    .store()
    .documents()
    .map(({ _rev, _updatedAt, _system, ...content }): [string, object] => [content._id, content])
  return new Map(documents.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
