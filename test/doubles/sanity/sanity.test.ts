import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import { demoDocuments } from '../../../demo/dataset.ts'
import { makeTempFolder, runPeer } from '../../support/process.ts'
import { errorLines, rateLimited } from './answers.ts'
import type { SanityDocument } from './data/store.ts'
import { type Sanity, startSanity } from './sanity.ts'

const documents = [...demoDocuments(1, 300)].map((line) => JSON.parse(line.toString()) as SanityDocument)

/** What official exports hold: no system documents but releases (@sanity/export filterDocuments.ts). */
const exported = documents.filter(({ _id }) => !_id.startsWith('_.') || _id.startsWith('_.releases.'))

describe('the emulated Sanity and the real @sanity/export', () => {
  it.each([{ mode: 'stream' }, { mode: 'cursor' }])('gives all documents in $mode mode', async ({ mode }) => {
    await using sanity = await startSanity({ documents, pageDocuments: 100 })
    await using folder = await makeTempFolder()
    const outputPath = join(folder.path, 'export.tar.gz')

    const { exitCode, stderr } = await runPeer(new URL('../../peers/export.mjs', import.meta.url), {
      ...connection(sanity),
      mode,
      outputPath,
    })

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(byId(linesOfTar(await readFile(outputPath)))).toEqual(byId(exported))
    expect(sanity.count('export')).toBe(mode === 'stream' ? 1 : Math.ceil(documents.length / 100))
  })

  it('is seen to break off by the exporter', async () => {
    await using sanity = await startSanity({ documents })
    await using folder = await makeTempFolder()
    sanity.fault('export', { stream: { ending: { how: 'cut', afterBytes: 10_000 } } })

    const { exitCode, stderr } = await runPeer(new URL('../../peers/export.mjs', import.meta.url), {
      ...connection(sanity),
      outputPath: join(folder.path, 'export.tar.gz'),
    })

    expect(exitCode).not.toBe(0)
    expect(stderr).toContain('terminated')
  })
})

describe('the emulated Sanity and the real @sanity/import', () => {
  it('takes an NDJSON.gz into an empty dataset, for the real exporter to read it back', async () => {
    await using sanity = await startSanity({ project: 'abc12345', projects: { abc12345: { restored: {} } } })
    await using folder = await makeTempFolder()
    const source = join(folder.path, 'data.ndjson.gz')
    await writeFile(source, gzipSync(exported.map((document) => `${JSON.stringify(document)}\n`).join('')))

    // Without the last option the importer would ask the real asset CDN for each image.
    const target = { ...connection(sanity), token: sanity.editorToken, dataset: 'restored' }
    const options = { source, allowAssetsInDifferentDataset: true, allowFailingAssets: true }
    const { exitCode, stderr } = await runPeer(new URL('../../peers/import.mjs', import.meta.url), { ...target, ...options })

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(byId(sanity.store('restored').documents())).toEqual(byId(exported))
    const outputPath = join(folder.path, 'export.tar.gz')
    await runPeer(new URL('../../peers/export.mjs', import.meta.url), { ...target, outputPath })
    expect(byId(linesOfTar(await readFile(outputPath)))).toEqual(byId(exported))
  })

  it('takes an upload and finds it again by its sha1', async () => {
    await using sanity = await startSanity()
    const asset = sanity.addAsset({ kind: 'images', bytes: onePixel(), filename: 'dot.png' })
    expect(asset._id).toMatch(/^image-[0-9a-f]{40}-1x1-png$/)
    const raw = await fetch(`${asset.url}?dlRaw=true`, { headers: { authorization: `Bearer ${sanity.token}` } })
    expect(Buffer.from(await raw.arrayBuffer())).toEqual(onePixel())
    expect(raw.headers.get('x-sanity-sha1')).toBe(asset._id.slice(6, 46))
    const head = await fetch(asset.url, { method: 'HEAD' })
    expect(head.status).toBe(200)
  })
})

