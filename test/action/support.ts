import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { beforeAll, expect } from '@jest/globals'
import { parse } from 'yaml'
import type { PlainManifest } from '../../src/format/manifest/sealed.ts'
import type { ArtifactRun, Artifacts } from '../doubles/artifacts/artifacts.ts'
import type { Git } from '../doubles/git/git.ts'
import type { GithubRest } from '../doubles/github/github.ts'
import { listen, type RecordedRequest, recordRequest } from '../doubles/http.ts'
import type { Sanity } from '../doubles/sanity/sanity.ts'
import { findToken } from '../support/leaks.ts'
import { ROOT } from '../support/process.ts'
import { type Annotation, type RunOptions, type RunResult, runAction } from '../support/runner/runner.ts'

/** The token of the workflow in all runs here. */
const GITHUB_TOKEN = 'ghs_doubleTokenOfTheWorkflow0123456789'

export type Services = {
  readonly sanity: Sanity
  readonly github?: GithubRest
  /** The workflow run in which the backup runs; with it the default destination is the artifact, without it the folder. */
  readonly run?: ArtifactRun
  readonly artifacts?: Artifacts
  /** With it the default destination is the branch. */
  readonly git?: Git
}

/** A finished run that was found to keep the rules that hold for every run. */
export type BackupRun = RunResult & {
  /** The folder that the input `path` names. */
  readonly path: string
  /** Output `error-code`; undefined after a good run. */
  readonly code: string | undefined
  readonly error: Annotation | undefined
  readonly warnings: readonly string[]
  /** Everything that a person or a later step can see, in one text. */
  readonly seen: string
}

export type BackupOptions = RunOptions & { readonly path?: string }

/** Backs up a dataset with the bundle and checks what must hold for every run, good or bad. */
export async function backUp(services: Services, options: BackupOptions = {}): Promise<BackupRun> {
  const { sanity, github, git, run: workflowRun } = services
  const inputs = {
    'project-id': sanity.project,
    token: sanity.token,
    'api-host': sanity.url,
    destination: git ? 'branch' : workflowRun ? 'artifact' : 'directory',
    ...(options.path === undefined ? {} : { path: options.path }),
    ...options.inputs,
  }
  const env = { ...workflowRun?.env, ...github?.env, ...git?.env, ...options.env }
  const there = options.path === undefined ? [] : await readdir(options.path, { recursive: true }).catch(() => [])
  const result = await runAction({ ...options, githubToken: GITHUB_TOKEN, inputs, env })
  const path = options.path ?? join(result.temp, 'sanity-backup')
  const run: BackupRun = {
    ...result,
    path,
    code: result.outputs['error-code'],
    error: result.annotations.find(({ kind }) => kind === 'error'),
    warnings: result.annotations.filter(({ kind }) => kind === 'warning').map(({ message }) => message),
    seen: [result.stdout, result.stderr, result.summary, JSON.stringify(result.outputs)].join('\n'),
  }
  await checkEveryRun(run, services, { inputs, there })
  return run
}

/** `there`: what lay in the folder that `path` names before the run. */
type Setting = { readonly inputs: Readonly<Record<string, string>>; readonly there: readonly string[] }

/** What holds for every run, whatever happened in it. */
async function checkEveryRun(run: BackupRun, { sanity, github }: Services, { inputs, there }: Setting): Promise<void> {
  const { exitCode, signal, timedOut, stderr, outputs, annotations } = run
  expect({ signal, timedOut, stderr }).toEqual({ signal: null, timedOut: false, stderr: '' })

  const errors = annotations.filter(({ kind }) => kind === 'error')
  const failed = exitCode !== 0
  expect({ exitCode, errors: errors.length }).toEqual({ exitCode: failed ? exitCodeOf(outputs['error-code']) : 0, errors: failed ? 1 : 0 })
  expect(errors.filter(({ title, message }) => title === '' || !/.\nHint: \S/s.test(message))).toEqual([])
  const inLog = run.log.split('\n')
  expect(errors.filter(({ title }) => !inLog.some((line) => line.startsWith(`${title} (`) && /\([a-z-]+\)$/.test(line)))).toEqual([])
  expect(Object.keys(outputs).filter((name) => !declaredOutputs.has(name))).toEqual([])
  // Whatever text came from outside, the runner carries out nothing else.
  expect(run.commands.filter(({ name, data }) => !isOurs(name, data)).map(({ name }) => name)).toEqual([])

  const left = await run.filesLeft()
  const inPath = (await run.filesLeft(run.path)).filter((file) => !there.includes(file))
  const all = [...left, ...inPath, ...(await run.filesLeft(run.workspace))]
  expect(all.filter((file) => file.includes('.partial'))).toEqual([])
  expect(left.filter((file) => !join(run.temp, file).startsWith(`${run.path}/`))).toEqual([])
  // Where one destination failed and the folder did not, the folder stays.
  expect(failed && outputs['path'] === undefined ? inPath : []).toEqual([])
  await checkLeaks(run, sanity.token, inputs)

  const asked = inputs['include-assets'] === 'true' ? /^(export|query|acl|asset)$/ : /^(export|query|acl)$/
  expect(sanity.requests.filter(({ route }) => !asked.test(route)).map(({ path }) => path)).toEqual([])
  expect(github?.requests.filter(({ route }) => !/^(repository|artifacts|zip)$/.test(route)).map(({ path }) => path) ?? []).toEqual([])
}

