import { describe, expect, it } from '@jest/globals'
import { type Artifacts, artifactAnswers, startArtifacts } from '../../../doubles/artifacts/artifacts.ts'
import { startGithubRest } from '../../../doubles/github/github.ts'
import type { Sanity } from '../../../doubles/sanity/sanity.ts'
import { readZip } from '../../../support/zip.ts'
import { failureOf } from '../../support.ts'
import { ofFirst, processed } from './faults.ts'
import { addMany, backUpAssets, change, type TestAsset } from './support.ts'

describe('on-missing-asset', () => {
  const missFirst = (sanity: Sanity) => {
    const assets = addMany(sanity, 3)
    sanity.store().assets.delete(new URL(assets[0]?.url ?? '').pathname)
    return assets
  }

  it('ignore: goes on without a warning', async () => {
    await using made = await backUpAssets(missFirst, { inputs: { 'on-missing-asset': 'ignore' } })
    expect(made.run).toMatchObject({ exitCode: 0, warnings: [] })
    expect(made.run.outputs).toMatchObject({ status: 'incomplete', 'missing-asset-count': '1' })
    expect(made.run.maskedLog).toContain(made.filled[0]?.id)
  })

  it('fail: keeps nothing in a folder', async () => {
    await using made = await backUpAssets(missFirst)
    const { code, title, message } = failureOf(made.run)
    expect({ code, title }).toEqual({ code: 'asset-missing', title: '1 asset could not be saved' })
    expect(message).toContain(`${made.filled[0]?.id} (404)`)
    expect(message).toContain(`Referred to by about-${made.filled[0]?.id}`)
    expect(made.run.outputs).toEqual({ status: 'incomplete', 'error-code': 'asset-missing' })
  })

  it('fail: keeps what was saved as an artifact of another name, and in no other place', async () => {
    await using artifacts = await startArtifacts()
    await using github = await startGithubRest({ artifacts })
    const run = artifacts.newRun()
    await using made = await backUpAssets(missFirst, {
      services: { artifacts, github, run },
      inputs: { destination: 'artifact, directory' },
    })
    expect(failureOf(made.run)).toMatchObject({ exitCode: 1, code: 'asset-missing' })
    expect(made.run.outputs).toMatchObject({ status: 'incomplete', path: '', 'asset-count': '2', 'missing-asset-count': '1' })
    expect(artifacts.list(run.runId).map(({ name }) => name)).toEqual(['sanity-abc12345-production-incomplete'])
    const manifest = await manifestIn(artifacts, Number(made.run.outputs['artifact-id']))
    expect(manifest).toMatchObject({ complete: false, assets: { count: 2, missing: [{ id: made.filled[0]?.id, status: 404 }] } })
    expect(await made.run.filesLeft(made.run.path)).toEqual([])
    expect(made.run.summary).toMatch(/❌ incomplete/)
  })

  it('fail: keeps nothing where the repository is public', async () => {
    await using artifacts = await startArtifacts()
    await using github = await startGithubRest({ artifacts, visibility: 'public' })
    const run = artifacts.newRun()
    await using made = await backUpAssets(missFirst, { services: { artifacts, github, run } })
    expect(failureOf(made.run)).toMatchObject({ exitCode: 1, code: 'public-repository' })
    expect(artifacts.list(run.runId)).toEqual([])
  })

  it('fail: says so when what was saved cannot be kept either', async () => {
    await using artifacts = await startArtifacts()
    await using github = await startGithubRest({ artifacts })
    const run = artifacts.newRun()
    artifacts.fault('CreateArtifact', { answer: artifactAnswers.quota })
    await using made = await backUpAssets(missFirst, { services: { artifacts, github, run } })
    const { code, message } = failureOf(made.run)
    expect(code).toBe('asset-missing')
    expect(message).toMatch(/could not be kept/)
    expect(artifacts.list(run.runId)).toEqual([])
  })
})

describe('files that cannot be had, among many that can', () => {
  it('are missing, and no more, however few come at a time', async () => {
    await using made = await backUpAssets(
      (sanity) => {
        const assets = addMany(sanity, 5)
        sanity.fault('asset', ofFirst(assets[1] as TestAsset, { answer: { status: 500 } }))
      },
      { inputs: { 'asset-concurrency': '1', 'on-missing-asset': 'ignore' } },
    )
    expect(failureOf(made.run)).toMatchObject({ exitCode: 0, message: '' })
    expect(made.run.outputs).toMatchObject({ 'asset-count': '4', 'missing-asset-count': '1' })
  })

  it('are missing when the host gives other bytes for them, however many they are', async () => {
    await using made = await backUpAssets(
      (sanity) => {
        const assets = addMany(sanity, 30)
        for (const asset of assets.slice(5)) change(sanity, asset, () => processed)
      },
      { inputs: { 'asset-concurrency': '25', 'on-missing-asset': 'warn' } },
    )
    expect(failureOf(made.run)).toMatchObject({ exitCode: 0, message: '' })
    expect(made.run.outputs).toMatchObject({ status: 'incomplete', 'asset-count': '5', 'missing-asset-count': '25' })
  })
})

async function manifestIn(artifacts: Artifacts, id: number): Promise<object> {
  const entry = readZip(await artifacts.fetchBytes(id)).find(({ name }) => name === 'manifest.json')
  return JSON.parse(entry?.read().toString('utf8') ?? '{}') as object
}