describe('who may read', () => {
  const mixed: SanityDocument[] = [
    { _id: 'a', _type: 'post' },
    { _id: 'drafts.a', _type: 'post' },
    { _id: 'b', _type: 'author' },
    { _id: '_.groups.public', _type: 'system.group' },
  ]

  it.each([
    { name: 'a viewer', token: 'viewer', expected: ['a', 'drafts.a', 'b', '_.groups.public'] },
    { name: 'a token with a filter', token: 'skFiltered', expected: ['b'] },
    { name: 'nobody, of a public dataset', token: undefined, expected: ['a', 'b'] },
  ])('gives $name what it may see', async ({ token, expected }) => {
    await using sanity = await startSanity({ documents: mixed, aclMode: 'public', tokens: { skFiltered: { filter: '_type == "author"' } } })
    const { text } = await call(sanity, 'data/export/production', token === 'viewer' ? sanity.token : token)
    expect(
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)._id),
    ).toEqual(expected)
  })

  it('gives nobody nothing of a private dataset, without an error', async () => {
    await using sanity = await startSanity({ documents: mixed })
    expect(await call(sanity, 'data/export/production')).toMatchObject({ status: 200, text: '' })
  })

  it.each([
    { name: 'an unknown token', token: 'skUnknown', status: 401, text: '"errorCode":"SIO-401-ANF"' },
    { name: 'an expired token', token: 'skExpired', status: 401, text: '"errorCode":"SIO-401-AEX"' },
    { name: 'a token of another project', token: 'skForeign', status: 401, text: '"errorCode":"SIO-401-AWH"' },
  ])('refuses $name', async ({ token, status, text }) => {
    await using sanity = await startSanity({
      documents: mixed,
      tokens: { skExpired: { state: 'expired' }, skForeign: { project: 'zzz99999' } },
    })
    expect(await call(sanity, 'data/export/production', token)).toMatchObject({ status, text: expect.stringContaining(text) })
  })

  it('names a dataset and a project that do not exist', async () => {
    await using sanity = await startSanity({ documents: mixed })
    const dataset = await call(sanity, 'data/export/staging', sanity.token)
    expect(dataset).toMatchObject({
      status: 404,
      text: expect.stringContaining('Dataset \\"staging\\" not found for project ID \\"abc12345\\"'),
    })
    const project = await call(sanity, 'projects/zzz99999', sanity.token)
    expect(project).toMatchObject({ status: 404, text: expect.stringContaining('Project with ID \\"zzz99999\\" not found') })
  })
})

describe('queries', () => {
  const count = `data/query/production?query=${encodeURIComponent('count(*[!(_id in path("_.**"))])')}`
  const mixed: SanityDocument[] = [
    { _id: 'a', _type: 'post' },
    { _id: 'drafts.a', _type: 'post' },
    { _id: '_.groups.x', _type: 'system.group' },
  ]

  it('counts published documents by default and all in the raw perspective', async () => {
    await using sanity = await startSanity({ documents: mixed })
    expect(JSON.parse((await call(sanity, count, sanity.token)).text).result).toBe(1)
    expect(JSON.parse((await call(sanity, `${count}&perspective=raw`, sanity.token)).text).result).toBe(2)
  })

  it('lies when told so, one value a request', async () => {
    await using sanity = await startSanity({ documents: mixed })
    sanity.fault('query', { results: [7, 9] })
    const results = [
      await call(sanity, count, sanity.token),
      await call(sanity, count, sanity.token),
      await call(sanity, count, sanity.token),
    ]
    expect(results.map(({ text }) => JSON.parse(text).result)).toEqual([7, 9, 9])
  })
})

