import { createHash } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { ask, firstError, held, mutate, strong } from '../calls.ts'
import { type Sanity, startSanity } from '../sanity.ts'

const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"><script>alert(1)</script></svg>')

describe('uploads', () => {
  it('give the document that is there already, unchanged, when the bytes are known', async () => {
    await using sanity = await startSanity()
    const [first] = await upload(sanity, 'files', Buffer.from('bytes'), { filename: 'a.txt', title: 'One' })
    await mutate(sanity, [{ patch: { id: first._id, set: { altText: 'mine' } } }])
    const before = held(sanity, first._id)
    const [second, status] = await upload(sanity, 'files', Buffer.from('bytes'), { filename: 'b.txt', title: 'Two' })
    expect({ second, status }).toEqual({ second: before, status: 200 })
    expect(held(sanity, first._id)).toEqual(before)
  })

  it('take what describes the asset from the query', async () => {
    await using sanity = await startSanity()
    const described = { title: 'T', description: 'D', label: 'L', creditLine: 'C' }
    const source = { sourceId: '1', sourceName: 'cam', sourceUrl: 'https://example.com/1' }
    const [document] = await upload(sanity, 'files', Buffer.from('x'), { filename: 'dir/a.mp4', ...described, ...source })
    expect(document).toMatchObject({ ...described, source: { id: '1', name: 'cam', url: 'https://example.com/1' } })
    expect(document).toMatchObject({ originalFilename: 'a.mp4', extension: 'mp4', mimeType: 'video/mp4' })
  })

  it.each([
    { kind: 'JPEG', bytes: jpeg(640, 480), id: '640x480-jpg' },
    { kind: 'lossy WebP', bytes: webp('VP8 ', Buffer.from('0000009d012a80016801', 'hex')), id: '384x360-webp' },
    { kind: 'lossless WebP', bytes: webp('VP8L', Buffer.from('2f7f41590000000000', 'hex')), id: '384x358-webp' },
    { kind: 'extended WebP', bytes: webp('VP8X', Buffer.from('000000007f0100670100', 'hex')), id: '384x360-webp' },
    { kind: 'SVG', bytes: svg, id: '4x3-svg' },
  ])('know the size of a $kind', async ({ bytes, id }) => {
    await using sanity = await startSanity()
    const [document] = await upload(sanity, 'images', bytes)
    expect(document._id).toBe(`image-${sha1(bytes)}-${id}`)
  })

  it.each([
    { meta: undefined, members: ['blurHash', 'lqip', 'palette'] },
    { meta: 'lqip', members: ['lqip'] },
    { meta: 'none', members: [] },
  ])('read out of an image what meta=$meta asks for', async ({ meta, members }) => {
    await using sanity = await startSanity()
    const [{ metadata }] = await upload(sanity, 'images', svg, meta ? { meta } : {})
    const always = ['_type', 'dimensions', 'hasAlpha', 'isOpaque']
    expect(Object.keys(metadata as object).sort()).toEqual([...always, ...members].sort())
  })

  it('refuse what is no image', async () => {
    await using sanity = await startSanity()
    const [, status] = await upload(sanity, 'images', Buffer.from('no image'))
    expect(status).toBe(422)
  })

  it('store an SVG cleaned, so that its bytes come back as another asset', async () => {
    await using sanity = await startSanity()
    const [first] = await upload(sanity, 'images', svg)
    const stored = await download(sanity, first.url)
    expect(stored).toEqual(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"></svg>'))
    const [second] = await upload(sanity, 'images', stored)
    expect(second._id).toBe(`image-${sha1(stored)}-4x3-svg`)
    expect(second._id).not.toBe(first._id)
    const [third] = await upload(sanity, 'images', await download(sanity, second.url))
    expect(third._id).toBe(second._id)
  })

  it('are refused for a role that may have no images', async () => {
    const tokens = { skNoImages: { role: 'editor', may: (_: string, id: string) => !id.startsWith('image-') } } as const
    await using sanity = await startSanity({ tokens })
    const statuses = []
    for (const kind of ['images', 'files']) {
      statuses.push((await ask(sanity, `assets/${kind}/production`, { body: svg, token: 'skNoImages' })).status)
    }
    expect(statuses).toEqual([403, 200])
  })
})

describe('files of deleted asset documents', () => {
  it('are gone, also when the document is written again without them', async () => {
    await using sanity = await startSanity()
    const [asset] = await upload(sanity, 'files', Buffer.from('x'))
    const before = held(sanity, asset._id)
    expect((await fetch(asset.url)).status).toBe(200)
    await mutate(sanity, [{ delete: { id: asset._id } }])
    expect((await fetch(asset.url)).status).toBe(404)
    await mutate(sanity, [{ create: before }])
    expect((await fetch(asset.url)).status).toBe(404)
    await upload(sanity, 'files', Buffer.from('x'))
    expect((await fetch(asset.url)).status).toBe(200)
  })

  it('stay for a while when told so', async () => {
    await using sanity = await startSanity({ rules: { deletedFileMs: 60_000 } })
    const [asset] = await upload(sanity, 'files', Buffer.from('x'))
    await mutate(sanity, [{ delete: { id: asset._id } }])
    expect((await fetch(asset.url)).status).toBe(200)
  })

  it('stay while something refers to the document', async () => {
    await using sanity = await startSanity()
    const [asset] = await upload(sanity, 'files', Buffer.from('x'))
    await mutate(sanity, [{ create: { _id: 'a', _type: 'post', file: { asset: strong(asset._id) } } }])
    expect(firstError(await mutate(sanity, [{ delete: { id: asset._id } }]))).toMatchObject({ referencingIDs: ['a'] })
    expect((await fetch(asset.url)).status).toBe(200)
  })
})

type Uploaded = { readonly _id: string; readonly url: string; readonly [key: string]: unknown }

async function upload(sanity: Sanity, kind: 'images' | 'files', bytes: Buffer, query = {}): Promise<[Uploaded, number]> {
  const { status, body } = await ask(sanity, `assets/${kind}/production`, { body: bytes, query })
  return [body['document'] as Uploaded, status]
}

async function download(sanity: Sanity, url: string): Promise<Buffer> {
  const response = await fetch(`${url}?dlRaw=true`, { headers: { authorization: `Bearer ${sanity.token}` } })
  return Buffer.from(await response.arrayBuffer())
}

const sha1 = (bytes: Buffer): string => createHash('sha1').update(bytes).digest('hex')

/** A JPEG up to its frame header, with a table of quantization before it. */
function jpeg(width: number, height: number): Buffer {
  const size = Buffer.alloc(4)
  size.writeUInt16BE(height, 0)
  size.writeUInt16BE(width, 2)
  return Buffer.concat([Buffer.from('ffd8ffdb000400ff', 'hex'), Buffer.from('ffc0000b08', 'hex'), size, Buffer.from('01011100', 'hex')])
}

function webp(chunk: string, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from('RIFF\0\0\0\0WEBP'), Buffer.from(chunk), Buffer.alloc(4), content, Buffer.alloc(10)])
}
