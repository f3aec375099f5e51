import { gzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import type { Sanity } from '../../../doubles/sanity/sanity.ts'
import { readSnapshot, together } from '../../support.ts'
import { type Fault, ofFirst, processed } from './faults.ts'
import { addMany, backUpAssets, change, edit, type TestAsset } from './support.ts'

const cut: Fault = { stream: { ending: { how: 'cut', afterBytes: 10 } } }

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
  // What else a host refuses with is proven by `test/sanity/asset-host.test.ts`.
  ...[401, 400].map((status) => answering(status)),
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
