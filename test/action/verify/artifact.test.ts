import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Artifacts, startArtifacts } from '../../doubles/artifacts/artifacts.ts'
import { type GithubRest, startGithubRest } from '../../doubles/github/github.ts'
import { startSanity } from '../../doubles/sanity/sanity.ts'
import { addMany } from '../backup/assets/support.ts'
import { type BackupOptions, backUp, readSnapshot, threeDocuments } from '../support.ts'
import { ground, onlyIn, verifyWith } from './support.ts'

let artifacts: Artifacts
let github: GithubRest

beforeAll(async () => {
  artifacts = await startArtifacts()
  github = await startGithubRest({ artifacts })
})

afterAll(async () => {
  await github[Symbol.asyncDispose]()
  await artifacts[Symbol.asyncDispose]()
})

type Night = BackupOptions & { readonly dataset: string; readonly documents?: number; readonly runId?: string }

/** A backup into an artifact of a workflow run; gives what the run said. */
async function night({ dataset, documents = 3, runId, inputs, ...options }: Night) {
  await using sanity = await startSanity({ documents: threeDocuments.slice(0, documents), dataset })
  const workflow = artifacts.newRun(runId)
  await using run = await backUp({ sanity, github, artifacts, run: workflow }, { ...options, inputs: { dataset, ...inputs } })
  expect(run.exitCode).toBe(0)
  return { snapshot: run.outputs['snapshot'] ?? '', runId: workflow.runId, id: Number(run.outputs['artifact-id']) }
}

const source = (dataset: string) => ({ 'project-id': 'abc12345', dataset })
async function verify(inputs: Readonly<Record<string, string>>) {
  const run = await verifyWith({ inputs, env: github.env })
  // What a verification may ask for is more than what a backup may.
  github.reset()
  return run
}

describe('of several artifacts', () => {
  let first: Awaited<ReturnType<typeof night>>
  let second: Awaited<ReturnType<typeof night>>

  beforeAll(async () => {
    first = await night({ dataset: 'several', documents: 2 })
    second = await night({ dataset: 'several' })
  })

  it('the newest is verified, and the summary says where it lies and until when', async () => {
    await using run = await verify(source('several'))
    expect(run.error).toBeUndefined()
    expect(run.outputs).toMatchObject({ status: 'verified', snapshot: second.snapshot, 'document-count': '3' })
    expect(run.summary).toMatch(/^\| Kept until \| \d{4}-/m)
    expect(run.log).toContain(`The snapshot is ${second.snapshot}`)
  })

  it('the one of a run is verified', async () => {
    await using run = await verify({ ...source('several'), 'run-id': first.runId })
    expect(run.outputs).toMatchObject({ status: 'verified', snapshot: first.snapshot, 'document-count': '2' })
  })

  it('the newest that is not later than a time is verified', async () => {
    const [, day, clock] = /-(\d{8})T(\d{6})Z/.exec(first.snapshot) ?? []
    const at = `${day?.replace(/(....)(..)(..)/, '$1-$2-$3')}T${clock?.replace(/(..)(..)(..)/, '$1:$2:$3')}Z`
    await using run = await verify({ ...source('several'), at })
    expect(run.outputs).toMatchObject({ status: 'verified', snapshot: first.snapshot })
  })

  it('none is old enough for a time long ago', async () => {
    await using run = await verify({ ...source('several'), at: '2020-01-01' })
    expect(run.code).toBe('snapshot-missing')
  })

  it('none is of a name that nothing has', async () => {
    await using run = await verify({ 'artifact-name': 'something-else' })
    expect(run.code).toBe('snapshot-missing')
  })
})

it('level structure fetches names and sizes, and none of the data', async () => {
  await night({ dataset: 'structure' })
  artifacts.reset()
  await using run = await verify({ ...source('structure'), level: 'structure' })
  expect(run.outputs).toMatchObject({ status: 'verified', 'document-count': '3' })
  expect(artifacts.blobRequests.every(({ headers }) => headers['range'] !== undefined)).toBe(true)
})

it('the artifact of a fork is passed over', async () => {
  const own = await night({ dataset: 'forked', documents: 2 })
  const theirs = await night({ dataset: 'forked' })
  github.foreign(theirs.id)
  await using run = await verify(source('forked'))
  expect(run.outputs).toMatchObject({ status: 'verified', snapshot: own.snapshot })
})

it('the artifact of a repeated run is found under the name that it has', async () => {
  const first = await night({ dataset: 'repeated', documents: 2 })
  const again = await night({ dataset: 'repeated', runId: first.runId, env: { GITHUB_RUN_ATTEMPT: '2' } })
  await using run = await verify(source('repeated'))
  expect(run.outputs).toMatchObject({ status: 'verified', snapshot: again.snapshot })
})

it('fetch-to leaves the snapshot as it was stored', async () => {
  await night({ dataset: 'fetched', inputs: { compression: 'zstd' } })
  const to = join(ground, 'artifact')
  await using run = await verify({ ...source('fetched'), 'fetch-to': to })
  expect(run.outputs['path']).toBe(await onlyIn(to))
  const { files, lines } = await readSnapshot({ path: to })
  expect({ files, lines: lines.length }).toEqual({ files: ['data.ndjson.zst', 'manifest.json'], lines: 3 })
  await using again = await verifyWith({ inputs: { path: to } })
  expect(again.outputs['status']).toBe('verified')
})

describe('a set of shards', () => {
  beforeAll(async () => {
    await using sanity = await startSanity({ documents: threeDocuments, dataset: 'shards' })
    addMany(sanity, 6)
    const workflow = artifacts.newRun()
    for (const shard of ['1/2', '2/2']) {
      const inputs = { dataset: 'shards', 'include-assets': 'true', shard }
      await using run = await backUp({ sanity, github, artifacts, run: workflow }, { inputs })
      expect(run.exitCode).toBe(0)
    }
  })

  it('is one snapshot, and is left as one that can be verified in its turn', async () => {
    const to = join(ground, 'shards')
    await using run = await verify({ ...source('shards'), 'fetch-to': to })
    expect(run.findings).toEqual([])
    expect(run.outputs).toMatchObject({ status: 'verified', 'asset-count': '6' })
    await using again = await verifyWith({ inputs: { path: to } })
    expect(again.findings).toEqual([])
    expect(again.outputs).toMatchObject({ status: 'verified', 'asset-count': '6', 'document-count': run.outputs['document-count'] })
    expect(again.outputs['snapshot']).not.toContain('-shard-')
  })

  it('of which one is gone has the finding shard-missing', async () => {
    const gone = artifacts.list().find(({ name }) => name === 'sanity-abc12345-shards-shard-2-of-2')
    artifacts.remove(gone?.id ?? 0)
    const to = join(ground, 'lost-shard')
    await using run = await verify({ ...source('shards'), 'fetch-to': to })
    expect(run).toMatchObject({ code: 'verification-failed', outputs: { status: 'findings', path: '' } })
    expect(run.kinds).toContain('shard-missing')
    expect(await readdir(to)).toEqual([])
  })
})
