import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import type { Sanity } from '../../../doubles/sanity/sanity.ts'
import { makeTempFolder } from '../../../support/process.ts'
import { failureOf, readSnapshot, startHoneypot, together } from '../../support.ts'
import { add, backUpAssets, change, edit, hashOf, png, readLedger, type TestAsset } from './support.ts'

const oldImage = 'G3i4emG6B8JnTmGoN0UjgAp8'
const oldFile = 'Tb9Ew8CXIwaY6R1kjMvI0uRR'

function addOld(sanity: Sanity, kind: 'images' | 'files', oldHash: string): TestAsset {
  const bytes = kind === 'images' ? png(7) : Buffer.from('an old file')
  return asTestAsset(sanity.addAsset({ kind, bytes, oldHash, filename: 'a.pdf' }), kind, bytes)
}

function asTestAsset({ _id, url }: { readonly _id: string; readonly url: string }, kind: 'images' | 'files', bytes: Buffer): TestAsset {
  return { id: _id, url, path: `assets/${kind}/${url.slice(url.lastIndexOf('/') + 1)}`, bytes }
}

/** Gives an asset's document another id, as an import or a script can. */
function rename(sanity: Sanity, asset: TestAsset, id: string): TestAsset {
  const document = sanity.store().find(asset.id) ?? { _id: '', _type: '' }
  sanity.store().remove(asset.id)
  sanity.store().put({ ...document, _id: id })
  return { ...asset, id }
}

const elsewhere = 'https://cdn.example.com/images/abc12345/production/a.png'

type Row = { readonly name: string; readonly fill: (sanity: Sanity) => TestAsset; readonly provenBy: string }

const found: Row[] = [
  { name: 'an old id of an image', fill: (sanity) => addOld(sanity, 'images', oldImage), provenBy: 'sha1hash' },
  { name: 'an old id of a file', fill: (sanity) => addOld(sanity, 'files', oldFile), provenBy: 'sha1hash' },
  {
    name: 'an old id without a sha1hash',
    fill: (sanity) => edited(sanity, addOld(sanity, 'images', oldImage), { sha1hash: undefined }),
    provenBy: 'x-sanity-md5',
  },
  {
    name: 'an old id of a draft',
    fill: (sanity) => rename(sanity, addOld(sanity, 'files', oldFile), `drafts.file-${oldFile}-pdf`),
    provenBy: 'sha1hash',
  },
  { name: 'no url', fill: (sanity) => edited(sanity, add(sanity, 'images', png(3)), { url: undefined }), provenBy: 'sha1' },
  { name: 'a url that is none', fill: (sanity) => edited(sanity, add(sanity, 'files', png(3)), { url: 'a b' }), provenBy: 'sha1' },
  { name: 'a url of another type', fill: (sanity) => edited(sanity, add(sanity, 'files', png(3)), { url: { x: 1 } }), provenBy: 'sha1' },
  {
    name: 'a url at a host of one’s own',
    fill: (sanity) => edited(sanity, add(sanity, 'images', png(3)), { url: elsewhere }),
    provenBy: 'sha1',
  },
  { name: 'an id made by hand', fill: (sanity) => rename(sanity, add(sanity, 'images', png(3)), 'hero'), provenBy: 'sha1' },
  {
    name: 'an id made by hand that looks like one',
    fill: (sanity) => rename(sanity, add(sanity, 'images', png(3)), 'image-hero-1x1-png'),
    provenBy: 'sha1',
  },
  {
    name: 'an id made by hand, without a url',
    fill: (sanity) => edited(sanity, rename(sanity, add(sanity, 'files', png(3), 'a.mp4'), 'my.film'), { url: undefined }),
    provenBy: 'sha1',
  },
  {
    name: 'an id made by hand, with an old name',
    fill: (sanity) => rename(sanity, addOld(sanity, 'images', oldImage), 'drafts.hero'),
    provenBy: 'sha1hash',
  },
]

function edited(sanity: Sanity, asset: TestAsset, fields: Readonly<Record<string, unknown>>): TestAsset {
  edit(sanity, asset, fields)
  return asset
}

const saved = together(found, async ({ fill }) => {
  await using made = await backUpAssets(fill)
  const { id, path, bytes } = made.filled
  const { folder, manifest } = await readSnapshot(made.run)
  const [line] = await readLedger({ folder })
  const isSame = line !== undefined && (await readFile(join(folder, line.path))).equals(bytes)
  return { failure: failureOf(made.run), missing: manifest.assets.missing, line, isSame, id, path, asked: made.sanity.count('asset') }
})

