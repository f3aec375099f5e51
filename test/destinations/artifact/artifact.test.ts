import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DefaultArtifactClient } from '@actions/artifact'
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { artifactDestination } from '../../../src/destinations/artifact/artifact.ts'
import { artifactReader } from '../../../src/destinations/artifact/read/read.ts'
import { stopwatch } from '../../../src/stopwatch.ts'
import { describeDestination, finishedSnapshot } from '../../contracts/destination.ts'
import { type ArtifactRun, type Artifacts, artifactAnswers, startArtifacts } from '../../doubles/artifacts/artifacts.ts'
import { flipByte } from '../../doubles/artifacts/blob-proxy.ts'
import { startGithubRest } from '../../doubles/github/github.ts'
import { makeClient } from '../../support/ask.ts'
import { rejection } from '../../support/feed.ts'
import { makeTempFolder } from '../../support/process.ts'
import { readZip } from '../../support/zip.ts'

let artifacts: Artifacts
const before = { ...process.env }

beforeAll(async () => {
  // The client prints workflow commands, which a runner that shows this log would carry out.
  jest.spyOn(process.stdout, 'write').mockReturnValue(true)
  artifacts = await startArtifacts()
})

beforeEach(() => artifacts.reset())

afterAll(async () => {
  for (const name of ['ACTIONS_RESULTS_URL', 'ACTIONS_RUNTIME_URL', 'ACTIONS_RUNTIME_TOKEN', 'GITHUB_RUN_ID', 'GITHUB_WORKSPACE'])
    delete process.env[name]
  Object.assign(process.env, before)
  await artifacts[Symbol.asyncDispose]()
  jest.restoreAllMocks()
})

describeDestination('artifact', async ({ signal, temp }) => {
  const run = newRun(temp)
  const client = makeClient()
  const github = await startGithubRest({ artifacts })
  const reader = artifactReader(
    { repository: 'acme/site', name: 'nightly' },
    { apiUrl: github.url, token: 'ghs_unit', http: client.http, wait: async () => undefined, signal },
  )
  return {
    destination: artifactDestination({ ...options({ signal }), reader }),
    next: () => artifactDestination({ ...options({ signal }), reader }),
    fetch: async () => {
      const [stored] = artifacts.list(run.runId)
      return stored && (await unpacked(stored.id, temp))
    },
    damage: async () => artifacts.blobFault({ on: 'download', change: flipByte }),
    [Symbol.asyncDispose]: async () => {
      artifacts.reset()
      for (const { id } of artifacts.list()) artifacts.remove(id)
      await client[Symbol.asyncDispose]()
      await github[Symbol.asyncDispose]()
    },
  }
})

