import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type Artifacts, startArtifacts } from '../../doubles/artifacts/artifacts.ts'
import { startGithubRest } from '../../doubles/github/github.ts'
import { answers, rateLimited } from '../../doubles/sanity/answers.ts'
import { type Sanity, startSanity } from '../../doubles/sanity/sanity.ts'
import type { SanityRequest } from '../../doubles/sanity/types.ts'
import { makeTempFolder } from '../../support/process.ts'
import type { RunOptions } from '../../support/runner/runner.ts'
import { readZip } from '../../support/zip.ts'
import { backUp } from '../support.ts'
import { applying, type RestoreRun, restoreInto } from './support.ts'

const count = 3000
const documents = Array.from({ length: count }, (_, index) => ({
  _id: `page-${index}`,
  _type: 'page',
  _createdAt: '2026-01-01T00:00:00Z',
  _updatedAt: '2026-01-02T00:00:00Z',
  _rev: `r${index}`,
  title: 'As it was',
  ...(index === 0 ? {} : { first: { _type: 'reference', _ref: 'page-0' } }),
}))

/** Nothing is kept as an artifact, so GitHub is not asked for anything. */
const withoutService = { ACTIONS_RESULTS_URL: '' }

const isWrite = ({ query }: SanityRequest) => query['dryRun'] !== 'true'

let sanity: Sanity
let temp: Awaited<ReturnType<typeof makeTempFolder>>

beforeAll(async () => {
  temp = await makeTempFolder('restore')
  sanity = await startSanity({ documents })
  await using run = await backUp({ sanity }, { path: temp.path })
  expect(run.code).toBeUndefined()
})

afterAll(async () => {
  await sanity[Symbol.asyncDispose]()
  await temp[Symbol.asyncDispose]()
})

/** Empties the dataset, and restores it. */
async function restoreAll(options: RunOptions = {}): Promise<RestoreRun> {
  await sanity.edit(
    sanity
      .store()
      .documents()
      .map(({ _id }) => ({ delete: { id: _id } })),
  )
  return await restoreInto(
    { sanity },
    { ...options, env: { ...withoutService, ...options.env }, inputs: { path: temp.path, ...applying(), ...options.inputs } },
  )
}

async function restoreAgain(): Promise<RestoreRun> {
  sanity.reset()
  return await restoreInto({ sanity }, { env: withoutService, inputs: { path: temp.path, ...applying() } })
}

function titles(): Map<unknown, number> {
  const counts = new Map<unknown, number>()
  for (const { title } of sanity.store().documents()) counts.set(title, (counts.get(title) ?? 0) + 1)
  return counts
}

