import { readdir } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { type Artifacts, artifactAnswers, startArtifacts } from '../../doubles/artifacts/artifacts.ts'
import { startGithubRest } from '../../doubles/github/github.ts'
import { type Sanity, startSanity } from '../../doubles/sanity/sanity.ts'
import { smallDisk } from '../../support/disk.ts'
import { until } from '../../support/process.ts'
import { readZip } from '../../support/zip.ts'
import { backUp, failureOf, readSnapshot, together } from '../support.ts'
import { add, addMany, backUpAssets, change, edit, png, type TestAsset } from './assets-support.ts'

type Fault = Parameters<Sanity['fault']>[1]

/** Each fault hits the first of three assets only. */
const ofFirst = ({ url }: TestAsset, fault: Fault): Fault => ({ ...fault, when: ({ path }) => path === new URL(url).pathname })
const cut: Fault = { stream: { ending: { how: 'cut', afterBytes: 10 } } }
const processed = { bytes: Buffer.from('processed') }

type Row = { readonly name: string; readonly spoil: (sanity: Sanity, asset: TestAsset) => void; readonly asked: number }

const healing: Row[] = [
  { name: '500', spoil: (sanity, asset) => sanity.fault('asset', ofFirst(asset, { answer: { status: 500 }, times: 1 })), asked: 2 },
  {
    name: '503 with HTML',
    spoil: (sanity, asset) => sanity.fault('asset', ofFirst(asset, { answer: { status: 503, body: '<h1>no</h1>' }, times: 2 })),
    asked: 3,
  },
  {
    name: '429 that asks for a second',
    spoil: (sanity, asset) => sanity.fault('asset', ofFirst(asset, { answer: { status: 429, headers: { 'retry-after': '1' } }, times: 1 })),
    asked: 2,
  },
  {
    name: '429 with a date',
    spoil: (sanity, asset) =>
      sanity.fault(
        'asset',
        ofFirst(asset, { answer: { status: 429, headers: { 'retry-after': new Date(Date.now() + 2000).toUTCString() } }, times: 1 }),
      ),
    asked: 2,
  },
  { name: 'a reset', spoil: (sanity, asset) => sanity.fault('asset', ofFirst(asset, { connection: 'reset', times: 1 })), asked: 2 },
  { name: 'a cut body', spoil: (sanity, asset) => sanity.fault('asset', ofFirst(asset, { ...cut, times: 1 })), asked: 2 },
  {
    name: 'an empty body',
    spoil: (sanity, asset) => sanity.fault('asset', ofFirst(asset, { answer: { status: 200 }, times: 1 })),
    asked: 2,
  },
  {
    name: 'other bytes',
    spoil: (sanity, asset) => sanity.fault('asset', ofFirst(asset, { answer: { status: 200, body: 'captive portal' }, times: 2 })),
    asked: 3,
  },
]

type Lasting = Row & { readonly status: number; readonly says: RegExp }

const answering = (status: number, asked = 1): Lasting => ({
  name: String(status),
  spoil: (sanity, asset) => sanity.fault('asset', ofFirst(asset, { answer: { status } })),
  status,
  asked,
  says: new RegExp(`answered ${status}`),
})

const lasting: Lasting[] = [
  ...[401, 403, 404, 410, 400].map((status) => answering(status)),
  answering(500, 5),
  {
    name: 'no url',
    spoil: (sanity, asset) => edit(sanity, asset, { url: undefined, path: undefined }),
    status: 0,
    asked: 0,
    says: /no url and no path/,
  },
  {
    name: 'a file that is gone',
    spoil: (sanity, asset) => sanity.store().assets.delete(new URL(asset.url).pathname),
    status: 404,
    asked: 1,
    says: /404/,
  },
  {
    name: 'a content encoding',
    spoil: (sanity, asset) =>
      sanity.fault('asset', ofFirst(asset, { answer: { status: 200, headers: { 'content-encoding': 'gzip' }, body: gzipSync('x') } })),
    status: 200,
    asked: 1,
    says: /content encoding/,
  },
  {
    name: 'both digests wrong',
    spoil: (sanity, asset) => change(sanity, asset, () => processed),
    status: 200,
    asked: 4,
    says: /other bytes/,
  },
  {
    name: 'no digests, and other bytes',
    spoil: (sanity, asset) => sanity.fault('asset', ofFirst(asset, { answer: { status: 200, body: 'portal' } })),
    status: 200,
    asked: 4,
    says: /other bytes/,
  },
  {
    name: 'a body that is always cut',
    spoil: (sanity, asset) => sanity.fault('asset', ofFirst(asset, cut)),
    status: 200,
    asked: 5,
    says: /was cut/,
  },
  {
    name: 'a connection that is always reset',
    spoil: (sanity, asset) => sanity.fault('asset', ofFirst(asset, { connection: 'reset' })),
    status: 0,
    asked: 5,
    says: /cannot be reached/,
  },
]