describe('the artifact', () => {
  it('is a zip that holds its files at the root, not compressed again', async () => {
    await using temp = await makeTempFolder('artifact')
    const run = newRun(temp.path)
    await artifactDestination(options({})).store(await finishedSnapshot(temp.path))
    const [stored] = artifacts.list(run.runId)
    const entries = readZip(await artifacts.fetchBytes(stored?.id ?? 0))
    expect(entries.map(({ name, stored: asItIs }) => ({ name, asItIs })).toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual([
      { name: 'data.ndjson.gz', asItIs: true },
      { name: 'manifest.json', asItIs: true },
    ])
  })

  it('leaves no folder behind that it was read back into', async () => {
    await using temp = await makeTempFolder('artifact')
    newRun(temp.path)
    await artifactDestination(options({})).store(await finishedSnapshot(temp.path))
    expect(await readdir(temp.path)).toEqual(['snapshots'])
  })

  it.each([
    { name: 'its own name in the first attempt', runAttempt: 1, outcome: 'artifact-name-taken' },
    { name: 'a name with the attempt in a later one', runAttempt: 3, outcome: 'nightly-attempt-3' },
  ])('whose name is taken in this run wants $name', async ({ runAttempt, outcome }) => {
    await using temp = await makeTempFolder('artifact')
    newRun(temp.path)
    const snapshot = await finishedSnapshot(temp.path)
    await artifactDestination(options({})).store(snapshot)
    const second = artifactDestination(options({ runAttempt })).store(snapshot)
    const told = await second.then(
      (stored) => ('name' in stored ? stored.name : ''),
      (error: { code: string }) => error.code,
    )
    expect(told).toBe(outcome)
  })

  it.each([
    { name: 'a full storage', answer: artifactAnswers.quota, code: 'artifact-quota', says: 'storage quota is used up' },
    { name: 'a missing permission', answer: artifactAnswers.forbidden, code: 'artifact-failed', says: 'write permission required' },
  ])('that cannot be made says why: $name', async ({ answer, code, says }) => {
    await using temp = await makeTempFolder('artifact')
    newRun(temp.path)
    artifacts.fault('CreateArtifact', { answer })
    const error = await rejection(artifactDestination(options({})).store(await finishedSnapshot(temp.path)))
    expect(error).toMatchObject({ code, message: expect.stringContaining(says) })
  })
})

describe('an artifact service whose list is behind, or whose answers are lost', () => {
  const stay = { answer: artifactAnswers.emptyList }

  it.each([
    { name: 'a list that is behind when it is read back', faults: [['ListArtifacts', { ...stay, times: 3 }]] },
    { name: 'a connection that breaks when it is read back', faults: [['GetSignedArtifactURL', { connection: 'reset', times: 2 }]] },
    { name: 'an answer to the finalisation that is lost', faults: [['FinalizeArtifact', { lost: 'reset', times: 1 }]] },
    { name: 'a finalisation that is asked for twice', faults: [['FinalizeArtifact', { lost: artifactAnswers.conflict, times: 1 }]] },
    {
      name: 'a finalisation whose artifact is listed late',
      faults: [
        ['FinalizeArtifact', { lost: artifactAnswers.conflict, times: 1 }],
        ['ListArtifacts', { ...stay, times: 2 }],
      ],
    },
  ] satisfies { name: string; faults: [Parameters<Artifacts['fault']>[0], Parameters<Artifacts['fault']>[1]][] }[])(
    'gets a good backup all the same: $name',
    async ({ faults }) => {
      await using temp = await makeTempFolder('artifact')
      const run = newRun(temp.path)
      for (const [method, fault] of faults) artifacts.fault(method, fault)
      const stored = await artifactDestination(options({})).store(await finishedSnapshot(temp.path))
      expect(stored).toMatchObject({ name: 'nightly', id: artifacts.list(run.runId)[0]?.id })
    },
  )

  it.each([
    { name: 'is taken by a broken connection', lost: 'reset', runAttempt: 1, stored: 'nightly-attempt-1' },
    { name: 'meets the client’s own second try', lost: artifactAnswers.unavailable, runAttempt: 1, stored: 'nightly-attempt-1' },
    { name: 'meets it in a later attempt', lost: artifactAnswers.unavailable, runAttempt: 2, stored: 'nightly-attempt-2' },
  ] as const)(
    'gets it under the name of an attempt when the answer to its creation $name',
    async ({ lost, runAttempt, stored }) => {
      await using temp = await makeTempFolder('artifact')
      const run = newRun(temp.path)
      artifacts.fault('CreateArtifact', { lost, times: 1 })
      await artifactDestination(options({ runAttempt })).store(await finishedSnapshot(temp.path))
      expect(artifacts.list(run.runId).map(({ name }) => name)).toEqual([stored])
    },
    300_000,
  )

  it('does not blame the name when the answer is lost for that of the attempt too', async () => {
    await using temp = await makeTempFolder('artifact')
    newRun(temp.path)
    artifacts.fault('CreateArtifact', { lost: 'reset', times: 1 })
    // The client’s second try under the first name meets the artifact that was made.
    artifacts.fault('CreateArtifact', { answer: artifactAnswers.conflict, times: 1 })
    artifacts.fault('CreateArtifact', { lost: 'reset', times: 1 })
    const error = await rejection(artifactDestination(options({})).store(await finishedSnapshot(temp.path)))
    expect(error).toMatchObject({ code: 'artifact-failed', message: expect.stringContaining('its answer was lost') })
  })

  it('does not call the name taken when the finalisation is refused and nothing turns up', async () => {
    await using temp = await makeTempFolder('artifact')
    newRun(temp.path)
    artifacts.fault('FinalizeArtifact', { answer: artifactAnswers.conflict, times: 1 })
    const error = await rejection(artifactDestination(options({})).store(await finishedSnapshot(temp.path)))
    expect(error).toMatchObject({
      code: 'artifact-failed',
      message: expect.stringContaining('No artifact of that name was seen afterwards'),
      hint: expect.stringContaining('do not trust it'),
    })
  })

  it('removes a damaged one that is listed late', async () => {
    await using temp = await makeTempFolder('artifact')
    const run = newRun(temp.path)
    artifacts.blobFault({ on: 'download', change: flipByte })
    artifacts.fault('ListArtifacts', { ...stay, skip: 1, times: 3 })
    const error = await rejection(artifactDestination(options({})).store(await finishedSnapshot(temp.path)))
    expect(error).toMatchObject({ code: 'verification-failed', message: expect.stringContaining('The artifact was removed again.') })
    expect(artifacts.list(run.runId)).toEqual([])
  })

  it('never says that a damaged one was removed which is not listed', async () => {
    await using temp = await makeTempFolder('artifact')
    const run = newRun(temp.path)
    artifacts.blobFault({ on: 'download', change: flipByte })
    artifacts.fault('ListArtifacts', { ...stay, skip: 1, times: Number.POSITIVE_INFINITY })
    const error = await rejection(artifactDestination(options({})).store(await finishedSnapshot(temp.path)))
    expect(error).toMatchObject({
      code: 'verification-failed',
      message: expect.stringContaining('could not be removed and may still be there'),
      hint: expect.stringContaining('delete it on the page of this workflow run'),
    })
    expect(artifacts.list(run.runId)).toHaveLength(1)
  })
})

describe('a check before anything is fetched', () => {
  it.each([
    { name: 'no artifact service', change: { hasService: false }, code: 'artifact-failed', says: 'no access to the artifact service' },
    {
      name: 'GitHub Enterprise Server',
      change: { forge: 'enterprise' },
      code: 'artifact-failed',
      says: 'runs on GitHub Enterprise Server',
    },
    { name: 'Gitea', change: { forge: 'gitea' }, code: 'artifact-failed', says: 'runs on Gitea ("https://github.com")' },
    {
      name: 'Forgejo without a service',
      change: { forge: 'forgejo', hasService: false },
      code: 'artifact-failed',
      says: 'runs on Forgejo',
    },
  ] as const)('refuses $name', async ({ change, code, says }) => {
    const error = await rejection(artifactDestination({ ...options({}), ...change }).check())
    expect(error).toMatchObject({ code, message: expect.stringContaining(says) })
  })

  it('lets GitHub pass', async () => {
    await artifactDestination(options({})).check()
    expect(artifacts.requests).toEqual([])
  })

  it('throws what the check of the visibility throws', async () => {
    const refused = new RangeError('public')
    const checkVisibility = async () => {
      throw refused
    }
    expect(await rejection(artifactDestination({ ...options({}), checkVisibility }).check())).toBe(refused)
  })
})

/** A workflow run of its own, in the environment as the artifact client reads it. */
function newRun(temp: string): ArtifactRun {
  const run = artifacts.newRun()
  Object.assign(process.env, run.env, { GITHUB_WORKSPACE: temp })
  return run
}

function options({ signal = new AbortController().signal, runAttempt = 1 }: { signal?: AbortSignal; runAttempt?: number }) {
  return {
    client: new DefaultArtifactClient(),
    name: 'nightly',
    retentionDays: undefined,
    runAttempt,
    runUrl: 'https://github.com/acme/site/actions/runs/42',
    hasService: true,
    serverUrl: 'https://github.com',
    forge: 'github' as const,
    reader: { newestFirst: async function* () {}, whyNone: async () => 'nobody looks' },
    checkVisibility: async () => undefined,
    signal,
    wait: async () => undefined,
    stopwatch: stopwatch(),
  }
}

/** What is stored, taken out of its zip. */
async function unpacked(id: number, temp: string): Promise<string> {
  const folder = join(temp, 'fetched')
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder)
  for (const { name, read } of readZip(await artifacts.fetchBytes(id))) await writeFile(join(folder, name), read())
  return folder
}
