import { cp, mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from '@jest/globals'
import { parse } from 'yaml'
import { findToken } from '../../support/leaks.ts'
import { makeTempFolder, ROOT } from '../../support/process.ts'
import { type Annotation, type RunOptions, type RunResult, runAction } from '../../support/runner/runner.ts'

const GITHUB_TOKEN = 'ghs_doubleTokenOfTheWorkflow0123456789'

type ActionFinding = { readonly kind: string; readonly severity: 'error' | 'warning'; readonly message: string; readonly path?: string }

/** A finished verification that was found to keep the rules that hold for every one. */
export type VerifyRun = RunResult & {
  readonly code: string | undefined
  readonly error: Annotation | undefined
  readonly warnings: readonly string[]
  readonly findings: readonly ActionFinding[]
  /** The kinds of the findings, each once. */
  readonly kinds: readonly string[]
}

const action = parse(await readFile(join(ROOT, 'verify/action.yml'), 'utf8')) as { outputs: Record<string, unknown> }

/** Verifies with the bundle, as the runner would, and checks what must hold for every run, good or bad. */
export async function verifyWith(options: RunOptions): Promise<VerifyRun> {
  const result = await runAction({ githubToken: GITHUB_TOKEN, ...options, action: 'verify' })
  const { exitCode, signal, timedOut, stderr, outputs, annotations } = result
  expect({ signal, timedOut, stderr }).toEqual({ signal: null, timedOut: false, stderr: '' })
  const errors = annotations.filter(({ kind }) => kind === 'error')
  expect({ exitCode, errors: errors.length }).toEqual(outputs['error-code'] ? { exitCode: 1, errors: 1 } : { exitCode: 0, errors: 0 })
  expect(errors.filter(({ title, message }) => title === '' || !/.\nHint: \S/s.test(message))).toEqual([])
  expect(Object.keys(outputs).filter((name) => !(name in action.outputs))).toEqual([])
  expect(result.commands.map(({ name }) => name).filter((name) => !/^(add-mask|error|warning|debug)$/.test(name))).toEqual([])
  expect((await result.filesLeft()).filter((file) => file.includes('.partial'))).toEqual([])
  const texts = { stdout: result.stdout, summary: result.summary, outputs: JSON.stringify(outputs) }
  expect(findToken(GITHUB_TOKEN, texts)).toEqual([])
  expect(await piecesOfKeys(result, options.inputs?.['identity'] ?? '')).toEqual([])
  const findings = JSON.parse(outputs['findings'] || '[]') as ActionFinding[]
  return {
    ...result,
    code: outputs['error-code'],
    error: errors[0],
    warnings: annotations.filter(({ kind }) => kind === 'warning').map(({ message }) => message),
    findings,
    kinds: [...new Set(findings.map(({ kind }) => kind))],
  }
}

const pieceCharacters = 12

/** Any twelve characters of an identity, in either letter case, in all that a run shows and leaves behind; where they are, not what. */
export async function piecesOfKeys(run: RunResult, identity: string): Promise<string[]> {
  const lines = identity
    .split('\n')
    .map((line) => line.trim().toLowerCase())
    .filter((line) => !line.startsWith('#'))
  const pieces = lines.flatMap((line) =>
    Array.from({ length: Math.max(0, line.length - pieceCharacters + 1) }, (_, at) => line.slice(at, at + pieceCharacters)),
  )
  if (pieces.length === 0) return []
  const files = (await run.filesLeft()).map((file) => join(run.temp, file))
  const to = run.outputs['path'] ?? ''
  if (to !== '') files.push(...(await run.filesLeft(to)).map((file) => join(to, file)))
  const texts: [string, string][] = [
    ['stdout', run.stdout.replaceAll(/^::add-mask::.*$/gm, '')],
    ['stderr', run.stderr],
    ['summary', run.summary],
    ['outputs', JSON.stringify([run.outputs, run.exportedEnv, run.state])],
    ...(await Promise.all(files.map(async (file) => [file, `${file} ${await readFile(file, 'latin1')}`] as [string, string]))),
  ]
  return texts.filter(([, text]) => pieces.some((piece) => text.toLowerCase().includes(piece))).map(([where]) => where)
}

/** A folder for the tests of a file; it is there from the first test to the last. */
export let ground: string

let made: Awaited<ReturnType<typeof makeTempFolder>>

beforeAll(async () => {
  made = await makeTempFolder('verify')
  ground = made.path
})

afterAll(async () => await made[Symbol.asyncDispose]())

let copies = 0

/** A folder of its own with a copy of a snapshot, to be bent. Gives the path of the copy. */
export async function copyOf(snapshot: string): Promise<string> {
  const folder = join(ground, `copy-${++copies}`, snapshot.split('/').at(-1) ?? '')
  await mkdir(folder, { recursive: true })
  await cp(snapshot, folder, { recursive: true })
  return folder
}

/** The one snapshot in a folder. */
export async function onlyIn(path: string): Promise<string> {
  const names = (await readdir(path)).filter((name) => !name.endsWith('.partial'))
  expect(names).toHaveLength(1)
  return join(path, names[0] ?? '')
}
