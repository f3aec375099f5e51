import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { SanityDocument } from '../../doubles/sanity/data/store.ts'
import { type Sanity, startSanity } from '../../doubles/sanity/sanity.ts'
import { makeTempFolder } from '../../support/process.ts'
import { hashOf, png } from '../backup/assets/support.ts'
import { backUp } from '../support.ts'
import { applying, restoreInto } from './support.ts'

const dirtySvg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"><script>alert(1)</script></svg>')
const ref = (id: string) => ({ _type: 'reference', _ref: id })
const otherToken = 'skOTHERabcdefghijklmnopqrstuvwxyz0123456789'
const times = { _createdAt: '2026-01-01T00:00:00Z', _updatedAt: '2026-01-02T00:00:00Z' }

let sanity: Sanity
let temp: Awaited<ReturnType<typeof makeTempFolder>>
let ids: { image: string; file: string; svg: string; clip: string; old: string }

const newSvg = 'image-d8bfe3afd66370a9ac9f8a494b805a514ba3efe1-4x3-svg'
const newOld = `image-${hashOf('sha1', png(9))}-9x1-png`
const put = (document: SanityDocument) => sanity.store().put({ ...times, ...document })

beforeAll(async () => {
  temp = await makeTempFolder('restore-assets')
  sanity = await startSanity({
    projects: { abc12345: { scratch: {} }, other123: { staging: {} } },
    tokens: { [otherToken]: { project: 'other123', role: 'editor' } },
  })
  const add = (kind: 'images' | 'files', bytes: Buffer, filename: string) => sanity.addAsset({ kind, bytes, filename })._id
  ids = {
    image: add('images', png(7), 'a b.png'),
    file: add('files', Buffer.from('film'), 'film.mp4'),
    svg: add('images', dirtySvg, 'logo.svg'),
    clip: add('files', Buffer.from('clip'), 'clip.mp4'),
    // Of before 2018: its name says nothing of its bytes.
    old: sanity.addAsset({ kind: 'images', bytes: png(9), filename: 'old.png', oldHash: 'abcdefghij0123456789abcd' })._id,
  }
  put({ _id: 'tag', _type: 'media.tag', name: 'x' })
  put({ ...sanity.store().find(ids.image)!, title: 'Title', altText: 'Alt', opt: { media: { tags: [ref('tag')] } } })
  put({
    _id: 'page',
    _type: 'page',
    old: ref(ids.old),
    image: { asset: ref(ids.image) },
    logo: { asset: ref(ids.svg) },
    film: ref(ids.file),
  })
  put({ _id: 'other', _type: 'other', clip: ref(ids.clip) })
  for (const assets of ['true', 'false']) {
    await using run = await backUp({ sanity }, { path: `${temp.path}/${assets}`, inputs: { 'include-assets': assets } })
    expect(run.code).toBeUndefined()
    sanity.reset()
  }
})

afterAll(async () => {
  await sanity[Symbol.asyncDispose]()
  await temp[Symbol.asyncDispose]()
})

const staging = { project: 'other123', dataset: 'staging' }
const intoStaging = async (inputs: Record<string, string>) =>
  await restoreInto({ sanity, ...staging }, { inputs: { token: otherToken, path: `${temp.path}/true`, ...inputs } })

describe('into an empty dataset of another project', () => {
  it('assets come from the snapshot’s files, with what was written about them, and SVGs under another id', async () => {
    sanity.reset()
    await using run = await intoStaging(applying('staging'))
    expect(run.error).toBeUndefined()
    expect(run.outputs).toMatchObject({ status: 'restored', 'create-count': '3', 'asset-upload-count': '5', 'replace-count': '0' })
    expect(
      run.plan
        .filter(({ action }) => action === 'upload')
        .map(({ id, reason }) => [id, reason])
        .sort(),
    ).toEqual(
      [
        [ids.clip, undefined],
        [ids.file, undefined],
        [ids.image, undefined],
        [ids.svg, `it comes back as ${newSvg}`],
        [ids.old, `it comes back as ${newOld}`],
      ].sort(),
    )
    const store = sanity.store('staging', 'other123')
    const [before, after] = [sanity.store().find(ids.image), store.find(ids.image)]
    expect(after).toMatchObject({ title: 'Title', altText: 'Alt', opt: before?.['opt'], originalFilename: 'a b.png' })
    expect(after?.['url']).toContain('/images/other123/staging/')
    expect(after?.['uploadId']).not.toBe(before?.['uploadId'])
    expect(store.find('page')).toMatchObject({
      logo: { asset: ref(newSvg) },
      old: ref(newOld),
      image: { asset: ref(ids.image) },
      film: ref(ids.file),
      ...times,
    })
    expect(sanity.count('asset')).toBe(0)
    expect(sanity.of('mutate').some(({ query }) => 'autoGenerateArrayKeys' in query)).toBe(false)
  })

  it('the second run finds nothing to do', async () => {
    await using again = await intoStaging(applying('staging'))
    expect(again.plan).toEqual([])
    expect(again.outputs).toMatchObject({ status: 'unchanged', 'unchanged-count': '8' })
  })
})