describe('a restore that is disturbed', () => {
  it('by answers that get lost, conflicts and limits is green, and writes every document once', async () => {
    sanity.reset()
    const before = sanity.store().history.transactions.length + 1
    sanity.fault('mutate', { lost: 'reset', times: 1, when: isWrite })
    sanity.fault('mutate', { lost: 'close', times: 1, skip: 2, when: isWrite })
    sanity.fault('mutate', { lost: answers.badGateway, times: 1, skip: 4, when: isWrite })
    sanity.fault('mutate', { answer: answers.transactionConflict, times: 2, skip: 3, when: isWrite })
    sanity.fault('mutate', { answer: rateLimited(1), times: 3, skip: 6, when: isWrite })
    await using run = await restoreAll()
    expect(run).toMatchObject({ code: undefined, outputs: { status: 'restored', 'create-count': String(count) } })
    expect(titles()).toEqual(new Map([['As it was', count]]))
    const made = sanity.store().history.transactions.slice(before)
    expect(made.map(({ id }) => id).toSorted()).toEqual(run.journal.map(({ transactionId }) => transactionId).toSorted())
    expect(run.journal.flatMap(({ ids }) => ids)).toHaveLength(count)
  })

  it('by an editor ends red, and names what is theirs', async () => {
    sanity.reset()
    // The first request that could write is a dry run: the plan is made, and nothing is written yet.
    sanity.meanwhile('mutate', async () => await sanity.edit([{ create: { ...documents[7], title: 'Theirs', first: 1 } }]))
    await using run = await restoreAll()
    expect(run).toMatchObject({ code: 'restore-failed', error: { title: 'The dataset is not what the snapshot has' } })
    expect(run.error?.message).toMatch(/^1 document differs, changed by others meanwhile, after the restore:\npage-7: somebody made it/)
    expect(run.summary).toMatch(/not finished[\s\S]*page-7/)
    expect(titles()).toEqual(
      new Map([
        ['As it was', count - 1],
        ['Theirs', 1],
      ]),
    )
    await using again = await restoreAgain()
    expect(again.outputs).toMatchObject({ status: 'restored', 'replace-count': '1' })
  })

  it('by a token that is revoked stops, says how far it came, and the same run again does the rest', async () => {
    sanity.reset()
    let turns = 0
    sanity.fault('mutate', { when: (request) => isWrite(request) && turns++ > 2, answer: answers.sessionNotFound })
    await using run = await restoreAll()
    expect(run).toMatchObject({ code: 'restore-failed', error: { title: 'The restore stopped before its end' } })
    expect(run.error?.message).toMatch(/3 transactions had been written by then\.\nHint: .*Run the same restore again/s)
    expect(run.outputs).toMatchObject({ status: '', 'create-count': String(count), plan: expect.stringMatching(/plan\.ndjson$/) })
    expect(run.journal).toHaveLength(3)
    await using again = await restoreAgain()
    expect(again.outputs).toMatchObject({
      status: 'restored',
      'create-count': String(count - run.journal.flatMap(({ ids }) => ids).length),
    })
    expect(titles()).toEqual(new Map([['As it was', count]]))
  })
})

describe('a restore that is cancelled', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('by %s begins no batch, waits for those on their way, and says how to go on', async (signal) => {
    sanity.reset()
    // The first batch has what all others refer to; two of the others take a while.
    sanity.fault('mutate', { delayMs: 700, times: 2, when: isWrite })
    const arrived = Promise.withResolvers<void>()
    sanity.meanwhile('mutate', () => arrived.resolve(), { skip: 1 })
    await using run = await restoreAll({
      onStart: async (started) => {
        await arrived.promise
        started.signal(signal)
      },
    })
    expect(run).toMatchObject({ exitCode: 130, code: 'cancelled', error: { title: 'The restore was cancelled' } })
    expect(run.error?.message).toMatch(/transactions? had been written by then\.\nHint: Run the same restore again/)
    expect(run.summary).not.toMatch(/Nothing was written/)
    const made = sanity.store().documents().length
    expect(run.journal.flatMap(({ ids }) => ids)).toHaveLength(made)
    expect(made).toBeLessThan(count)
    await using again = await restoreAgain()
    expect(again.outputs['status']).toBe('restored')
    expect(titles()).toEqual(new Map([['As it was', count]]))
  })

  it('while Sanity does not answer ends nevertheless, with what was written', async () => {
    sanity.reset()
    sanity.fault('mutate', { connection: 'hang', skip: 1, when: isWrite })
    await using run = await restoreAll({
      onStart: async ({ signal }) => {
        while (sanity.of('mutate').filter(isWrite).length < 3) await new Promise((resolve) => setTimeout(resolve, 20))
        signal('SIGINT')
      },
    })
    expect(run).toMatchObject({ exitCode: 130, code: 'cancelled', error: { title: 'The restore was cancelled' } })
    expect(run.error?.message).toMatch(/1 transaction had been written by then/)
    expect(run.journal).toHaveLength(1)
  })
})