const exitCodeOf = (code: string | undefined): number => (code === 'cancelled' ? 130 : 1)

const action = parse(await readFile(join(ROOT, 'action.yml'), 'utf8')) as { outputs: Record<string, unknown> }
const declaredOutputs = new Set(Object.keys(action.outputs))

/** Looks for the secrets of a run everywhere; only the data file may hold a token, if a document does. */
export async function checkLeaks(
  run: RunResult & { readonly path: string },
  token: string,
  inputs: Readonly<Record<string, string>> = {},
): Promise<void> {
  const files = (await run.filesLeft(run.path)).filter((file) => !/(^|\/)data\.ndjson\./.test(file))
  const contents = await Promise.all(files.map(async (file) => [file, await readFile(join(run.path, file))] as const))
  const texts = {
    ...Object.fromEntries(contents),
    stdout: run.stdout,
    stderr: run.stderr,
    summary: run.summary,
    outputs: JSON.stringify(run.outputs),
    'outputs, as they are': Object.values(run.outputs).join('\n'),
    environment: JSON.stringify([run.exportedEnv, run.state]),
    names: JSON.stringify(files),
  }
  const heartbeat = /[^/?]{8,}$/.exec(inputs['heartbeat-url'] ?? '')?.[0]
  const tokens = [token, GITHUB_TOKEN, (inputs['token'] ?? '').trim(), heartbeat ?? ''].filter((secret) => secret.length >= 8)
  expect([...new Set(tokens)].flatMap((secret) => findToken(secret, texts))).toEqual([])
  if (inputs['token']) expect(run.log.split('\n')[0]).toMatch(/^::add-mask::/)
}

/** What a failure looks like, to be compared in one go. */
export function failureOf({ exitCode, code, error }: BackupRun): {
  exitCode: number | null
  code: string | undefined
  title: string
  message: string
} {
  return { exitCode, code, title: error?.title ?? '', message: error?.message ?? '' }
}

export type Snapshot = {
  readonly folder: string
  readonly files: readonly string[]
  readonly manifest: PlainManifest
  /** The data file as it is stored; empty if there is none. */
  readonly stored: Buffer
  /** Its content. */
  readonly data: Buffer
  readonly lines: readonly string[]
}

/** Reads the one snapshot in the folder that `path` names. */
export async function readSnapshot({ path }: { readonly path: string }): Promise<Snapshot> {
  const folders = await readdir(path)
  expect(folders).toHaveLength(1)
  const folder = join(path, folders[0] ?? '')
  const files = (await readdir(folder)).sort()
  const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as PlainManifest
  const name = files.find((file) => file.startsWith('data.ndjson.'))
  const stored = name === undefined ? Buffer.alloc(0) : await readFile(join(folder, name))
  const data = name === undefined ? stored : name.endsWith('.zst') ? zstdDecompressSync(stored) : gunzipSync(stored)
  return { folder, files, manifest, stored, data, lines: data.toString('utf8').split('\n').slice(0, -1) }
}

export const sha256 = (bytes: Buffer | string): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

/** Contract, section 3: the sum modulo 2^256 of the SHA-256 of each line. */
export function sumSha256(lines: readonly (Buffer | string)[]): string {
  const sum = lines.reduce((total, line) => total + BigInt(`0x${createHash('sha256').update(line).digest('hex')}`), 0n)
  return `sumsha256:${(sum % 2n ** 256n).toString(16).padStart(64, '0')}`
}

/** A server that nobody should ask; it answers 200 and remembers who did. */
export async function startHoneypot(): Promise<AsyncDisposable & { readonly url: string; readonly requests: readonly RecordedRequest[] }> {
  const requests: RecordedRequest[] = []
  const server = await listen((request, response, url) => {
    requests.push(recordRequest(request, url))
    response.end()
  })
  return { url: server.url, requests, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

/** Three documents: enough for a beginning, a middle and an end. */
export const threeDocuments = [
  { _id: 'a', _type: 'post', title: 'First' },
  { _id: 'b', _type: 'post', title: 'Second' },
  { _id: 'c', _type: 'author', name: 'Third' },
] as const

export const threeLines: readonly string[] = threeDocuments.map((document) => JSON.stringify(document))

/**
 * Starts the runs of all rows at once when the file begins, since they mostly wait; a test awaits the one of its row. (Of concurrent tests Jest
 * keeps only five going.)
 */
export function together<Row extends { readonly name: string }, Result>(
  rows: readonly Row[],
  start: (row: Row) => Promise<Result>,
): (name: string) => Promise<Result> {
  const started = new Map<string, Promise<Result>>()
  beforeAll(() => {
    for (const row of rows) {
      const result = start(row)
      // Whoever awaits it sees the failure.
      result.catch(() => undefined)
      started.set(row.name, result)
    }
  })
  return async (name) => {
    const result = started.get(name)
    if (!result) throw new Error(`No run has been started for "${name}"`)
    return await result
  }
}

/** The commands of a run: each group is one in which GitHub's artifact client is folded away. */
function isOurs(name: string, title: string): boolean {
  if (name === 'group') return /^What GitHub's artifact client says of the (upload|download)$/.test(title)
  return /^(add-mask|error|warning|debug|endgroup)$/.test(name)
}