// Both families mostly wait, so they run together.
const healed = together(healing, async ({ spoil }) => {
  await using made = await backUpAssets((sanity) => {
    const assets = addMany(sanity, 3)
    spoil(sanity, assets[0] as TestAsset)
    return assets
  })
  const { manifest } = await readSnapshot(made.run)
  const first = new URL(made.filled[0]?.url ?? '').pathname
  return {
    exitCode: made.run.exitCode,
    assets: manifest.assets,
    asked: made.sanity.of('asset').filter(({ path }) => path === first).length,
  }
})

const listed = together(lasting, async ({ spoil }) => {
  await using made = await backUpAssets(
    (sanity) => {
      const assets = addMany(sanity, 3)
      spoil(sanity, assets[0] as TestAsset)
      return assets
    },
    { inputs: { 'on-missing-asset': 'warn' } },
  )
  const { run, sanity, filled } = made
  const [first] = filled
  const { manifest } = await readSnapshot(run)
  const asked = sanity.of('asset').filter(({ path }) => path === new URL(first?.url ?? '').pathname).length
  return { outputs: run.outputs, warnings: run.warnings.join('\n'), summary: run.summary, manifest, asked, first, exitCode: run.exitCode }
})

describe('a fault that heals', () => {
  it.each(healing)('leaves no trace: $name', async ({ name, asked }) => {
    expect(await healed(name)).toMatchObject({ exitCode: 0, assets: { count: 3, missing: [] }, asked })
  })
})

describe('an asset that cannot be saved', () => {
  it.each(lasting)('is listed, and told with the document that refers to it: $name', async ({ name, status, asked, says }) => {
    const { first, manifest, outputs, warnings, summary, exitCode, asked: times } = await listed(name)
    const url = name === 'no url' ? '' : first?.url
    expect(manifest.assets.missing).toEqual([{ id: first?.id, url, status }])
    expect(manifest).toMatchObject({ complete: false, assets: { count: 2 } })
    expect({ exitCode, times }).toEqual({ exitCode: 0, times: asked })
    expect(outputs).toMatchObject({ status: 'incomplete', 'asset-count': '2', 'missing-asset-count': '1' })
    expect(warnings).toMatch(says)
    expect(warnings).toContain(`Referred to by about-${first?.id}`)
    expect(summary).toMatch(/incomplete/)
    expect(summary).toContain('### Missing assets')
    expect(summary).toContain(`about-${first?.id}`)
  })
})

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

describe('a file that is far larger than its document says', () => {
  it('is missing, and that is said', async () => {
    await using made = await backUpAssets(
      (sanity) => {
        const asset = add(sanity, 'files', Buffer.alloc(20_000_000, 'x'), 'film.mp4')
        edit(sanity, asset, { size: 10 })
        return asset
      },
      { inputs: { 'on-missing-asset': 'warn' } },
    )
    expect(made.run.outputs).toMatchObject({ status: 'incomplete', 'missing-asset-count': '1' })
    expect(made.run.maskedLog).toMatch(/More than four times the size that the document of the asset says came/)
    expect(made.sanity.count('asset')).toBe(2)
  })
})

