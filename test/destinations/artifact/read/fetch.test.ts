import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { artifactReader } from '../../../../src/destinations/artifact/read/read.ts'
import type { Fetched, Found, Level } from '../../../../src/destinations/destination.ts'
import { type FileEntry, printManifest } from '../../../../src/format/manifest/manifest.ts'
import { digestOf } from '../../../../src/streams/digest.ts'
import { type Loopback, listen, send } from '../../../doubles/http.ts'
import { type Client, makeClient } from '../../../support/ask.ts'
import { exampleManifest } from '../../../support/example.ts'
import { rejection } from '../../../support/feed.ts'
import { makeZip } from '../../../support/make-zip.ts'
import { makeTempFolder } from '../../../support/process.ts'

type File = Parameters<typeof makeZip>[0][number]

const data: File = { name: 'data.ndjson.gz', content: Buffer.from('the data file '.repeat(50_000)) }
const image: File = { name: `assets/images/${'a'.repeat(40)}-1x1.png`, content: Buffer.from('an image') }

function entryOf({ name, content }: File): FileEntry {
  return { path: name, sizeBytes: content.length, digest: digestOf(content) }
}

const manifest = { ...exampleManifest, files: [data, image].map(entryOf) }
const manifestPart: File = { name: 'manifest.json', content: printManifest(manifest) }

let server: Loopback
let client: Client
let zip: Buffer
/** The ranges that were asked of the storage, and how many bytes of the next answers arrive before they break off. */
let ranges: [start: number, end: number][]
let cuts: (number | undefined)[]
let gone: boolean
/** How the storage takes a range: it gives that part, another one, or the whole zip; and how much it gives at a time. */
let manner: 'part' | 'elsewhere' | 'whole'
let mostBytes: number

beforeEach(async () => {
  ranges = []
  cuts = []
  gone = false
  manner = 'part'
  mostBytes = Number.POSITIVE_INFINITY
  client = makeClient()
  server = await listen((request, response, url) => {
    if (url.pathname.endsWith('/artifacts')) return send(response, { status: 200, body: listed(url) })
    if (url.pathname.endsWith('/zip')) {
      return send(response, gone ? { status: 410 } : { status: 302, headers: { location: `${server.url}/storage` } })
    }
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
    const start = Number(first)
    ranges.push([start, Number(last) + 1])
    if (manner === 'whole') return send(response, { status: 200, body: zip })
    const body = zip.subarray(start, Math.min(Number(last) + 1, start + mostBytes))
    const at = manner === 'elsewhere' && ranges.length > 2 ? start + 1 : start
    const headers = { 'content-range': `bytes ${at}-${at + body.length - 1}/${zip.length}` }
    const cut = ranges.length > 1 ? cuts.shift() : undefined
    if (cut === undefined) return send(response, { status: 206, headers, body })
    response.writeHead(206, { ...headers, 'content-length': body.length })
    response.write(body.subarray(0, cut), () => response.socket?.destroy())
  })
})

