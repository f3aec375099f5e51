import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type ArtifactRun, type Artifacts, startArtifacts } from '../../../doubles/artifacts/artifacts.ts'
import { type GithubRest, startGithubRest } from '../../../doubles/github/github.ts'
import { type Sanity, startSanity } from '../../../doubles/sanity/sanity.ts'
import { namesBelow, until } from '../../../support/process.ts'
import type { Running } from '../../../support/runner/runner.ts'
import { backUp, failureOf, threeDocuments } from '../../support.ts'

let artifacts: Artifacts

beforeAll(async () => {
  artifacts = await startArtifacts()
})

afterAll(async () => await artifacts[Symbol.asyncDispose]())

type Stage = {
  readonly name: string
  /** Makes the run stand still. */
  readonly halt: (doubles: { sanity: Sanity; github: GithubRest; workflow: ArtifactRun }) => void
  /** Waits until it stands still. */
  readonly reached: (doubles: { sanity: Sanity; github: GithubRest; workflow: ArtifactRun; running: Running }) => Promise<void>
}

const asked = (method: Parameters<Artifacts['of']>[0], { runId }: ArtifactRun) =>
  artifacts.of(method).some((request) => request.run === runId)

const stages: readonly Stage[] = [
  {
    name: 'GitHub is asked for the visibility',
    halt: ({ github }) => github.fault('repository', { connection: 'hang' }),
    reached: async ({ github }) => await until(() => github.count('repository') > 0),
  },
  {
    name: 'the documents are counted',
    halt: ({ sanity }) => sanity.fault('query', { connection: 'hang' }),
    reached: async ({ sanity }) => await until(() => sanity.count('query') > 0),
  },
  {
    name: 'it waits for the next try',
    halt: ({ sanity }) => sanity.fault('query', { answer: { status: 503, headers: { 'retry-after': '60' } } }),
    reached: async ({ running }) => await running.waitFor(/Try 2 of/),
  },
  {
    name: 'the export begins',
    halt: ({ sanity }) => sanity.fault('export', { connection: 'hang' }),
    reached: async ({ sanity }) => await until(() => sanity.count('export') > 0),
  },
  {
    name: 'the export goes on',
    halt: ({ sanity }) => sanity.fault('export', { stream: { ending: { how: 'stall', afterLines: 2 } } }),
    reached: async ({ sanity }) => await until(() => sanity.count('export') > 0),
  },
  {
    name: 'the access list is asked for',
    halt: ({ sanity }) => sanity.fault('acl', { connection: 'hang' }),
    reached: async ({ sanity }) => await until(() => sanity.count('acl') > 0),
  },
  {
    name: 'the artifact is made',
    halt: ({ workflow }) => artifacts.fault('CreateArtifact', { connection: 'hang', run: workflow.runId }),
    reached: async ({ workflow }) => await until(() => asked('CreateArtifact', workflow)),
  },
  {
    name: 'the artifact is uploaded',
    halt: ({ workflow }) => artifacts.blobFault({ on: 'upload', connection: 'stall', run: workflow.runId }),
    reached: async ({ running }) => await running.waitFor(/Beginning upload/),
  },
  {
    name: 'the artifact is finished',
    halt: ({ workflow }) => artifacts.fault('FinalizeArtifact', { delayMs: 1_000, run: workflow.runId }),
    reached: async ({ workflow }) => await until(() => asked('FinalizeArtifact', workflow)),
  },
  {
    name: 'the artifact is read back',
    halt: ({ workflow }) => artifacts.blobFault({ on: 'download', connection: 'stall', run: workflow.runId }),
    reached: async ({ running }) => await until(() => namesBelow(running.temp).some((name) => /readback\/data\.ndjson/.test(name))),
  },
]

describe('a run that is cancelled', () => {
  it.concurrent.each(stages.flatMap((stage) => (['SIGINT', 'SIGTERM'] as const).map((signal) => ({ ...stage, signal }))))(
    'ends within five seconds and leaves nothing: $signal while $name',
    async ({ halt, reached, signal }) => {
      const workflow = artifacts.newRun()
      await using sanity = await startSanity({ documents: threeDocuments })
      await using github = await startGithubRest()
      halt({ sanity, github, workflow })
      let signalledAt = 0

      await using done = await backUp(
        { sanity, github, run: workflow },
        {
          inputs: { destination: 'artifact, directory' },
          onStart: async (running) => {
            await reached({ sanity, github, workflow, running })
            signalledAt = performance.now()
            running.signal(signal)
          },
        },
      )

      expect(performance.now() - signalledAt).toBeLessThan(5_000)
      expect(failureOf(done)).toMatchObject({ exitCode: 130, code: 'cancelled', message: expect.stringContaining(signal) })
      await sleep(1_000)
      expect(artifacts.list(workflow.runId)).toEqual([])
    },
  )

  it.concurrent('as the runner does it ends before it is killed', async () => {
    await using sanity = await startSanity({ documents: threeDocuments })
    sanity.fault('export', { stream: { ending: { how: 'stall', afterLines: 1 } } })

    await using done = await backUp(
      { sanity },
      {
        onStart: async (running) => {
          await until(() => sanity.count('export') > 0)
          running.cancel()
        },
      },
    )

    expect(failureOf(done)).toMatchObject({ exitCode: 130, code: 'cancelled' })
    expect(done.summary).toContain('cancelled')
  })

  it.concurrent('is not asked for again when a second signal comes', async () => {
    await using sanity = await startSanity({ documents: threeDocuments })
    sanity.fault('export', { connection: 'hang' })

    await using done = await backUp(
      { sanity },
      {
        onStart: async (running) => {
          await until(() => sanity.count('export') > 0)
          running.signal('SIGINT')
          running.signal('SIGTERM')
        },
      },
    )

    expect(failureOf(done)).toMatchObject({ exitCode: 130, code: 'cancelled' })
  })
})