describe('streams that misbehave', () => {
  const lines = ['{"_id":"a","_type":"post","title":"Zürich 🏔"}', '{"_id":"b","_type":"post"}']
  const whole = `${lines.join('\n')}\n`

  it.each([1, 2, 3, 7, 1000, 65_536])('sends the same bytes in pieces of %i', async (chunkBytes) => {
    await using sanity = await startSanity({ lines })
    sanity.fault('export', { stream: { chunkBytes } })
    const response = await fetch(`${sanity.url}/v2025-02-19/data/export/production`, {
      headers: { authorization: `Bearer ${sanity.token}` },
    })
    const chunks: Uint8Array[] = []
    for await (const chunk of response.body ?? []) chunks.push(chunk)
    expect(Buffer.concat(chunks).toString()).toBe(whole)
    expect(chunks.length).toBe(Math.ceil(Buffer.byteLength(whole) / chunkBytes))
  })

  it.each([
    { name: 'a clean end at a line end', stream: { ending: { how: 'clean', afterLines: 1 } }, text: `${lines[0]}\n` },
    { name: 'a clean end inside a line', stream: { ending: { how: 'clean', afterBytes: 5 } }, text: '{"_id' },
    { name: 'a close-delimited end', stream: { framing: 'close', ending: { how: 'clean', afterBytes: 5 } }, text: '{"_id' },
    { name: 'an error line', stream: { last: [errorLines.withoutStatus] }, text: `${whole}${errorLines.withoutStatus}\n` },
    {
      name: 'a glued error',
      stream: { glue: { line: 1, text: errorLines.withType } },
      text: `${lines[0]}\n{"_id":"b","_${errorLines.withType}`,
    },
    {
      name: 'CRLF, a BOM and no last line end',
      stream: { bom: true, lineEnd: '\r\n', finalNewline: false },
      text: `\ufeff${lines.join('\r\n')}`,
    },
    { name: 'gzip nobody asked for', stream: { gzip: true }, text: whole },
    {
      name: 'lines in between',
      stream: { insert: { afterLines: 1, lines: ['{}', 'null'] } },
      text: `${lines[0]}\n{}\nnull\n${lines[1]}\n`,
    },
  ] as const)('sends $name', async ({ stream, text }) => {
    await using sanity = await startSanity({ lines })
    sanity.fault('export', { stream, times: 1 })
    const broken = await fetch(`${sanity.url}/v2025-02-19/data/export/production`, { headers: { authorization: `Bearer ${sanity.token}` } })
    // TextDecoder, as in response.text(), would drop the BOM.
    expect(Buffer.from(await broken.arrayBuffer()).toString()).toBe(text)
    expect((await call(sanity, 'data/export/production', sanity.token)).text).toBe(whole)
  })

  it.each([
    { name: 'a chunked body without its end', stream: { ending: { how: 'cut', afterBytes: 5 } } },
    { name: 'a body shorter than its content-length', stream: { framing: 'content-length', ending: { how: 'cut', afterBytes: 5 } } },
    { name: 'a reset', stream: { ending: { how: 'reset', afterBytes: 5 } } },
  ] as const)('breaks with $name', async ({ stream }) => {
    await using sanity = await startSanity({ lines })
    sanity.fault('export', { stream })
    await expect(call(sanity, 'data/export/production', sanity.token)).rejects.toThrow(/terminated|socket/)
  })

  it('stalls for as long as the reader waits', async () => {
    await using sanity = await startSanity({ lines })
    sanity.fault('export', { stream: { ending: { how: 'stall', afterBytes: 5 } } })
    const signal = AbortSignal.timeout(300)
    const response = await fetch(`${sanity.url}/v2025-02-19/data/export/production`, {
      headers: { authorization: `Bearer ${sanity.token}` },
      signal,
    })
    await expect(response.text()).rejects.toMatchObject({ name: 'TimeoutError' })
  })

  it('answers 429 for a while and then heals', async () => {
    await using sanity = await startSanity({ lines })
    sanity.fault('export', { answer: rateLimited(1), times: 2 })
    const statuses = []
    for (let turn = 0; turn < 3; turn += 1) statuses.push((await call(sanity, 'data/export/production', sanity.token)).status)
    expect(statuses).toEqual([429, 429, 200])
  })

  it('waits for a slow reader and makes lines only as they are read', async () => {
    let made = 0
    const line = Buffer.from(JSON.stringify({ _id: 'a', _type: 'post', text: 'x'.repeat(10_000) }))
    const generate = function* () {
      for (; made < 10_000; made += 1) yield line
    }
    await using sanity = await startSanity({ generated: { lines: generate, count: 10_000 } })
    const response = await fetch(`${sanity.url}/v2025-02-19/data/export/production`, {
      headers: { authorization: `Bearer ${sanity.token}` },
    })
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(made).toBeLessThan(9_000)
    await response.body?.cancel()
  })
})

async function call(sanity: Sanity, path: string, token?: string): Promise<{ status: number; text: string }> {
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {}
  const response = await fetch(`${sanity.url}/v2025-02-19/${path}`, { headers })
  return { status: response.status, text: await response.text() }
}

const connection = ({ url, project, dataset, token }: Sanity) => ({ url, project, dataset, token })

/** In the order of ids, without what every write changes. */
function byId(list: readonly SanityDocument[]): object[] {
  return list.map(({ _rev, _updatedAt, ...rest }) => rest).sort((a, b) => (a._id < b._id ? -1 : 1))
}

/** The documents of `data.ndjson`, the first file of the exporter's archive. */
function linesOfTar(tarGz: Buffer): SanityDocument[] {
  const tar = gunzipSync(tarGz)
  for (let at = 0; at + 512 <= tar.length; ) {
    const name = tar.toString('utf8', at, at + 100).replace(/\0.*$/s, '')
    const size = Number.parseInt(tar.toString('latin1', at + 124, at + 136), 8) || 0
    if (name.endsWith('data.ndjson')) {
      const text = tar.toString('utf8', at + 512, at + 512 + size)
      return text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as SanityDocument)
    }
    at += 512 + Math.ceil(size / 512) * 512
  }
  throw new Error('No data.ndjson in the archive')
}

function onePixel(): Buffer {
  return Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64')
}
