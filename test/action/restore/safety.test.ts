import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { type ArtifactRun, type Artifacts, startArtifacts } from '../../doubles/artifacts/artifacts.ts'
import { type GithubRest, startGithubRest } from '../../doubles/github/github.ts'
import { type Sanity, startSanity } from '../../doubles/sanity/sanity.ts'
import { makeTempFolder } from '../../support/process.ts'
import { backUp, readSnapshot } from '../support.ts'
import { verifyWith } from '../verify/support.ts'
import { restoreInto } from './support.ts'

const at = '2026-01-01T00:00:00Z'
const post = (id: string, more: object = {}) => ({ _id: id, _type: 'post', _createdAt: at, _updatedAt: at, _rev: `r-${id}`, ...more })

let artifacts: Artifacts
let github: GithubRest
let sanity: Sanity
let temp: Awaited<ReturnType<typeof makeTempFolder>>

beforeAll(async () => {
  artifacts = await startArtifacts()
  github = await startGithubRest({ artifacts })
  temp = await makeTempFolder('safety')
})

afterAll(async () => {
  for (const each of [github, artifacts, temp]) await each[Symbol.asyncDispose]()
})

const name = 'sanity-abc12345-production-pre-restore'
const apply = { mode: 'apply', confirm: 'production' }
const envOf = (run: ArtifactRun, more: Record<string, string> = {}) => ({ ...github.env, ...run.env, ...more })
const idsIn = () =>
  sanity
    .store()
    .documents()
    .map(({ _id }) => _id)
    .sort()

describe('a night, a spoiled dataset, and back', () => {
  let night: ArtifactRun
  let rescue: ArtifactRun
  let before: string[]

  beforeAll(async () => {
    sanity = await startSanity({
      documents: [post('a'), post('b', { next: { _type: 'reference', _ref: 'a' } }), post('secrets.key', { key: 'x' })],
    })
    night = artifacts.newRun()
    await using backup = await backUp({ sanity, github, artifacts, run: night })
    expect(backup.code).toBeUndefined()
    await sanity.edit([{ patch: { id: 'a', set: { title: 'Spoiled' } } }, { delete: { id: 'b' } }, { create: post('c') }])
    before = sanity
      .store()
      .documents()
      .map((document) => JSON.stringify(document))
      .sort()
    github.reset()
    artifacts.reset()
    sanity.reset()
  })

  afterAll(async () => await sanity[Symbol.asyncDispose]())

  it('a plan takes the newest artifact of the target, and stores nothing', async () => {
    await using run = await restoreInto({ sanity }, { inputs: { token: sanity.token }, env: envOf(artifacts.newRun()) })
    expect(run.error).toBeUndefined()
    expect(run.outputs).toMatchObject({ status: 'planned', 'create-count': '1', 'replace-count': '1', 'safety-artifact': '', journal: '' })
    expect(artifacts.count('CreateArtifact')).toBe(0)
  })

  it('a token that may only read is refused in words of writing, before anything is stored', async () => {
    sanity.reset()
    await using run = await restoreInto({ sanity }, { inputs: { token: sanity.token, ...apply }, env: envOf(artifacts.newRun()) })
    expect(run.code).toBe('sanity-forbidden')
    expect(`${run.error?.title} ${run.error?.message}`).toMatch(/create|write/)
    expect(artifacts.count('CreateArtifact')).toBe(0)
    expect(sanity.of('mutate').every(({ query }) => query['dryRun'] === 'true')).toBe(true)
    expect(run.outputs['plan-digest']).toMatch(/^sha256:/)
  })

  it('the target as it was is stored and read back before the first write', async () => {
    sanity.reset()
    artifacts.reset()
    rescue = artifacts.newRun()
    const readBack: number[] = []
    sanity.meanwhile(
      'mutate',
      () => void readBack.push(artifacts.list(rescue.runId).length, artifacts.blobRequests.filter(({ method }) => method === 'GET').length),
      { times: 99 },
    )
    await using run = await restoreInto({ sanity }, { inputs: apply, env: envOf(rescue) })
    expect(run.error).toBeUndefined()
    expect(run.outputs).toMatchObject({ status: 'restored', 'safety-artifact': name })
    const firstWrite = sanity.of('mutate').findIndex(({ query }) => query['dryRun'] !== 'true')
    expect(readBack[firstWrite * 2]).toBe(1)
    expect(readBack[firstWrite * 2 + 1]).toBeGreaterThan(0)
    expect(run.summary).toContain(`artifact-name: ${name}`)
    expect(idsIn()).toEqual(['a', 'b', 'c', 'secrets.key'])
    expect(artifacts.list(rescue.runId).map(({ name: stored }) => stored)).toContain('sanity-abc12345-production-restore')
  })

  it('it holds what the plan did not touch, too, but not what the night had left out, and verifies', async () => {
    const to = join(temp.path, 'fetched')
    await using run = await verifyWith({ inputs: { 'artifact-name': name, 'fetch-to': to }, env: github.env })
    expect(run.findings.filter(({ severity }) => severity === 'error')).toEqual([])
    expect(run.outputs).toMatchObject({ status: 'verified', 'document-count': '2' })
    const { manifest, lines } = await readSnapshot({ path: to })
    expect(manifest).toMatchObject({ label: 'pre-restore', access: { fullRead: true } })
    expect(lines.toSorted()).toEqual(before.filter((line) => !line.includes('secrets.key')))
  })

  it('nothing is stored where nothing is to be done', async () => {
    artifacts.reset()
    await using run = await restoreInto(
      { sanity },
      { inputs: { ...apply, 'artifact-name': 'sanity-abc12345-production' }, env: envOf(artifacts.newRun()) },
    )
    expect(run.outputs).toMatchObject({ status: 'unchanged', 'safety-artifact': '', 'unchanged-count': '2' })
    expect(artifacts.count('CreateArtifact')).toBe(0)
  })

  it('is never put in the place of another one of the same workflow run', async () => {
    sanity.reset()
    const inputs = { ...apply, 'artifact-name': name, mirror: 'true' }
    await using run = await restoreInto({ sanity }, { inputs, env: envOf(rescue) })
    expect(run.code).toBe('artifact-name-taken')
    expect(run.error?.message).toContain('so nothing was written')
    expect(run.error?.message).toContain('`safety-snapshot: false`')
    expect(run.error?.message).not.toContain('`label`')
    expect(sanity.of('mutate').every(({ query }) => query['dryRun'] === 'true')).toBe(true)
  })

  it('restored as a mirror, in the second attempt of the same workflow run, it gives the state before', async () => {
    const env = envOf(rescue, { GITHUB_RUN_ATTEMPT: '2' })
    await using run = await restoreInto({ sanity }, { inputs: { ...apply, 'artifact-name': name, mirror: 'true' }, env })
    expect(run.error).toBeUndefined()
    expect(run.outputs).toMatchObject({ status: 'restored', 'safety-artifact': `${name}-attempt-2`, 'delete-count': '1' })
    const known = (document: object) => JSON.stringify({ ...document, _rev: '', _updatedAt: '' })
    expect(sanity.store().documents().map(known).sort()).toEqual(before.map((line) => known(JSON.parse(line) as object)).sort())
    expect(sanity.store().find('secrets.key')?.['_rev']).toBe('r-secrets.key')
  })
})