describe('the plan and the journal', () => {
  let artifacts: Artifacts
  beforeAll(async () => {
    artifacts = await startArtifacts()
  })
  afterAll(async () => await artifacts[Symbol.asyncDispose]())

  const failing = () => {
    sanity.reset()
    sanity.fault('mutate', { answer: answers.sessionNotFound, skip: 1, when: isWrite })
  }

  it('are kept as an artifact after a failure, and a repeated run keeps its own', async () => {
    await using github = await startGithubRest({ artifacts })
    const workflow = artifacts.newRun()
    for (const [attempt, name] of [
      ['1', 'sanity-abc12345-production-restore'],
      ['2', 'sanity-abc12345-production-restore-attempt-2'],
    ] as const) {
      failing()
      await using run = await restoreAll({ env: { ...workflow.env, ...github.env, GITHUB_RUN_ATTEMPT: attempt } })
      expect(run.code).toBe('restore-failed')
      expect(run.summary).toContain(name)
    }
    const stored = artifacts.list(workflow.runId)
    expect(stored.map(({ name }) => name)).toEqual(['sanity-abc12345-production-restore', 'sanity-abc12345-production-restore-attempt-2'])
    const files = readZip(await artifacts.fetchBytes(stored[0]?.id ?? 0)).map(({ name }) => name)
    expect(files.toSorted()).toEqual(['journal.ndjson', 'plan.ndjson'])
  })

  it.each([
    { allowed: 'false', kept: [] },
    { allowed: 'true', kept: ['sanity-abc12345-production-restore'] },
  ])('are in a public repository kept only if that is allowed: $allowed', async ({ allowed, kept }) => {
    await using github = await startGithubRest({ artifacts, visibility: 'public' })
    const workflow = artifacts.newRun()
    failing()
    const event = { repository: { full_name: 'acme/site', private: false, visibility: 'public' } }
    await using run = await restoreAll({ env: { ...workflow.env, ...github.env }, event, inputs: { 'allow-public': allowed } })
    expect(run.code).toBe('restore-failed')
    expect(artifacts.list(workflow.runId).map(({ name }) => name)).toEqual(kept)
    expect(run.warnings.filter((line) => /could not be kept/.test(line))).toHaveLength(1 - kept.length)
  })
})

it('a run that is killed leaves its journal, and the same run again finishes the restore', async () => {
  sanity.reset()
  await sanity.edit(
    sanity
      .store()
      .documents()
      .map(({ _id }) => ({ delete: { id: _id } })),
  )
  await using place = await makeTempFolder('killed')
  sanity.fault('mutate', { connection: 'hang', skip: 3, when: isWrite })
  const options = { folder: place.path, env: withoutService, inputs: { path: temp.path, ...applying() } }
  const killed = restoreInto(
    { sanity },
    {
      ...options,
      onStart: async ({ signal }) => {
        while (sanity.of('mutate').filter(isWrite).length < 5) await new Promise((resolve) => setTimeout(resolve, 20))
        signal('SIGKILL')
      },
    },
  )
  await expect(killed).rejects.toThrow(/SIGKILL/)
  expect(sanity.store().documents().length).toBeGreaterThan(400)
  sanity.reset()
  await using again = await restoreInto({ sanity }, options)
  expect(again.outputs['status']).toBe('restored')
  expect(titles()).toEqual(new Map([['As it was', count]]))
  const left = await readdir(join(place.path, 'temp'))
  expect(left.filter((name) => !/^(sanity-restore-|_runner_file_commands|sanity-backup$)/.test(name))).toEqual([])
})

it('a count that lags behind the documents that a mirror deleted makes the run longer, not red', async () => {
  const [page, ...others] = documents.slice(0, 30).map(({ _id, _type, title }) => ({ _id, _type, title }))
  await using lagging = await startSanity({ documents: page ? [page] : [], rules: { indexLagMs: 2_500 } })
  await using place = await makeTempFolder('lagging')
  await using made = await backUp({ sanity: lagging }, { path: place.path })
  expect(made.code).toBeUndefined()
  await lagging.edit(others.map((create) => ({ create })))
  await new Promise((resolve) => setTimeout(resolve, 2_600))
  await using run = await restoreInto(
    { sanity: lagging },
    { env: withoutService, inputs: { path: place.path, mirror: 'true', ...applying() } },
  )
  expect(run.outputs).toMatchObject({ status: 'restored', 'delete-count': '29' })
  expect(lagging.count('export')).toBe(3)
})
