import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from '@jest/globals'
import { parse } from 'yaml'
import type { Sanity } from '../../doubles/sanity/sanity.ts'
import { findToken } from '../../support/leaks.ts'
import { ROOT } from '../../support/process.ts'
import { type Annotation, type RunOptions, type RunResult, runAction } from '../../support/runner/runner.ts'

const GITHUB_TOKEN = 'ghs_doubleTokenOfTheWorkflow0123456789'

/** A row of a plan's file. */
type PlanRow = { readonly action: string; readonly id: string; readonly type: string; readonly reason?: string }

/** A finished restore that was found to keep the rules that hold for every one. */
export type RestoreRun = RunResult & {
  readonly code: string | undefined
  readonly error: Annotation | undefined
  readonly warnings: readonly string[]
  /** The rows of the plan; empty without one. */
  readonly plan: readonly PlanRow[]
  readonly journal: readonly { readonly transactionId: string; readonly ids: readonly string[] }[]
}

type Into = { readonly sanity: Sanity; readonly dataset?: string; readonly project?: string }

const action = parse(await readFile(join(ROOT, 'restore/action.yml'), 'utf8')) as { outputs: Record<string, unknown> }

/** Restores with the bundle, as the runner would, and checks what must hold for every run, good or bad. */
export async function restoreInto({ sanity, dataset, project }: Into, options: RunOptions = {}): Promise<RestoreRun> {
  const inputs = {
    'project-id': project ?? sanity.project,
    dataset: dataset ?? sanity.dataset,
    token: sanity.editorToken,
    'api-host': sanity.url,
    ...options.inputs,
  }
  // Without a service for artifacts, a run does not wait for one.
  const env = { ACTIONS_RUNTIME_TOKEN: '', ...options.env }
  const result = await runAction({ githubToken: GITHUB_TOKEN, ...options, env, inputs, action: 'restore' })
  const { exitCode, signal, timedOut, stderr, outputs, annotations } = result
  expect({ signal, timedOut, stderr }).toEqual({ signal: null, timedOut: false, stderr: '' })
  const errors = annotations.filter(({ kind }) => kind === 'error')
  const code = outputs['error-code']
  const expected = code === undefined ? 0 : code === 'cancelled' ? 130 : 1
  expect({ exitCode, errors: errors.length, code, said: errors.map(({ message }) => message) }).toMatchObject({
    exitCode: expected,
    errors: code === undefined ? 0 : 1,
  })
  expect(errors.filter(({ title, message }) => title === '' || !/.\nHint: \S/s.test(message))).toEqual([])
  expect(Object.keys(outputs).filter((name) => !(name in action.outputs))).toEqual([])
  expect(result.commands.map(({ name }) => name).filter((name) => !/^(add-mask|error|warning|debug|group|endgroup)$/.test(name))).toEqual(
    [],
  )
  expect((await result.filesLeft()).filter((file) => file.includes('.partial') || !/^sanity-restore-/.test(file))).toEqual([])
  const files = { plan: await textOf(outputs['plan']), journal: await textOf(outputs['journal']) }
  const texts = { stdout: result.stdout, summary: result.summary, outputs: JSON.stringify(outputs), ...files }
  expect([inputs.token, GITHUB_TOKEN].flatMap((token) => findToken(token, texts))).toEqual([])
  return {
    ...result,
    code,
    error: errors[0],
    warnings: annotations.filter(({ kind }) => kind === 'warning').map(({ message }) => message),
    plan: linesOf(files.plan) as PlanRow[],
    journal: linesOf(files.journal) as RestoreRun['journal'],
  }
}

/** The inputs of an `apply`, without a safety snapshot: that needs an artifact service. */
export const applying = (dataset = 'production') => ({ mode: 'apply', confirm: dataset, 'safety-snapshot': 'false' })

async function textOf(path: string | undefined): Promise<string> {
  return path ? await readFile(path, 'utf8') : ''
}

function linesOf(text: string): unknown[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown)
}
