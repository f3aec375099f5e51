import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { Artifacts } from '../doubles/artifacts/artifacts.ts'
import type { GithubRest } from '../doubles/github/github.ts'
import type { Sanity } from '../doubles/sanity/sanity.ts'
import { makeTempFolder } from './process.ts'
import { runAction } from './runner/runner.ts'

/** What a workflow of the pages runs on. */
export type Stage = {
  readonly sanity: Sanity
  readonly artifacts: Artifacts
  readonly rest: GithubRest
  /** Secrets of the repository. */
  readonly secrets?: Readonly<Record<string, string>>
  /** Secrets of environments, which only their jobs get. */
  readonly environments?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Inputs of `workflow_dispatch`; those that are not given have their defaults. */
  readonly inputs?: Readonly<Record<string, string | boolean>>
  /** Programs that stand in for others, by their names, as scripts of bash. `$CALLS` names a file for what they were called with. */
  readonly programs?: Readonly<Record<string, string>>
  /** Called before a job begins. */
  readonly onJob?: (job: string) => Promise<unknown>
}

type JobResult = {
  result: 'success' | 'failure' | 'skipped'
  readonly outputs: Record<string, string>
  summary: string
  /** What its steps of the action gave, one after the other. */
  readonly runs: Readonly<Record<string, string>>[]
}

/** How a workflow ended: its jobs by their names, and what the programs that stood in were called with, a line each. */
export type WorkflowResult = { readonly jobs: Readonly<Record<string, JobResult>>; readonly calls: readonly string[] }

type Step = {
  readonly id?: string
  readonly if?: string | boolean
  readonly uses?: string
  readonly run?: string
  readonly with?: Readonly<Record<string, unknown>>
  readonly env?: Readonly<Record<string, unknown>>
}
type Job = {
  readonly needs?: string | readonly string[]
  readonly if?: string | boolean
  readonly environment?: string
  readonly outputs?: Readonly<Record<string, string>>
  readonly steps: readonly Step[]
}
type Workflow = {
  readonly on: {
    readonly workflow_dispatch?: { readonly inputs?: Readonly<Record<string, { readonly default?: string | boolean }>> } | null
  }
  readonly jobs: Readonly<Record<string, Job>>
}

/** Runs a workflow as GitHub would, as far as the pages need it: jobs one after the other, our actions from the bundle, other actions not at all. */
export async function runWorkflow(text: string, stage: Stage): Promise<WorkflowResult> {
  const workflow = parse(text) as Workflow
  await using temp = await makeTempFolder('workflow')
  const workflowRun = stage.artifacts.newRun()
  const bin = join(temp.path, 'bin')
  const calls = join(temp.path, 'calls')
  await mkdir(bin)
  await writeFile(calls, '')
  for (const [name, script] of Object.entries(stage.programs ?? {})) {
    await writeFile(join(bin, name), `#!/bin/bash\necho "${name} $*" >> "$CALLS"\n${script}\n`)
    await chmod(join(bin, name), 0o755)
  }
  const defaults = Object.entries(workflow.on.workflow_dispatch?.inputs ?? {}).map(([name, input]) => [name, input.default ?? ''])
  const common: Scope = {
    inputs: { ...Object.fromEntries(defaults), ...stage.inputs },
    github: {
      run_id: workflowRun.runId,
      run_attempt: '1',
      repository: 'acme/site',
      server_url: 'https://github.com',
      token: 'ghs_doubleTokenOfTheWorkflow0123456789',
    },
  }
  const jobs: Record<string, JobResult> = {}
  for (const [name, job] of Object.entries(workflow.jobs)) {
    const needs = [job.needs ?? []].flat()
    const scope: Scope = {
      ...common,
      needs: Object.fromEntries(needs.map((need) => [need, jobs[need] ?? {}])),
      secrets: { ...stage.secrets, ...(job.environment === undefined ? {} : stage.environments?.[job.environment]) },
      steps: {},
    }
    const failed = needs.some((need) => jobs[need]?.result !== 'success')
    const ended: JobResult = { result: 'skipped', outputs: {}, summary: '', runs: [] }
    jobs[name] = ended
    if (!applies(job.if, scope, failed)) continue
    await stage.onJob?.(name)
    await runJob(job, ended, { stage, scope, bin, calls, folder: temp.path, env: { ...workflowRun.env, ...stage.rest.env } })
  }
  return { jobs, calls: await linesIn(calls) }
}