afterEach(async () => {
  await client[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

function listed({ searchParams }: URL): object {
  const artifact = {
    id: 7,
    name: 'nightly',
    size_in_bytes: zip.length,
    expired: false,
    created_at: '2026-11-22T08:16:00Z',
    expires_at: '2027-02-20T08:16:00Z',
    workflow_run: { id: 42, repository_id: 1, head_repository_id: 1 },
  }
  return { total_count: 1, artifacts: (searchParams.get('name') ?? 'nightly') === 'nightly' ? [artifact] : [] }
}

async function find(): Promise<Found> {
  const github = {
    apiUrl: server.url,
    token: 'ghs_unit',
    http: client.http,
    wait: async () => undefined,
    signal: new AbortController().signal,
  }
  const place = { repository: 'acme/site', name: 'nightly', pages: 'https://github.com/acme/site' }
  const [found] = await Array.fromAsync(artifactReader(place, github).newestFirst())
  return found as Found
}

/** Fetches the artifact and gives what was told, and the files that were written. */
async function fetchInto(
  level: Level = 'data',
): Promise<Fetched & { readonly files: Record<string, string>; readonly sizes: Record<string, number>; readonly outside: string[] }> {
  await using temp = await makeTempFolder('fetch')
  const into = join(temp.path, 'inner', 'snapshot')
  const found = await find()
  ranges = [[0, 0]]
  const fetched = await found.fetch(into, { level })
  const entries = (await readdir(into, { recursive: true, withFileTypes: true })).filter((entry) => !entry.isDirectory())
  const files: Record<string, string> = {}
  const sizes: Record<string, number> = {}
  for (const { parentPath, name } of entries) {
    const path = join(parentPath, name)
    const content = await readFile(path)
    files[path.slice(into.length + 1)] = digestOf(content)
    sizes[path.slice(into.length + 1)] = content.length
  }
  return { ...fetched, files, sizes, outside: [...(await readdir(temp.path)), ...(await readdir(join(temp.path, 'inner')))] }
}

/** The digests of the files. */
const whole = Object.fromEntries([manifestPart, data, image].map(({ name, content }) => [name, digestOf(content)]))

describe('an artifact', () => {
  it('says where it lies, where it is shown, and until when', async () => {
    zip = makeZip([data, image, manifestPart])
    expect(await find()).toMatchObject({
      where: 'in the artifact "nightly" (7) of acme/site',
      link: 'https://github.com/acme/site/actions/runs/42/artifacts/7',
      keptUntil: '2027-02-20T08:16:00Z',
      manifestBytes: manifestPart.content,
    })
  })

  it.each([
    { name: 'stored', parts: [data, image, manifestPart], options: {} },
    { name: 'deflated', parts: [data, image, manifestPart].map((part) => ({ ...part, deflated: true })), options: {} },
    { name: 'a zip64', parts: [manifestPart, image, data], options: { wide: true } },
  ])('is fetched whole where it is $name', async ({ parts, options }) => {
    zip = makeZip(parts, options)
    expect(await fetchInto()).toMatchObject({ files: whole, odd: [] })
  })

  it('costs no data at the level structure, and its names and sizes are known', async () => {
    zip = makeZip([{ ...data, content: Buffer.alloc(3_000_000, 1) }, image, manifestPart])
    const { files, listed: names, odd } = await fetchInto('structure')
    expect({ files, odd }).toEqual({ files: { [manifestPart.name]: whole[manifestPart.name] }, odd: [] })
    expect(names).toContainEqual({ path: data.name, sizeBytes: 3_000_000 })
    expect(ranges.reduce((sum, [start, end]) => sum + end - start, 0)).toBeLessThan(140_000)
  })

  it('is fetched whole though its storage breaks off again and again', async () => {
    zip = makeZip([data, image, manifestPart])
    // The list of the zip comes first, then the files.
    cuts = [1000, undefined, 100_000, 0]
    expect(await fetchInto()).toMatchObject({ files: whole, odd: [] })
    expect(cuts).toEqual([])
  })

  it('is fetched whole from a storage that gives a tenth of it at a time', async () => {
    zip = makeZip([{ ...data }, image, manifestPart])
    mostBytes = 70_000
    expect(await fetchInto()).toMatchObject({ files: whole, odd: [] })
  })

  it('is fetched whole from a storage that gives no parts', async () => {
    zip = makeZip([data, image, manifestPart])
    manner = 'whole'
    expect(await fetchInto()).toMatchObject({ files: whole, odd: [] })
  })

  it('is not blamed for a storage that sends another part than it was asked for', async () => {
    zip = makeZip([data, image, manifestPart])
    const found = await find()
    ranges = [[0, 0]]
    manner = 'elsewhere'
    await using temp = await makeTempFolder('fetch')
    expect(await rejection(found.fetch(temp.path, { level: 'data' }))).toMatchObject({
      code: 'artifact-failed',
      message: expect.stringContaining('it sent another part than it was asked for'),
      hint: expect.stringMatching(/^Run it again, and see githubstatus\.com/),
    })
  })

  it('that is gone since it was found is said to be', async () => {
    zip = makeZip([data, image, manifestPart])
    const found = await find()
    gone = true
    await using temp = await makeTempFolder('fetch')
    expect(await rejection(found.fetch(temp.path, { level: 'data' }))).toMatchObject({
      code: 'snapshot-missing',
      title: 'The artifact is gone',
    })
  })
})

describe('a zip that somebody made', () => {
  it.each([
    { name: 'climbs out', more: { name: '../../outside', content: Buffer.from('x') }, path: '../../outside' },
    {
      name: 'climbs out below a name of ours',
      more: { name: 'assets/../../outside', content: Buffer.from('x') },
      path: 'assets/../../outside',
    },
    { name: 'names a place on the disk', more: { name: '/tmp/outside', content: Buffer.from('x') }, path: '/tmp/outside' },
    { name: 'holds what the manifest does not list', more: { name: 'notes.txt', content: Buffer.from('x') }, path: 'notes.txt' },
    { name: 'has a second manifest', more: manifestPart, path: 'manifest.json' },
    { name: 'has a file twice', more: { ...image, content: Buffer.from('another') }, path: image.name },
  ])('and that $name leaves nothing outside, and is told', async ({ more, path }) => {
    zip = makeZip([data, image, manifestPart, more])
    const fetched = await fetchInto()
    expect(fetched).toMatchObject({ files: whole, odd: [{ kind: 'file-unexpected', path }], outside: ['inner', 'snapshot'] })
  })

  it('has no links: one is not followed, not made, and told', async () => {
    zip = withAttributes(makeZip([data, { ...image, content: Buffer.from('/etc/passwd') }, manifestPart]), 1, 0o120777)
    const { files, odd } = await fetchInto()
    expect(Object.keys(files).toSorted()).toEqual([data.name, manifestPart.name])
    expect(odd).toMatchObject([{ kind: 'file-unexpected', path: image.name, message: 'is not an ordinary file' }])
  })

  it('is no bomb: not a byte more is written than one above what the manifest says', async () => {
    zip = makeZip([{ ...data, content: Buffer.alloc(50_000_000), deflated: true }, image, manifestPart])
    const { files, sizes } = await fetchInto()
    expect(sizes[data.name]).toBe(data.content.length + 1)
    expect(files[image.name]).toBe(whole[image.name])
  })

  it.each([
    { name: 'about a checksum', field: 16, value: 1 },
    { name: 'about a size', field: 24, value: 5 },
    { name: 'about how it is packed', field: 10, value: 99 },
    { name: 'about where a file lies', field: 42, value: 3 },
  ])('and that lies $name is told, and the other files are fetched', async ({ field, value }) => {
    zip = makeZip([data, image, manifestPart])
    const entry = entryPlace(zip, 1)
    if (field === 10) zip.writeUInt16LE(value, entry + field)
    else zip.writeUInt32LE(value, entry + field)
    const { files, odd } = await fetchInto()
    expect(odd).toMatchObject([{ kind: 'content-unreadable', path: expect.stringMatching(/^(assets|data)/) }])
    expect(Object.keys(files).length).toBeGreaterThan(1)
  })

  it('tells no more than the first hundred of a million odd names', async () => {
    zip = makeZip([
      data,
      image,
      manifestPart,
      ...Array.from({ length: 300 }, (_, index) => ({ name: `odd-${index}`, content: Buffer.from('x') })),
    ])
    expect((await fetchInto()).odd).toHaveLength(100)
  })
})

/** Where the list of a zip tells of one of its files. */
function entryPlace(bytes: Buffer, index: number): number {
  let at = -1
  for (let left = index; left >= 0; left--) at = bytes.indexOf(Buffer.from('504b0102', 'hex'), at + 1)
  return at
}

function withAttributes(bytes: Buffer, index: number, mode: number): Buffer {
  bytes.writeUInt32LE(mode * 0x10000, entryPlace(bytes, index) + 38)
  return bytes
}
