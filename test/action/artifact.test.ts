import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type ArtifactRun, type Artifacts, artifactAnswers, startArtifacts } from '../doubles/artifacts.ts'
import { emptyZip, flipByte, truncate } from '../doubles/blob-proxy.ts'
import { type GithubRest, restAnswers, startGithubRest } from '../doubles/github.ts'
import type { Answer } from '../doubles/http.ts'
import { startSanity } from '../doubles/sanity.ts'
import type { SanityDocument } from '../doubles/sanity-store.ts'
import { readZip, type ZipEntry } from '../support/zip.ts'
import {
  type BackupOptions,
  type BackupRun,
  backUp,
  failureOf,
  readSnapshot,
  sha256,
  threeDocuments,
  threeLines,
  together,
} from './support.ts'

let artifacts: Artifacts

beforeAll(async () => {
  artifacts = await startArtifacts()
})

afterAll(async () => await artifacts[Symbol.asyncDispose]())

type Method = Parameters<Artifacts['of']>[0]

type Scene = BackupOptions & {
  readonly documents?: readonly SanityDocument[]
  readonly visibility?: 'private' | 'public' | 'internal'
  /** Given the run before it starts. */
  readonly before?: (run: ArtifactRun, github: GithubRest) => void
  readonly in?: ArtifactRun
  /** Looks at the run while its folder is there. */
  readonly inspect?: (run: BackupRun) => Promise<void>
}

type Outcome = {
  readonly run: BackupRun
  readonly stored: ReturnType<Artifacts['list']>
  readonly workflow: ArtifactRun
  readonly exports: number
}

/** Backs up in a private repository, as an artifact of a workflow run of its own. */
async function backUpInRun({
  documents = threeDocuments,
  visibility = 'private',
  before,
  inspect,
  in: given,
  ...options
}: Scene = {}): Promise<Outcome> {
  const workflow = given ?? artifacts.newRun()
  await using sanity = await startSanity({ documents })
  await using github = await startGithubRest({ visibility })
  before?.(workflow, github)
  await using run = await backUp({ sanity, github, run: workflow }, options)
  await inspect?.(run)
  return { run, stored: artifacts.list(workflow.runId), workflow, exports: sanity.count('export') }
}

const requestsOf = ({ workflow }: Outcome, method: Method) => artifacts.of(method).filter(({ run }) => run === workflow.runId)

async function zipOf({ stored }: Outcome): Promise<ZipEntry[]> {
  return readZip(await artifacts.fetchBytes(stored[0]?.id ?? 0))
}

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

