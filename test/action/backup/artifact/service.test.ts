import { randomBytes } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { artifactAnswers } from '../../../doubles/artifacts/artifacts.ts'
import { emptyZip, flipByte, truncate } from '../../../doubles/artifacts/blob-proxy.ts'
import type { Answer } from '../../../doubles/http.ts'
import { failureOf, together } from '../../support.ts'
import { artifacts, backUpInRun, type Method, type Outcome } from './support.ts'

const requestsOf = ({ workflow }: Outcome, method: Method) => artifacts.of(method).filter(({ run }) => run === workflow.runId)
const failed = { exitCode: 1, code: 'artifact-failed' }
const unverified = { exitCode: 1, code: 'verification-failed' }

const refusals = [
  {
    name: 'the quota',
    method: 'CreateArtifact',
    answer: artifactAnswers.quota,
    code: 'artifact-quota',
    says: /quota.*Hint: .*retention-days/s,
  },
  {
    name: 'a missing permission',
    method: 'CreateArtifact',
    answer: artifactAnswers.forbidden,
    code: 'artifact-failed',
    says: /write permission required/,
  },
  {
    name: 'a bad request',
    method: 'CreateArtifact',
    answer: artifactAnswers.badRequest,
    code: 'artifact-failed',
    says: /invalid artifact name/,
  },
  { name: 'errors for ever', method: 'CreateArtifact', answer: artifactAnswers.internal, code: 'artifact-failed', says: /githubstatus/ },
  { name: 'HTML', method: 'CreateArtifact', answer: artifactAnswers.html, code: 'artifact-failed', says: /githubstatus/ },
  {
    name: 'an unknown finalisation',
    method: 'FinalizeArtifact',
    answer: artifactAnswers.badRequest,
    code: 'artifact-failed',
    says: /Finalize|upload/,
  },
  {
    name: 'a finalisation that fails for ever',
    method: 'FinalizeArtifact',
    answer: artifactAnswers.unavailable,
    code: 'artifact-failed',
    says: /Finalize|upload/,
  },
  {
    name: 'no list to read back from',
    method: 'ListArtifacts',
    answer: artifactAnswers.badRequest,
    times: 1,
    code: 'verification-failed',
    says: /read back/,
  },
  {
    name: 'no address to read back from',
    method: 'GetSignedArtifactURL',
    answer: artifactAnswers.badRequest,
    times: 1,
    code: 'verification-failed',
    says: /read back/,
  },
] satisfies { name: string; method: Method; answer: Answer; code: string; says: RegExp; times?: number }[]

const refused = together(
  refusals,
  async ({ method, answer, times = Number.POSITIVE_INFINITY }: (typeof refusals)[number] & { times?: number }) => {
    return await backUpInRun({ before: ({ runId }) => artifacts.fault(method, { answer, times, run: runId }) })
  },
)

const changes = [
  { name: 'a byte changed on the way back', fault: { on: 'download', change: flipByte } },
  { name: 'cut in half on the way back', fault: { on: 'download', change: truncate } },
  { name: 'an empty zip', fault: { on: 'download', change: emptyZip } },
  { name: 'nothing at all', fault: { on: 'download', change: () => Buffer.alloc(0) } },
  { name: 'a web page', fault: { on: 'download', change: () => Buffer.from('<html>Please log in</html>') } },
  { name: 'a byte changed on the way there', fault: { on: 'upload', change: flipByte } },
  { name: 'cut in half on the way there', fault: { on: 'upload', change: truncate } },
  { name: 'gone', fault: { on: 'download', answer: { status: 404, body: '<Error><Code>BlobNotFound</Code></Error>' } } },
] as const

const changed = together(changes, async ({ fault }) => {
  return await backUpInRun({ before: ({ runId }) => artifacts.blobFault({ ...fault, run: runId }) })
})

const largeDocuments = Array.from({ length: 12 }, (_, index) => ({
  _id: `d${index}`,
  _type: 'bulk',
  noise: randomBytes(750_000).toString('base64'),
}))

const cut = together([{ name: 'every upload is cut' }], async () => {
  return await backUpInRun({
    documents: largeDocuments,
    before: ({ runId }) => artifacts.blobFault({ on: 'upload', connection: 'cut', afterBytes: 1_000_000, run: runId }),
  })
})