describe('a safety snapshot', () => {
  let publicGithub: GithubRest
  let snapshot: string

  beforeAll(async () => {
    publicGithub = await startGithubRest({ artifacts, visibility: 'public' })
    snapshot = join(temp.path, 'snapshot')
    await using of = await startSanity({ documents: [post('a')] })
    await using backup = await backUp({ sanity: of }, { path: snapshot })
    expect(backup.code).toBeUndefined()
  })

  beforeEach(async () => {
    sanity = await startSanity()
  })

  afterAll(async () => await publicGithub[Symbol.asyncDispose]())

  it('is refused in the clear by a public repository, before anything is read or written', async () => {
    const env = { ...publicGithub.env, ...artifacts.newRun().env }
    await using run = await restoreInto({ sanity }, { inputs: { ...apply, path: snapshot }, env, event: {} })
    expect(run.code).toBe('public-repository')
    expect(run.error?.message).toMatch(/safety-snapshot|encrypt-to/)
    expect(sanity.requests).toEqual([])
    await sanity[Symbol.asyncDispose]()
  })

  it('of an empty dataset, encrypted, is stored in a public repository', async () => {
    const identity = execFileSync(process.execPath, [
      '--input-type=module',
      '-e',
      "import {generateIdentity,identityToRecipient} from 'age-encryption';const i=await generateIdentity();console.log(i, await identityToRecipient(i))",
    ])
      .toString()
      .trim()
    const [, recipient = ''] = identity.split(' ')
    const run1 = artifacts.newRun()
    const env = { ...publicGithub.env, ...run1.env }
    await using run = await restoreInto({ sanity }, { inputs: { ...apply, path: snapshot, 'encrypt-to': recipient }, env, event: {} })
    expect(run.error).toBeUndefined()
    expect(run.outputs).toMatchObject({ status: 'restored', 'create-count': '1', 'safety-artifact': name })
    await using look = await verifyWith({
      inputs: { 'artifact-name': name, 'run-id': run1.runId, level: 'structure' },
      env: publicGithub.env,
    })
    expect(look.outputs).toMatchObject({ status: 'verified', 'document-count': '0' })
    await sanity[Symbol.asyncDispose]()
  })
})
