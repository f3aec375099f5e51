import { appendFile, mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { type Sanity, startSanity } from '../../../doubles/sanity/sanity.ts'
import { makeTempFolder } from '../../../support/process.ts'
import { backUp, failureOf, readSnapshot } from '../../support.ts'
import { addMany, change, edit, hashOf, readLedger, type TestAsset } from './support.ts'

const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"><script>alert(1)</script></svg>'

async function setUp() {
  const stack = new AsyncDisposableStack()
  const sanity = stack.use(await startSanity({ documents: [{ _id: 'first', _type: 'post' }] }))
  const temp = stack.use(await makeTempFolder('cache'))
  const cache = join(temp.path, 'deep', 'cache')
  const again = async () => {
    sanity.reset()
    const run = stack.use(await backUp({ sanity }, { inputs: { 'include-assets': 'true', 'asset-cache': cache } }))
    expect(failureOf(run)).toMatchObject({ exitCode: 0, message: '' })
    return { run, ...(await readSnapshot(run)) }
  }
  return { sanity, cache, again, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

const fileIn = (cache: string, { path }: TestAsset): string => join(cache, path.replace('assets/', ''))
const downloads = (sanity: Sanity): number => sanity.of('asset').filter(({ method }) => method === 'GET').length

describe('asset-cache', () => {
  it('lets a second run over the same assets download nothing', async () => {
    await using made = await setUp()
    const assets = addMany(made.sanity, 6)
    const first = await made.again()
    expect(first.manifest.assets.reused).toBe(0)
    const second = await made.again()
    expect(made.sanity.count('asset')).toBe(0)
    expect(second.manifest.assets).toMatchObject({ count: 6, reused: 6, missing: [] })
    expect(second.manifest.files.slice(1)).toEqual(first.manifest.files.slice(1))
    for (const { path, bytes } of assets) expect((await readFile(join(second.folder, path))).equals(bytes)).toBe(true)
    expect(second.run.summary).toContain('6 reused from the cache')
    expect(second.run.maskedLog).toMatch(/Saved 6 assets \(.*, 6 of them from the cache\)/)
  })

  it('downloads only what is new', async () => {
    await using made = await setUp()
    addMany(made.sanity, 2)
    await made.again()
    addMany(made.sanity, 5)
    expect((await made.again()).manifest.assets).toMatchObject({ count: 5, reused: 2 })
    expect(downloads(made.sanity)).toBe(3)
  })

  it('takes no file at its word: one that was changed, cut or filled with zeros is downloaded anew, and replaced', async () => {
    await using made = await setUp()
    const assets = addMany(made.sanity, 4)
    await made.again()
    const [changed, cut, longer] = assets.map((asset) => fileIn(made.cache, asset))
    const bytes = await readFile(changed ?? '')
    await writeFile(changed ?? '', bytes.fill(1))
    await truncate(cut ?? '', 3)
    await appendFile(longer ?? '', 'x')
    const second = await made.again()
    expect(second.manifest.assets).toMatchObject({ count: 4, reused: 1 })
    for (const { path, bytes: right } of assets) expect((await readFile(join(second.folder, path))).equals(right)).toBe(true)
    expect((await made.again()).manifest.assets.reused).toBe(4)
  })

  it('asks the asset host about an SVG that differs from its id, and downloads no byte of it', async () => {
    await using made = await setUp()
    const { _id: id, url } = made.sanity.addAsset({ kind: 'images', bytes: Buffer.from(svg) })
    const clean = Buffer.from(svg.replace(/<script.*script>/, ''))
    change(made.sanity, { id, url, path: '', bytes: clean }, () => ({ bytes: clean, md5: hashOf('md5', clean) }))
    await made.again()
    const second = await made.again()
    expect(second.manifest.assets).toMatchObject({ count: 1, reused: 1 })
    expect((await readLedger(second))[0]).toMatchObject({ provenBy: 'x-sanity-md5' })
    expect(made.sanity.of('asset').map(({ method }) => method)).toEqual(['HEAD'])
  })

  it('downloads no byte of any other file that the asset host proves, either', async () => {
    await using made = await setUp()
    const [asset] = addMany(made.sanity, 1) as [TestAsset]
    const stored = Buffer.concat([asset.bytes, Buffer.from('and more')])
    change(made.sanity, asset, () => ({ bytes: stored, md5: hashOf('md5', stored) }))
    edit(made.sanity, asset, { size: stored.length })
    await made.again()
    const second = await made.again()
    expect(second.manifest.assets).toMatchObject({ count: 1, reused: 1 })
    expect(made.sanity.of('asset').map(({ method }) => method)).toEqual(['HEAD'])
  })

  it('leaves the snapshot whole when another run removes or replaces what is in it', async () => {
    await using made = await setUp()
    addMany(made.sanity, 30)
    const runs = await Promise.all([1, 2].map(async () => await made.again()))
    expect(runs.map(({ manifest }) => manifest.assets.count)).toEqual([30, 30])
    const names = await readdir(made.cache, { recursive: true })
    expect(names.filter((name) => name.endsWith('.partial'))).toEqual([])
    expect(names.filter((name) => name.includes('.'))).toHaveLength(30)
  })

  it('leaves alone what others have put there', async () => {
    await using made = await setUp()
    addMany(made.sanity, 2)
    await mkdir(join(made.cache, 'images'), { recursive: true })
    await writeFile(join(made.cache, 'images', 'my-notes.txt'), 'precious')
    await made.again()
    expect(await readFile(join(made.cache, 'images', 'my-notes.txt'), 'utf8')).toBe('precious')
  })

  it('is refused as an input when it can be no folder', async () => {
    await using made = await setUp()
    await mkdir(join(made.cache, '..'), { recursive: true })
    await writeFile(made.cache, 'a file')
    await using run = await backUp({ sanity: made.sanity }, { inputs: { 'include-assets': 'true', 'asset-cache': made.cache } })
    expect(failureOf(run)).toMatchObject({ code: 'input-invalid', message: expect.stringContaining('asset-cache: ') })
  })
})
