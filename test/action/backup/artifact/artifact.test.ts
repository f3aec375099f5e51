import { randomBytes } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { readZip, type ZipEntry } from '../../../support/zip.ts'
import { failureOf, readSnapshot, sha256 } from '../../support.ts'
import { artifacts, backUpInRun, type Outcome } from './support.ts'

async function zipOf({ stored }: Outcome): Promise<ZipEntry[]> {
  return readZip(await artifacts.fetchBytes(stored[0]?.id ?? 0))
}

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