describe('an asset that Sanity has, though its document is not as usual', () => {
  it.each(found)('is saved and proven: $name', async ({ name, provenBy }) => {
    const { failure, missing, line, isSame, id, path, asked } = await saved(name)
    expect({ exitCode: failure.exitCode, message: failure.message, missing, isSame, asked }).toEqual({
      exitCode: 0,
      message: '',
      missing: [],
      isSame: true,
      asked: 1,
    })
    expect(line).toMatchObject({ id, path, provenBy })
  })

  it('is not asked for at the other host', async () => {
    await using honeypot = await startHoneypot()
    await using made = await backUpAssets((sanity) =>
      edit(sanity, add(sanity, 'images', png(3)), { url: `${honeypot.url}/images/abc12345/production/a.png` }),
    )
    expect(made.run.outputs).toMatchObject({ status: 'stored', 'asset-count': '1' })
    expect(honeypot.requests).toEqual([])
  })

  it('is taken from the cache on the next night, proven anew', async () => {
    await using cache = await makeTempFolder('cache')
    const inputs = { 'asset-cache': cache.path }
    await using first = await backUpAssets((sanity) => addOld(sanity, 'images', oldImage), { inputs })
    await using second = await backUpAssets((sanity) => addOld(sanity, 'images', oldImage), { inputs })
    expect([first.sanity.count('asset'), second.sanity.count('asset')]).toEqual([1, 0])
    expect((await readSnapshot(second.run)).manifest.assets).toMatchObject({ count: 1, reused: 1, missing: [] })
  })
})

const svg = (text: string) => Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4">${text}</svg>`)

type Lost = { readonly name: string; readonly fill: (sanity: Sanity) => unknown; readonly says: RegExp; readonly cure: RegExp }

const mendAddress = /neither `url` nor `path` .* the file itself may be well/
const keep = /nothing is wrong with it: leave it as it is/
const compare = /compare `sha1hash` and `url`/

const lost: Lost[] = [
  {
    name: 'an SVG whose url leads to another file',
    fill: (sanity) => {
      const other = add(sanity, 'images', svg('<b/>'))
      edit(sanity, add(sanity, 'images', svg('<a/>')), { url: other.url })
    },
    says: /Neither the SHA-1 of the asset nor/,
    cure: compare,
  },
  {
    name: 'an image whose url leads to another file of its size',
    fill: (sanity) => {
      const other = add(sanity, 'images', png(5))
      edit(sanity, add(sanity, 'images', png(6)), { url: other.url })
    },
    says: /Neither the SHA-1 of the asset nor/,
    cure: compare,
  },
  {
    name: 'an old id whose url leads to another file',
    fill: (sanity) => {
      const other = add(sanity, 'images', png(5))
      edit(sanity, addOld(sanity, 'images', oldImage), { url: other.url, sha1hash: undefined })
    },
    says: /Neither the SHA-1 of the asset nor/,
    cure: compare,
  },
  {
    name: 'an old name of which two documents say different things',
    fill: (sanity) => {
      const asset = addOld(sanity, 'images', oldImage)
      const document = sanity.store().find(asset.id) ?? { _id: '', _type: '' }
      sanity.store().put({ ...document, _id: `drafts.${asset.id}`, sha1hash: hashOf('sha1', 'other') })
    },
    says: /another document says that the file of this name has another SHA-1/,
    cure: compare,
  },
  {
    name: 'neither url nor path',
    fill: (sanity) => edit(sanity, add(sanity, 'images', png(3)), { url: undefined, path: undefined }),
    says: /its document has no url and no path/,
    cure: mendAddress,
  },
  {
    name: 'a url at another host and no path',
    fill: (sanity) => edit(sanity, add(sanity, 'images', png(3)), { url: elsewhere, path: undefined }),
    says: /neither its url nor its path leads to Sanity/,
    cure: mendAddress,
  },
  {
    name: 'an id made by hand and a file that is not named as Sanity does',
    fill: (sanity) =>
      sanity.store().put({ _id: 'hero', _type: 'sanity.imageAsset', url: `${sanity.url}/images/abc12345/production/hero.png` }),
    says: /no file can be named after it/,
    cure: keep,
  },
  {
    name: 'a file that the token may not read',
    fill: (sanity) => {
      add(sanity, 'images', png(3))
      sanity.fault('asset', { answer: { status: 403 } })
    },
    says: /answered 403/,
    cure: /give it the Viewer role/,
  },
]