describe('what ends the run', () => {
  it('is a host that gives other bytes for file after file, without asking for all of them', async () => {
    await using made = await backUpAssets(
      (sanity) => {
        const assets = addMany(sanity, 250)
        for (const asset of assets) change(sanity, asset, () => processed)
      },
      { inputs: { 'asset-concurrency': '64', 'on-missing-asset': 'ignore' } },
    )
    expect(failureOf(made.run)).toMatchObject({ exitCode: 1, code: 'sanity-unavailable', title: 'The asset host fails time after time' })
    expect(made.sanity.count('asset')).toBeLessThan(500)
  })

  it('is a host that fails time after time, without asking for every file', async () => {
    await using made = await backUpAssets(
      (sanity) => {
        sanity.fault('asset', { answer: { status: 503 } })
        return addMany(sanity, 150)
      },
      { inputs: { 'asset-concurrency': '4', 'on-missing-asset': 'ignore' } },
    )
    expect(failureOf(made.run)).toMatchObject({ exitCode: 1, code: 'sanity-unavailable', title: 'The asset host fails time after time' })
    expect(made.sanity.count('asset')).toBeLessThan(24)
  })

  it('is a disk that is full, and what is told of it counts the files that were there', async () => {
    await using disk = await smallDisk(1024 * 1024)
    await using made = await backUpAssets(
      (sanity) => {
        for (const asset of Array.from({ length: 20 }, (_, index) => add(sanity, 'images', png(index + 1, 100_000)))) {
          edit(sanity, asset, { size: undefined })
        }
      },
      { path: disk.path, inputs: { 'asset-concurrency': '1' } },
    )
    expect(failureOf(made.run)).toMatchObject({ exitCode: 1, code: 'disk-full' })
    expect(failureOf(made.run).message).toMatch(/needs more than ([5-9]\d\d(\.\d)? kB|1\.\d MB)/)
    expect(await readdir(disk.path)).toEqual([])
  })

  it('is a rate limit that outlasts the patience', async () => {
    await using made = await backUpAssets((sanity) => {
      sanity.fault('asset', { answer: { status: 429, headers: { 'retry-after': '3600' } } })
      return addMany(sanity, 40)
    })
    expect(failureOf(made.run)).toMatchObject({ exitCode: 1, code: 'sanity-rate-limited' })
    expect(made.sanity.count('asset')).toBeLessThan(40)
    expect(made.run.durationMs).toBeLessThan(20_000)
  })

  it('is a disk that has no room for what the documents announce, before anything is downloaded', async () => {
    await using made = await backUpAssets((sanity) => edit(sanity, add(sanity, 'images', png(1)), { size: 8e15 }))
    const { code, message } = failureOf(made.run)
    expect(code).toBe('disk-full')
    expect(message).toMatch(/need more than 8000\.0 TB .* were free/)
    expect(made.sanity.count('asset')).toBe(0)
  })

  it('is a cancellation in the middle of a download, and nothing is left', async () => {
    await using sanity = await startSanity({ documents: [{ _id: 'first', _type: 'post' }] })
    addMany(sanity, 20)
    sanity.fault('asset', { stream: { ending: { how: 'stall', afterBytes: 5 } }, skip: 6 })
    await using run = await backUp(
      { sanity },
      {
        inputs: { 'include-assets': 'true' },
        onStart: async ({ signal }) => {
          await until(() => sanity.count('asset') >= 12)
          signal('SIGTERM')
        },
      },
    )
    expect(failureOf(run)).toMatchObject({ exitCode: 130, code: 'cancelled' })
    expect(run.durationMs).toBeLessThan(15_000)
  })

  it('is an export that fails while files are downloaded', async () => {
    await using sanity = await startSanity({ documents: [{ _id: 'first', _type: 'post' }] })
    addMany(sanity, 20)
    sanity.fault('asset', { stream: { ending: { how: 'stall', afterBytes: 5 } } })
    sanity.fault('export', { stream: { last: ['{"_type":"no id"}'] } })
    await using run = await backUp({ sanity }, { inputs: { 'include-assets': 'true' } })
    expect(failureOf(run)).toMatchObject({ exitCode: 1, code: 'export-invalid' })
    expect(run.durationMs).toBeLessThan(15_000)
  })
})

async function manifestIn(artifacts: Artifacts, id: number): Promise<object> {
  const entry = readZip(await artifacts.fetchBytes(id)).find(({ name }) => name === 'manifest.json')
  return JSON.parse(entry?.read().toString('utf8') ?? '{}') as object
}
