import { describe, expect, it } from '@jest/globals'
import { type ArtifactRun, artifactAnswers } from '../../../doubles/artifacts/artifacts.ts'
import { flipByte } from '../../../doubles/artifacts/blob-proxy.ts'
import { failureOf, readSnapshot, threeLines } from '../../support.ts'
import { artifacts, backUpInRun } from './support.ts'

describe('two destinations', () => {
  const both = { destination: 'artifact, directory' }

  it.concurrent.each([
    {
      name: 'cannot be uploaded',
      before: ({ runId }: ArtifactRun) => artifacts.fault('CreateArtifact', { answer: artifactAnswers.quota, run: runId }),
      code: 'artifact-quota',
    },
    {
      name: 'comes back as another one',
      before: ({ runId }: ArtifactRun) => artifacts.blobFault({ on: 'download', change: flipByte, run: runId }),
      code: 'verification-failed',
    },
  ])('keep the folder, and say so, when the artifact $name', async ({ before, code }) => {
    const lines: string[] = []
    const { run, stored } = await backUpInRun({
      inputs: both,
      before,
      inspect: async (done) => void lines.push(...(await readSnapshot(done)).lines),
    })

    expect(failureOf(run)).toMatchObject({ exitCode: 1, code, message: expect.stringMatching(/is stored.*as directory/) })
    expect(run.outputs).toMatchObject({
      status: 'stored',
      'document-count': '3',
      'artifact-id': '',
      'artifact-url': '',
      path: expect.stringContaining(run.path),
    })
    expect(run.summary).toContain(code)
    expect(lines).toEqual(threeLines)
    expect(stored).toEqual([])
  })

  it.concurrent('store nothing when a check refuses the artifact', async () => {
    const { run, exports } = await backUpInRun({ inputs: both, visibility: 'public' })

    expect(failureOf(run)).toMatchObject({ exitCode: 1, code: 'public-repository' })
    expect(run.outputs['path'] ?? '').toBe('')
    expect(exports).toBe(0)
  })
})