const missed = together(lost, async ({ fill }) => {
  await using made = await backUpAssets(fill, { inputs: { destination: 'directory' } })
  return failureOf(made.run)
})

describe('an asset that cannot be saved', () => {
  it.each(lost)('is missing, and the cure fits, without the advice to delete anything: $name', async ({ name, says, cure }) => {
    const { code, title, message } = await missed(name)
    expect({ code, title }).toEqual({ code: 'asset-missing', title: '1 asset could not be saved' })
    expect(message).toMatch(says)
    expect(message).toMatch(cure)
    expect(message).not.toMatch(/delete/i)
  })

  it('may be deleted, if its file is gone and the Studio does not show it either', async () => {
    await using made = await backUpAssets((sanity) => sanity.store().assets.delete(new URL(add(sanity, 'images', png(3)).url).pathname))
    expect(failureOf(made.run).message).toMatch(/If it does not show the file either, the file is gone: .* delete its asset document/)
  })

  it('is never stored under the id of another file', async () => {
    await using made = await backUpAssets(lost[0]?.fill ?? (() => undefined), { inputs: { 'on-missing-asset': 'warn' } })
    const { folder } = await readSnapshot(made.run)
    expect((await readLedger({ folder })).map(({ provenBy }) => provenBy)).toEqual(['sha1'])
  })
})

it('a path that leads elsewhere is not asked for', async () => {
  const paths = [
    '../../etc/passwd',
    'images/abc12345/production/../../../x.png',
    'images/abc12345/production/.x.png',
    'images/abc12345/production/a.png?x=1',
    'images/abc12345/production/a.png#x',
    'images/abc12345/production/a%2fb.png',
    '/evil.example/images/a/b.png',
    '@evil.example/images/a/b.png',
    'images//production/a.png',
    '',
    7,
    null,
  ]
  await using made = await backUpAssets(
    (sanity) => paths.map((path, index) => edit(sanity, add(sanity, 'images', png(index + 1)), { url: undefined, path })),
    { inputs: { 'on-missing-asset': 'ignore' } },
  )
  expect(made.run.outputs).toMatchObject({ status: 'incomplete', 'missing-asset-count': String(paths.length) })
  expect(made.sanity.count('asset')).toBe(0)
})

it('an SVG that Sanity has cleaned is still proven by what the host says, under its own name only', async () => {
  await using made = await backUpAssets((sanity) => {
    const asset = add(sanity, 'images', svg('<script/>'))
    change(sanity, asset, () => ({ bytes: svg(''), md5: hashOf('md5', svg('')) }))
    edit(sanity, asset, { url: elsewhere })
  })
  const { folder } = await readSnapshot(made.run)
  expect((await readLedger({ folder })).map(({ provenBy }) => provenBy)).toEqual(['x-sanity-md5'])
})

it.each(['true', 'false'])('a video is counted and named as not included (include-assets: %s)', async (included) => {
  const media = { _ref: 'media-library:mlabc:video-3GWa', _type: 'globalDocumentReference' }
  const video = { _type: 'sanity.videoAsset', media }
  await using made = await backUpAssets(
    (sanity) => {
      add(sanity, 'images', png(3))
      for (const _id of ['video-3GWaVGzZhzVMmnvAX33AiCf6xn2', 'video-2']) sanity.store().put({ ...video, _id })
    },
    { inputs: { 'include-assets': included } },
  )
  expect(made.run.outputs).toMatchObject({ status: 'stored', 'missing-asset-count': '0' })
  expect(made.run.warnings).toEqual([expect.stringMatching(/^2 documents of assets in the Media Library \(sanity\.videoAsset\)/)])
  expect(made.run.maskedLog).toContain('Not included: the files of 2 assets of type sanity.videoAsset.')
  expect(made.run.summary).toMatch(
    /### Not in this snapshot[\s\S]*- The files of 2 assets of type sanity\.videoAsset, which lie in the Media Library/,
  )
  expect(made.run.summary.includes('none missing, 2 of other types not included')).toBe(included === 'true')
})