describe('the artifact', () => {
  it.concurrent('is a zip with the content of the folder at its root, not compressed again', async () => {
    const outcome = await backUpInRun()

    const entries = await zipOf(outcome)
    expect(entries.map(({ name, stored }) => ({ name, stored })).toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual([
      { name: 'data.ndjson.gz', stored: true },
      { name: 'manifest.json', stored: true },
    ])
  })

  it.concurrent('holds the files that the folder holds, byte for byte', async () => {
    const files: Record<string, string> = {}
    const outcome = await backUpInRun({
      inputs: { destination: 'artifact, directory' },
      inspect: async (run) => {
        const { stored, manifest } = await readSnapshot(run)
        files['data.ndjson.gz'] = sha256(stored)
        files['manifest.json'] = sha256(`${JSON.stringify(manifest, null, 2)}\n`)
      },
    })

    const entries = await zipOf(outcome)
    expect(Object.fromEntries(entries.map((entry) => [entry.name, sha256(entry.read())]))).toEqual(files)
  })

  it.concurrent('leaves no folder behind when it is the only destination', async () => {
    const left: string[] = []

    const { run } = await backUpInRun({ inspect: async (done) => void left.push(...(await done.filesLeft())) })

    expect({ exitCode: run.exitCode, left }).toEqual({ exitCode: 0, left: [] })
  })

  it.concurrent('sets its outputs and leaves those of the folder empty', async () => {
    const { run, stored, workflow } = await backUpInRun()

    expect(run.outputs).toMatchObject({
      status: 'stored',
      path: '',
      manifest: '',
      'document-count': '3',
      'artifact-id': String(stored[0]?.id),
      'artifact-url': `https://github.com/acme/site/actions/runs/${workflow.runId}/artifacts/${stored[0]?.id}`,
    })
  })

  it.concurrent('sets all outputs beside those of the folder', async () => {
    const { run } = await backUpInRun({ inputs: { destination: 'directory\nartifact' } })

    expect(Object.keys(run.outputs).filter((name) => run.outputs[name] === '')).toEqual(['branch', 'commit-sha'])
  })

  it.concurrent('is told of in the summary, with the lines that bring it back', async () => {
    const { run, workflow } = await backUpInRun({ inputs: { label: 'pre-deploy' } })

    expect(run.summary).toContain(`gh run download ${workflow.runId}`)
    expect(run.summary).toContain('sanity-abc12345-production-pre-deploy')
    expect(run.summary).toMatch(/dataset import \S+data\.ndjson\.gz/)
  })

  it.concurrent.each([
    { name: 'by project and dataset', inputs: {}, artifact: 'sanity-abc12345-production' },
    { name: 'by the label too', inputs: { label: 'pre-deploy' }, artifact: 'sanity-abc12345-production-pre-deploy' },
    { name: 'as was asked', inputs: { 'artifact-name': 'my backup (nightly)', label: 'x' }, artifact: 'my backup (nightly)' },
  ])('is named $name', async ({ inputs, artifact }) => {
    const { stored } = await backUpInRun({ inputs })

    expect(stored.map(({ name }) => name)).toEqual([artifact])
  })

  it.concurrent('is kept for as many days as were asked for', async () => {
    const { stored } = await backUpInRun({ inputs: { 'retention-days': '5' } })

    const days = (Date.parse(stored[0]?.expiresAt ?? '') - Date.parse(stored[0]?.createdAt ?? '')) / 86_400_000
    expect(days).toBeGreaterThan(4.9)
    expect(days).toBeLessThan(5.1)
  })

  it.concurrent('comes whole in many blocks', async () => {
    const documents = Array.from({ length: 30 }, (_, index) => ({
      _id: `d${index}`,
      _type: 'bulk',
      noise: randomBytes(750_000).toString('base64'),
    }))

    const { run, stored } = await backUpInRun({ documents })

    expect(run.exitCode).toBe(0)
    expect(stored[0]?.size).toBeGreaterThan(20_000_000)
  })
})

describe('an artifact name that is taken', () => {
  it.concurrent('fails the first attempt and leaves the other artifact as it is', async () => {
    const first = await backUpInRun()

    const second = await backUpInRun({ in: first.workflow })

    expect(failureOf(second.run)).toMatchObject({
      exitCode: 1,
      code: 'artifact-name-taken',
      message: expect.stringContaining('sanity-abc12345-production'),
    })
    expect(second.run.error?.message).toMatch(/Hint: .*artifact-name.*label/)
    expect(second.stored).toEqual(first.stored)
  })

  it.concurrent('gets the number of the attempt in a later one', async () => {
    const first = await backUpInRun()

    const { run, stored } = await backUpInRun({ in: first.workflow, env: { GITHUB_RUN_ATTEMPT: '2' } })

    expect(run.exitCode).toBe(0)
    expect(stored.map(({ name }) => name)).toEqual(['sanity-abc12345-production', 'sanity-abc12345-production-attempt-2'])
    expect(run.summary).toContain('sanity-abc12345-production-attempt-2')
  })

  it.concurrent('fails in a later attempt when that name is taken too', async () => {
    const { workflow } = await backUpInRun()
    await backUpInRun({ in: workflow, env: { GITHUB_RUN_ATTEMPT: '2' } })

    const { run, stored } = await backUpInRun({ in: workflow, env: { GITHUB_RUN_ATTEMPT: '2' } })

    expect(failureOf(run)).toMatchObject({ exitCode: 1, code: 'artifact-name-taken', message: expect.stringContaining('-attempt-2') })
    expect(stored).toHaveLength(2)
  })

  it.concurrent('does not concern another run', async () => {
    await backUpInRun()

    const { stored } = await backUpInRun({ env: { GITHUB_RUN_ATTEMPT: '2' } })

    expect(stored.map(({ name }) => name)).toEqual(['sanity-abc12345-production'])
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

describe('a repository that others can read', () => {
  const payloadSays = (visibility: string) => ({ repository: { full_name: 'acme/site', private: visibility !== 'public', visibility } })
  const refused = { exitCode: 1, code: 'public-repository' }

  it.concurrent.each([
    { name: 'public', visibility: 'public', payload: 'public' },
    { name: 'public, though private when the event was sent', visibility: 'public', payload: 'private' },
  ] as const)('is refused before anything is fetched: $name', async ({ visibility, payload }) => {
    const { run, exports, stored } = await backUpInRun({ visibility, event: payloadSays(payload) })

    expect(failureOf(run)).toMatchObject({ ...refused, message: expect.stringMatching(/"acme\/site".*Hint: .*allow-public/s) })
    expect({ exports, stored }).toEqual({ exports: 0, stored: [] })
  })

  it.concurrent.each([
    { name: 'private', visibility: 'private', payload: 'private' },
    { name: 'internal', visibility: 'internal', payload: 'internal' },
    { name: 'private, though public when the event was sent', visibility: 'private', payload: 'public' },
  ] as const)('is none when it is $name', async ({ visibility, payload }) => {
    const { run, stored } = await backUpInRun({ visibility, event: payloadSays(payload) })

    expect(run.exitCode).toBe(0)
    expect(stored).toHaveLength(1)
  })

  it.concurrent.each<{ name: string; fault: Parameters<GithubRest['fault']>[1]; cure?: string }>([
    { name: '401', fault: { answer: restAnswers.badCredentials } },
    { name: '403', fault: { answer: restAnswers.forbidden } },
    { name: '403 of the rate limit', fault: { answer: restAnswers.rateLimited } },
    { name: '404', fault: { answer: restAnswers.notFound } },
    { name: '500', fault: { answer: restAnswers.serverError } },
    { name: 'a redirect', fault: { answer: { status: 301, headers: { location: 'http://127.0.0.1:9/' } } }, cure: '`repository`' },
    { name: 'no JSON', fault: { answer: { status: 200, body: '<html>' } } },
    { name: 'nothing of the visibility', fault: { answer: { status: 200, body: {} } } },
    { name: 'an unknown visibility', fault: { answer: { status: 200, body: { visibility: 'secret' } } } },
    { name: 'a reset connection', fault: { connection: 'reset' } },
  ])('is refused when its visibility is not known: $name', async ({ fault, cure = '`github-token`' }) => {
    const { run, exports } = await backUpInRun({ before: (_, github) => github.fault('repository', fault), event: payloadSays('private') })

    expect(failureOf(run)).toMatchObject({
      ...refused,
      message: expect.stringMatching(new RegExp(`could not be found out.*Hint: .*${cure}.*allow-public`, 's')),
    })
    expect(exports).toBe(0)
  })

  it.concurrent.each([
    { name: 'a failure', fault: { answer: restAnswers.serverError, times: 1 } },
    { name: 'a reset connection', fault: { connection: 'reset', times: 2 } },
  ] as const)('is none when its visibility becomes known after $name', async ({ fault }) => {
    const { run } = await backUpInRun({ before: (_, github) => github.fault('repository', fault) })

    expect(run.exitCode).toBe(0)
  })

  it.concurrent.each([
    { name: 'public', visibility: 'public' },
    {
      name: 'unknown',
      visibility: 'private',
      before: (_: ArtifactRun, github: GithubRest) => github.fault('repository', { answer: restAnswers.notFound }),
    },
  ] as const)('gets the snapshot when allow-public is set: $name', async ({ name: _, ...scene }) => {
    const { run, stored } = await backUpInRun({ ...scene, inputs: { 'allow-public': 'true' } })

    expect(run.exitCode).toBe(0)
    expect(stored).toHaveLength(1)
  })

  it.concurrent('may have the snapshot in a folder, and is then not asked for', async () => {
    const asked: number[] = []
    const { run } = await backUpInRun({
      visibility: 'public',
      inputs: { destination: 'directory' },
      before: (_, github) => void asked.push(github.count('repository')),
    })

    expect({ exitCode: run.exitCode, asked }).toEqual({ exitCode: 0, asked: [0] })
  })
})