describe('without files in the snapshot', () => {
  const path = () => `${temp.path}/false`

  it('a page takes only its own files from Sanity', async () => {
    sanity.reset()
    const inputs = { path: path(), ids: 'page', ...applying('scratch') }
    await using run = await restoreInto({ sanity, dataset: 'scratch' }, { inputs })
    expect(run.error).toBeUndefined()
    expect(run.outputs).toMatchObject({ status: 'restored', 'create-count': '2', 'asset-upload-count': '4' })
    expect(sanity.of('asset').some(({ path: asked }) => asked.includes(ids.clip.split('-')[1] ?? ''))).toBe(false)
    expect(sanity.store('scratch').find('page')).toMatchObject({ logo: { asset: ref(newSvg) } })
  })

  it('files that are not wanted are not asked for, and block what refers to them', async () => {
    sanity.reset()
    const inputs = { path: path(), 'include-assets': 'false' }
    await using run = await restoreInto({ sanity, dataset: 'scratch' }, { inputs })
    const why = 'the target lacks its file, and `include-assets` is `false`'
    expect(run.plan).toEqual([
      { action: 'blocked', id: ids.clip, type: 'sanity.fileAsset', reason: why },
      { action: 'blocked', id: 'other', type: 'other', reason: `refers to ${ids.clip}, which cannot be restored` },
    ])
    expect(run.outputs['unchanged-count']).toBe('6')
    expect(sanity.count('upload')).toBe(0)
    // The SVG and the old one alone: only their bytes tell which they are in the target.
    expect(sanity.of('asset').map(({ method }) => method)).toEqual(['GET', 'GET'])
  })

  it('a file that is nowhere is said to be', async () => {
    const store = sanity.store()
    for (const file of store.assets.keys()) if (file.includes(ids.clip.split('-')[1] ?? '')) store.assets.delete(file)
    await using run = await restoreInto({ sanity, dataset: 'scratch' }, { inputs: { path: path(), ids: 'other' } })
    expect(run.plan.map(({ action, id }) => `${action} ${id}`)).toEqual([`blocked ${ids.clip}`, 'blocked other'])
    expect(run.plan[0]?.reason).toBe('its file is not in the snapshot, and cannot be had from Sanity: the asset host answered 404')
  })
})

it('an asset that is there gets back what was written about it, and nothing else of it changes', async () => {
  const before = sanity.store().find(ids.image)
  await sanity.edit([{ patch: { id: ids.image, set: { title: 'Spoiled', note: 'new' }, unset: ['altText', 'opt'] } }])
  await using run = await restoreInto({ sanity }, { inputs: { path: `${temp.path}/false`, ...applying() } })
  expect(run.error).toBeUndefined()
  expect(run.plan).toEqual([{ action: 'replace', id: ids.image, type: 'sanity.imageAsset' }])
  const written = { _rev: before?.['_rev'], _updatedAt: before?.['_updatedAt'] }
  expect({ ...sanity.store().find(ids.image), ...written }).toEqual(before)
  expect(sanity.count('upload')).toBe(0)
})

it('what somebody writes about an asset after the plan was made is not overwritten', async () => {
  await sanity.edit([{ patch: { id: ids.image, set: { title: 'Spoiled' } } }])
  sanity.meanwhile('doc', async () => await sanity.edit([{ patch: { id: ids.image, set: { altText: 'By an editor' } } }]))
  await using run = await restoreInto({ sanity }, { inputs: { path: `${temp.path}/false`, ...applying() } })
  expect(run.code).toBe('restore-failed')
  expect(run.error?.message).toContain(`${ids.image}: somebody changed it after the plan was made`)
  expect(sanity.store().find(ids.image)).toMatchObject({ title: 'Spoiled', altText: 'By an editor' })
})