describe('an artifact service that does not serve', () => {
  it.each(refusals)('fails the run and stores nothing: $name', async ({ name, code, says }) => {
    const { run, stored } = await refused(name)

    expect(failureOf(run)).toMatchObject({ exitCode: 1, code, message: expect.stringMatching(says) })
    expect(stored).toEqual([])
  })

  it.concurrent('is not said to have removed an artifact that it still holds', async () => {
    const { run, stored } = await backUpInRun({
      before: ({ runId }) => {
        artifacts.blobFault({ on: 'download', change: emptyZip, run: runId })
        artifacts.fault('DeleteArtifact', { answer: artifactAnswers.badRequest, run: runId })
      },
    })

    expect(failureOf(run)).toMatchObject(unverified)
    expect(stored).toHaveLength(1)
    expect(run.error?.message).toMatch(/could not be removed and may still be there.*Hint: Do not trust that artifact/s)
    expect(run.error?.message).toContain('sanity-abc12345-production')
  })

  it.concurrent('fails the run when nobody listens there', async () => {
    const { run } = await backUpInRun({ env: { ACTIONS_RESULTS_URL: 'http://127.0.0.1:9/' } })

    expect(failureOf(run)).toMatchObject({
      ...failed,
      message: expect.stringMatching(/ECONNREFUSED.*actions\.githubusercontent\.com/s),
    })
  })

  it.concurrent('succeeds when it is well again at the second try', async () => {
    const { run, stored } = await backUpInRun({
      before: ({ runId }) => artifacts.fault('CreateArtifact', { answer: artifactAnswers.unavailable, times: 1, run: runId }),
    })

    expect(run.exitCode).toBe(0)
    expect(stored).toHaveLength(1)
  })

  it.concurrent.each([
    { name: 'there from the beginning', env: { ACTIONS_RUNTIME_TOKEN: '' } },
    { name: 'addressed', env: { ACTIONS_RESULTS_URL: '' } },
  ])('fails the run before anything is fetched when it is not $name', async ({ env }) => {
    const { run, exports } = await backUpInRun({ env })

    expect(failureOf(run)).toMatchObject({ ...failed, message: expect.stringMatching(/Hint: .*`uses:`.*directory/s) })
    expect(exports).toBe(0)
  })

  it.concurrent('fails the run before anything is fetched on GitHub Enterprise Server', async () => {
    const { run, exports } = await backUpInRun({ env: { GITHUB_SERVER_URL: 'https://github.acme.example' } })

    expect(failureOf(run)).toMatchObject({
      ...failed,
      message: expect.stringMatching(/Enterprise Server.*Hint: .*destination: directory/s),
    })
    expect(exports).toBe(0)
  })

  it.concurrent('fails the run on Gitea, and calls it by its name', async () => {
    const { run, exports } = await backUpInRun({ env: { GITHUB_SERVER_URL: 'https://git.acme.example', GITEA_ACTIONS: 'true' } })

    expect(failureOf(run)).toMatchObject({
      ...failed,
      message: expect.stringMatching(/^This workflow runs on Gitea .*destination: directory/s),
    })
    expect(exports).toBe(0)
  })

  it.concurrent('is there on ghe.com', async () => {
    const { run } = await backUpInRun({ env: { GITHUB_SERVER_URL: 'https://acme.ghe.com' } })

    expect(run.exitCode).toBe(0)
  })
})

describe('a blob host that breaks', () => {
  it('in the middle of every upload fails the run, and the artifact is never finished', async () => {
    const outcome = await cut('every upload is cut')

    expect(failureOf(outcome.run)).toMatchObject(failed)
    expect(outcome.stored).toEqual([])
    expect(requestsOf(outcome, 'FinalizeArtifact')).toEqual([])
  })

  it.concurrent('by refusing the upload fails the run', async () => {
    const { run, stored } = await backUpInRun({
      before: ({ runId }) =>
        artifacts.blobFault({
          on: 'upload',
          answer: { status: 403, body: '<Error><Code>AuthenticationFailed</Code></Error>' },
          run: runId,
        }),
    })

    expect(failureOf(run)).toMatchObject(failed)
    expect(stored).toEqual([])
  })

  it.concurrent('once in the middle of an upload does no harm', async () => {
    const { run, stored } = await backUpInRun({
      documents: largeDocuments,
      before: ({ runId }) => artifacts.blobFault({ on: 'upload', connection: 'cut', afterBytes: 1_000_000, times: 1, run: runId }),
    })

    expect(run.exitCode).toBe(0)
    expect(stored).toHaveLength(1)
  })
})

describe('an artifact that comes back as another one', () => {
  it.each(changes)('fails the run and is deleted: $name', async ({ name }) => {
    const outcome = await changed(name)

    expect(failureOf(outcome.run)).toMatchObject({ ...unverified, message: expect.stringMatching(/read back.*removed again\..*Hint: /s) })
    expect(outcome.stored).toEqual([])
    expect(requestsOf(outcome, 'DeleteArtifact')).toHaveLength(1)
    expect(outcome.run.outputs['artifact-id'] ?? '').toBe('')
  })
})
