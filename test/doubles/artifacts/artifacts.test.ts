import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { makeTempFolder, runPeer } from '../../support/process.ts'
import { readZip } from '../../support/zip.ts'
import { startGithubRest } from '../github/github.ts'
import { type Artifacts, artifactAnswers, startArtifacts } from './artifacts.ts'
import { emptyZip, flipByte } from './blob-proxy.ts'

let artifacts: Artifacts

beforeAll(async () => {
  artifacts = await startArtifacts()
})

beforeEach(() => artifacts.reset())

afterAll(async () => await artifacts[Symbol.asyncDispose]())

describe('the artifact service and the real @actions/artifact', () => {
  it('uploads, refuses a second upload of the name, lists, downloads and deletes', async () => {
    await using folder = await makeTempFolder()
    const bytes = randomBytes(100_000)
    await writeFile(join(folder.path, 'data.ndjson.gz'), bytes)
    const run = artifacts.newRun()

    const { exitCode, stdout, stderr } = await runPeer(
      new URL('../../peers/artifact.mjs', import.meta.url),
      { folder: folder.path, name: 'snapshot' },
      run.env,
    )

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    const result = JSON.parse(/^RESULT (.*)$/m.exec(stdout)?.[1] ?? '{}')
    expect(result.again).toContain('(409) Conflict: an artifact with this name already exists on the workflow run')
    expect(result.listed.artifacts).toEqual([
      {
        name: 'snapshot',
        id: result.uploaded.id,
        size: result.uploaded.size,
        digest: `sha256:${result.uploaded.digest}`,
        createdAt: expect.any(String),
      },
    ])
    expect(result.contents).toEqual({ 'data.ndjson.gz': bytes.toString('base64') })
    expect(result).toMatchObject({ digestMismatch: false, deleted: { id: result.uploaded.id }, after: { artifacts: [] } })
    expect(artifacts.of('CreateArtifact')[0]?.body['expires_at']).toEqual(expect.any(String))
  })

  it.each([
    { name: 'the quota', fault: artifactAnswers.quota, message: 'Artifact storage quota has been hit' },
    {
      name: 'a missing permission',
      fault: artifactAnswers.forbidden,
      message: 'Failed request: (403) Forbidden: write permission required',
    },
  ])('refuses an upload for $name', async ({ fault, message }) => {
    await using folder = await makeTempFolder()
    await writeFile(join(folder.path, 'file'), 'text')
    artifacts.fault('CreateArtifact', { answer: fault })

    const { exitCode, stderr } = await runPeer(
      new URL('../../peers/artifact.mjs', import.meta.url),
      { folder: folder.path, name: 'refused' },
      artifacts.newRun().env,
    )

    expect(exitCode).toBe(1)
    expect(stderr).toContain(message)
    expect(artifacts.count('CreateArtifact')).toBe(1)
  })

  it('brings back other bytes than were stored when told so, which the client only reports', async () => {
    await using folder = await makeTempFolder()
    await writeFile(join(folder.path, 'file'), 'x'.repeat(1000))
    artifacts.blobFault({ on: 'download', change: flipByte })
    const run = artifacts.newRun()

    const { stdout } = await runPeer(
      new URL('../../peers/artifact.mjs', import.meta.url),
      { folder: folder.path, name: 'flipped' },
      run.env,
    )

    expect(JSON.parse(/^RESULT (.*)$/m.exec(stdout)?.[1] ?? '{}')).toMatchObject({ digestMismatch: true })
  })
})

describe('the artifact service and REST', () => {
  it('shows what a run stored, newest first, and redirects to its bytes', async () => {
    const run = artifacts.newRun()
    const first = await store(run.env, 'nightly', 'one')
    const second = await store(artifacts.newRun().env, 'nightly', 'two')
    await using rest = await startGithubRest({ artifacts })
    const headers = { authorization: 'Bearer ghs_x' }

    const list = await fetch(`${rest.url}/repos/acme/site/actions/artifacts?name=nightly`, { headers })
    expect(await list.json()).toMatchObject({ total_count: 2, artifacts: [{ id: second }, { id: first, expired: false }] })
    const ofRun = await fetch(`${rest.url}/repos/acme/site/actions/runs/${run.runId}/artifacts`, { headers })
    expect(await ofRun.json()).toMatchObject({ total_count: 1, artifacts: [{ id: first, workflow_run: { id: Number(run.runId) } }] })
    const zip = await fetch(`${rest.url}/repos/acme/site/actions/artifacts/${first}/zip`, { headers })
    expect(await zip.text()).toBe('one')
    expect(rest.requests[0]).toMatchObject({ route: 'artifacts', authorization: 'Bearer ghs_x' })
  })

  it('has an empty zip that is a zip', () => {
    expect(readZip(emptyZip())).toEqual([])
  })
})

/** Stores bytes as an artifact with the calls that the client makes. */
async function store(env: Readonly<Record<string, string>>, name: string, text: string): Promise<number> {
  const { scp } = JSON.parse(Buffer.from(env['ACTIONS_RUNTIME_TOKEN']?.split('.')[1] ?? '', 'base64url').toString())
  const [, workflow_run_backend_id, workflow_job_run_backend_id] = scp.split(' ')[1].split(':')
  const call = async (method: string, body: object) => {
    const response = await fetch(`${env['ACTIONS_RESULTS_URL']}twirp/github.actions.results.api.v1.ArtifactService/${method}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${env['ACTIONS_RUNTIME_TOKEN']}`, 'content-type': 'application/json' },
      body: JSON.stringify({ workflow_run_backend_id, workflow_job_run_backend_id, name, ...body }),
    })
    return (await response.json()) as { signed_upload_url: string; artifact_id: string }
  }
  const { signed_upload_url } = await call('CreateArtifact', { version: 7 })
  const id = Buffer.from('block').toString('base64')
  await fetch(`${signed_upload_url}&comp=block&blockid=${encodeURIComponent(id)}`, { method: 'PUT', body: text })
  await fetch(`${signed_upload_url}&comp=blocklist`, {
    method: 'PUT',
    body: `<?xml version="1.0" encoding="utf-8"?><BlockList><Latest>${id}</Latest></BlockList>`,
  })
  return Number((await call('FinalizeArtifact', { size: String(text.length), hash: '' })).artifact_id)
}
