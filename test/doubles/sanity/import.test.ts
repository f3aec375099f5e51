import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { makeTempFolder, runPeer } from '../../support/process.ts'
import { strong } from './calls.ts'
import type { SanityDocument } from './data/store.ts'
import { type Sanity, startSanity } from './sanity.ts'

const importer = new URL('../../peers/import.mjs', import.meta.url)

const pixel = 'R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7'

/** A ring of strong references over several requests, with drafts, a release with a version, a weak and a self reference. */
const ring: SanityDocument[] = [
  ...Array.from({ length: 200 }, (_, number) => ({
    _id: number % 10 === 3 ? `drafts.d${number}` : `d${number}`,
    _type: 'post',
    _createdAt: '2020-01-01T00:00:00Z',
    next: strong((number + 1) % 10 === 3 ? `drafts.d${number + 1}` : `d${(number + 1) % 200}`),
    text: 'x'.repeat(3000),
  })),
  { _id: 'self', _type: 'post', _createdAt: '2020-01-01T00:00:00Z', me: strong('self'), maybe: { ...strong('gone'), _weak: true } },
  { _id: '_.releases.r1', _type: 'system.release', _createdAt: '2020-01-01T00:00:00Z', name: 'r1', state: 'active', metadata: {} },
  { _id: 'versions.r1.d0', _type: 'post', _createdAt: '2020-01-01T00:00:00Z', next: strong('d1') },
]

describe.each([{ referenceCheck: 'end' }, { referenceCheck: 'each' }] as const)(
  'the real @sanity/import, references checked at the $referenceCheck',
  ({ referenceCheck }) => {
    it.each(['create', 'createOrReplace'])('writes everything with %s, each referring document twice', async (operation) => {
      await using sanity = await startSanity({ rules: { referenceCheck } })
      expect(await importInto(sanity, ring, { operation })).toMatchObject({ exitCode: 0, stderr: '' })
      expect(byId(sanity.store().documents())).toEqual(byId(ring))
      const { history } = sanity.store()
      expect([history.writes('d0'), history.writes('self'), history.writes('_.releases.r1')]).toEqual([2, 2, 1])
    })

    it('fails for a reference to nothing, and leaves its documents weak', async () => {
      await using sanity = await startSanity({ rules: { referenceCheck } })
      const { exitCode, stderr } = await importInto(sanity, [{ _id: 'a', _type: 'post', next: strong('gone') }])
      expect(exitCode).not.toBe(0)
      expect(stderr).toContain('references non-existent document')
      expect(sanity.store().documents()).toMatchObject([{ _id: 'a', next: { _weak: true } }])
    })

    it('uploads files that it can find again, and refers to them', async () => {
      await using sanity = await startSanity({ rules: { referenceCheck } })
      const documents = [1, 2].map((number) => ({
        _id: `a${number}`,
        _type: 'post',
        image: { _type: 'image', _sanityAsset: 'image@file://./images/dot.gif' },
      }))
      expect(await importInto(sanity, documents)).toMatchObject({ exitCode: 0, stderr: '' })
      const [asset, ...others] = sanity
        .store()
        .documents()
        .filter(({ _type }) => _type === 'sanity.imageAsset')
      expect(others).toEqual([])
      expect(sanity.store().find('a2')).toMatchObject({ image: { asset: { _ref: asset?._id } } })
      expect(await importInto(sanity, documents, { operation: 'createOrReplace' })).toMatchObject({ exitCode: 0 })
      expect(sanity.count('upload')).toBe(1)
    })
  },
)

describe('the real @sanity/import', () => {
  it('is refused what is there already', async () => {
    await using sanity = await startSanity({ documents: [{ _id: 'a', _type: 'post' }] })
    const { exitCode, stderr } = await importInto(sanity, [{ _id: 'a', _type: 'post' }])
    expect(exitCode).not.toBe(0)
    expect(stderr).toContain('Document by ID "a" already exists')
  })

  it('reads an id that is too long as a failure of the whole', async () => {
    await using sanity = await startSanity()
    const { exitCode } = await importInto(sanity, [{ _id: 'a'.repeat(129), _type: 'post' }])
    expect(exitCode).not.toBe(0)
    expect(sanity.store().documents()).toEqual([])
  })
})

async function importInto({ url, project, dataset, editorToken: token }: Sanity, documents: readonly object[], options: object = {}) {
  await using temp = await makeTempFolder()
  const data = join(temp.path, 'import/data.ndjson')
  await mkdir(join(temp.path, 'import'))
  await writeFile(data, documents.map((document) => `${JSON.stringify(document)}\n`).join(''))
  const source = JSON.stringify(documents).includes('_sanityAsset') ? await withPixel(temp.path) : data
  const { exitCode, stderr } = await runPeer(importer, { url, project, dataset, token, source, releasesOperation: 'replace', ...options })
  return { exitCode, stderr }
}

/** A tar of the folder `import` with an image beside the documents. The importer uploads every file of a tar, whether a document names it or not. */
async function withPixel(folder: string): Promise<string> {
  await mkdir(join(folder, 'import/images'))
  await writeFile(join(folder, 'import/images/dot.gif'), Buffer.from(pixel, 'base64'))
  await promisify(execFile)('tar', ['-cf', join(folder, 'import.tar'), '-C', folder, 'import'])
  return join(folder, 'import.tar')
}

/** In the order of ids, without what every write changes. */
function byId(list: readonly SanityDocument[]): object[] {
  return list.map(({ _rev, _updatedAt, ...rest }) => rest).sort((x, y) => (x._id < y._id ? -1 : 1))
}