type Place = {
  readonly stage: Stage
  readonly scope: Scope
  readonly bin: string
  readonly calls: string
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
}

async function runJob(job: Job, ended: JobResult, place: Place): Promise<void> {
  ended.result = 'success'
  for (const step of job.steps) {
    if (!applies(step.if, place.scope, ended.result === 'failure')) continue
    const { outputs, ok, summary } = await runStep(step, place)
    ended.summary += summary
    if (step.uses !== undefined) ended.runs.push(outputs)
    if (!ok) ended.result = 'failure'
    const steps = place.scope['steps'] as Record<string, object>
    if (step.id !== undefined) steps[step.id] = { outputs, outcome: ok ? 'success' : 'failure' }
  }
  for (const [name, value] of Object.entries(job.outputs ?? {})) ended.outputs[name] = filled(value, place.scope)
}

type Ended = { readonly outputs: Readonly<Record<string, string>>; readonly ok: boolean; readonly summary: string }

async function runStep(step: Step, { stage, scope, bin, calls, folder, env }: Place): Promise<Ended> {
  const values = (of: Readonly<Record<string, unknown>> = {}) =>
    Object.fromEntries(Object.entries(of).map(([name, value]) => [name, filled(String(value), scope)]))
  const [, door] = /^OWNER\/sanity-backup(?:\/(\w+))?@v1$/.exec(step.uses ?? '') ?? [undefined, null]
  if (door !== null) {
    const inputs = { ...values(step.with), ...(door === 'verify' ? {} : { 'api-host': stage.sanity.url }) }
    await using run = await runAction({ action: door ?? '.', inputs, env: { ...env, ...values(step.env) } })
    return { outputs: run.outputs, ok: run.exitCode === 0, summary: run.summary }
  }
  if (step.run === undefined) return { outputs: {}, ok: true, summary: '' }
  const child = spawn('bash', ['-e', '-c', step.run], {
    cwd: folder,
    env: { PATH: `${bin}:/usr/bin:/bin`, CALLS: calls, ...values(step.env) },
    stdio: 'ignore',
  })
  const [status] = (await once(child, 'close')) as [number | null]
  return { outputs: {}, ok: status === 0, summary: '' }
}

/** Values by the names of contexts, as expressions see them. */
type Scope = Record<string, unknown>

function applies(condition: Step['if'], scope: Scope, failed: boolean): boolean {
  const text = String(condition ?? '').replace(/^\$\{\{(.*)\}\}$/s, '$1')
  if (text === '') return !failed
  const asks = /\b(always|failure|success|cancelled)\(\)/.test(text)
  const state = { always: true, failure: failed, success: !failed, cancelled: false }
  return (asks || !failed) && isTruthy(evaluate(text, { ...scope, ...state }))
}

function filled(text: string, scope: Scope): string {
  return text.replaceAll(/\$\{\{(.*?)\}\}/g, (_, expression: string) => String(evaluate(expression, scope) ?? ''))
}

/** Of GitHub's expressions, those that the pages use: contexts, texts, `==`, `!`, `&&`, `||`. */
function evaluate(text: string, scope: Scope): unknown {
  for (const operator of ['||', '&&'] as const) {
    const [left = '', ...rest] = text.split(operator)
    if (rest.length === 0) continue
    const first = evaluate(left, scope)
    const isDecided = isTruthy(first) === (operator === '||')
    return isDecided ? first : evaluate(rest.join(operator), scope)
  }
  const [left = '', right] = text.split('==')
  if (right !== undefined) return String(evaluate(left, scope)) === String(evaluate(right, scope))
  const word = text.trim().replace(/\(\)$/, '')
  if (word.startsWith('!')) return !isTruthy(evaluate(word.slice(1), scope))
  const quoted = /^'(.*)'$/.exec(word)
  if (quoted) return quoted[1]
  if (!/^[a-z][\w.-]*$/.test(word)) throw new Error(`This is not an expression that the pages use: ${text}`)
  return word.split('.').reduce<unknown>((value, key) => (value as Scope | undefined)?.[key], scope)
}

function isTruthy(value: unknown): boolean {
  return value !== undefined && value !== false && value !== ''
}

async function linesIn(file: string): Promise<string[]> {
  return (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '')
}
