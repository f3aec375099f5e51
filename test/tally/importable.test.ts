import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { findLack } from '../../src/tally/importable.ts'
import { startSanity } from '../doubles/sanity/sanity.ts'
import { makeTempFolder, runPeer } from '../support/process.ts'

const sha1 = '0123456789abcdef0123456789abcdef01234567'
const at = `images/abc12345/production/${sha1}-10x5.png`
const image = {
  _id: `image-${sha1}-10x5-png`,
  _type: 'sanity.imageAsset',
  assetId: sha1,
  extension: 'png',
  mimeType: 'image/png',
  path: at,
  sha1hash: sha1,
  size: 12,
  url: `https://cdn.sanity.io/${at}`,
  metadata: { dimensions: { width: 10, height: 5, aspectRatio: 2 } },
}
const { metadata: _, ...file } = { ...image, _id: `file-${sha1}-png`, _type: 'sanity.fileAsset' }

type Case = { readonly name: string; readonly document: Readonly<Record<string, unknown>>; readonly lack: string | undefined }

const cases: readonly Case[] = [
  { name: 'an image as Sanity makes them', document: image, lack: undefined },
  { name: 'a file as Sanity makes them', document: file, lack: undefined },
  { name: 'one without a size', document: { ...file, size: undefined }, lack: 'size' },
  { name: 'one with a size in words', document: { ...file, size: '12' }, lack: 'size' },
  { name: 'an image without metadata', document: { ...image, metadata: undefined }, lack: 'metadata.dimensions' },
  { name: 'an image without dimensions', document: { ...image, metadata: { hasAlpha: true } }, lack: 'metadata.dimensions' },
  { name: 'an image of no width', document: { ...image, metadata: { dimensions: { height: 5 } } }, lack: 'metadata.dimensions' },
  { name: 'a file without an address', document: { ...file, url: undefined }, lack: 'url' },
  { name: 'a video of the Media Library', document: { _id: 'video-3GWa', _type: 'sanity.videoAsset', size: 12 }, lack: 'assetId' },
  { name: 'a type of another make', document: { _id: 'x', _type: 'my.imageAsset' }, lack: undefined },
]

async function importLines(lines: readonly string[]) {
  await using temp = await makeTempFolder('importable')
  await using target = await startSanity({ project: 'abc12345', documents: [] })
  const source = join(temp.path, 'data.ndjson')
  await writeFile(source, lines.map((line) => `${line}\n`).join(''))
  const { url, project, dataset, editorToken: token } = target
  const options = { allowAssetsInDifferentDataset: true, allowFailingAssets: true }
  return await runPeer(new URL('../peers/import.mjs', import.meta.url), { url, project, dataset, token, source, ...options })
}

/** The pattern that the page about restoring gives for the lines of videos. */
async function findPattern(): Promise<string | undefined> {
  const page = await readFile(new URL('../../docs/restore.md', import.meta.url), 'utf8')
  return /grep -v '([^']+)'/.exec(page)?.[1]
}

describe('what the stock importer misses in an asset document', () => {
  it.each(cases)('is told of $name, and that importer says the same', async ({ document, lack }) => {
    const bytes = Buffer.from(JSON.stringify(document))
    const imported = await importLines([bytes.toString()])

    expect(findLack({ type: String(document['_type']), bytes })).toBe(lack)
    expect(imported).toMatchObject(
      lack === undefined ? { exitCode: 0 } : { exitCode: 1, stderr: expect.stringMatching(`property "${lack.split('.')[0]}`) },
    )
  })

  it('stops no import of a file from which the lines of videos were left out, as the page about restoring says', async () => {
    const documents = [file, { _id: 'video-3GWa', _type: 'sanity.videoAsset', size: 12 }, { _id: 'a', _type: 'post' }]
    const lines = documents.map((document) => JSON.stringify(document))
    const pattern = (await findPattern()) ?? ''
    const rest = lines.filter((line) => !line.includes(pattern))
    expect(rest).toHaveLength(2)
    expect(await importLines(rest)).toMatchObject({ exitCode: 0 })
  })
})
