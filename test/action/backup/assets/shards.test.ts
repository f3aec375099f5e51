import { describe, expect, it } from '@jest/globals'
import { startArtifacts } from '../../../doubles/artifacts/artifacts.ts'
import { startGithubRest } from '../../../doubles/github/github.ts'
import { type Sanity, startSanity } from '../../../doubles/sanity/sanity.ts'
import { backUp, failureOf, readSnapshot } from '../../support.ts'
import { addMany, readLedger } from './support.ts'

async function shardOf(sanity: Sanity, shard: string, inputs: Readonly<Record<string, string>> = {}) {
  await using run = await backUp({ sanity }, { inputs: { 'include-assets': 'true', shard, ...inputs } })
  expect(failureOf(run)).toMatchObject({ exitCode: 0, message: '' })
  const snapshot = await readSnapshot(run)
  return { ...snapshot, outputs: run.outputs, summary: run.summary, ledger: await readLedger(snapshot) }
}

describe('shard', () => {
  it.each([1, 2, 7])('saves every asset exactly once over %i shards, and the documents in the first', async (of) => {
    await using sanity = await startSanity({ documents: [{ _id: 'first', _type: 'post' }] })
    const assets = addMany(sanity, 40)
    const all = [...Array(of).keys()].map((index) => index + 1)
    const shards = await Promise.all(all.map((index) => shardOf(sanity, `${index}/${of}`)))

    expect(shards.flatMap(({ ledger }) => ledger.map(({ id }) => id)).toSorted()).toEqual(assets.map(({ id }) => id).toSorted())
    expect(shards.map(({ manifest }) => manifest.shard)).toEqual(all.map((index) => ({ index, of })))
    expect(shards.map(({ manifest }) => manifest.documents.count)).toEqual(all.map((index) => (index === 1 ? 81 : 0)))
    expect(shards.map(({ files }) => files.includes('data.ndjson.gz'))).toEqual(all.map((index) => index === 1))
    expect(sanity.count('asset')).toBe(40)
  })

  it('names what it saves, and says what it is not', async () => {
    await using sanity = await startSanity({ documents: [{ _id: 'first', _type: 'post' }] })
    addMany(sanity, 12)
    const { manifest, outputs, summary } = await shardOf(sanity, '2/3', { label: 'weekly' })
    expect(manifest.snapshot).toMatch(/Z-weekly-shard-2-of-3$/)
    expect(outputs).toMatchObject({ status: 'stored', 'document-count': '0', digest: '' })
    expect(manifest).toMatchObject({ complete: true, documents: { count: 0, byType: {}, contentDigest: `sumsha256:${'0'.repeat(64)}` } })
    expect(manifest.files[0]?.path).toBe('assets.ndjson.gz')
    expect(summary).toContain('| Shard | 2 of 3 |')
    expect(summary).toContain('Together with shard 1')
    expect(sanity.of('export').map(({ query }) => query['types'])).toEqual(['sanity.imageAsset,sanity.fileAsset'])
  })

  it('has its own artifact', async () => {
    await using sanity = await startSanity({ documents: [{ _id: 'first', _type: 'post' }] })
    addMany(sanity, 8)
    await using artifacts = await startArtifacts()
    await using github = await startGithubRest({ artifacts })
    const workflowRun = artifacts.newRun()
    for (const shard of ['1/2', '2/2']) {
      await using run = await backUp({ sanity, artifacts, github, run: workflowRun }, { inputs: { 'include-assets': 'true', shard } })
      expect(failureOf(run)).toMatchObject({ exitCode: 0, message: '' })
    }
    expect(
      artifacts
        .list(workflowRun.runId)
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(['sanity-abc12345-production-shard-1-of-2', 'sanity-abc12345-production-shard-2-of-2'])
  })

  it('has no least number of documents above the first', async () => {
    await using sanity = await startSanity({ documents: [] })
    await shardOf(sanity, '2/2')
    await using run = await backUp({ sanity }, { inputs: { 'include-assets': 'true', shard: '1/2' } })
    expect(failureOf(run)).toMatchObject({ exitCode: 1, code: 'too-few-documents' })
  })

  it('lists an asset without a proper id in one shard only', async () => {
    await using sanity = await startSanity({
      documents: Array.from({ length: 9 }, (_, index) => ({ _id: `odd-${index}`, _type: 'sanity.fileAsset' })),
    })
    const shards = await Promise.all([1, 2, 3].map((index) => shardOf(sanity, `${index}/3`, { 'on-missing-asset': 'ignore' })))
    expect(shards.flatMap(({ manifest }) => manifest.assets.missing.map(({ id }) => id)).toSorted()).toEqual(
      Array.from({ length: 9 }, (_, index) => `odd-${index}`),
    )
  })
})
