import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { artifactReader } from '../../../../src/destinations/artifact/read/read.ts'
import { findPrevious } from '../../../../src/destinations/find-previous.ts'
import { type Manifest, printManifest } from '../../../../src/format/manifest/manifest.ts'
import { describeReader } from '../../../contracts/reader.ts'
import { type Answer, type Loopback, listen, send } from '../../../doubles/http.ts'
import { type Client, makeClient } from '../../../support/ask.ts'
import { exampleManifest } from '../../../support/example.ts'
import { rejection } from '../../../support/feed.ts'
import { makeZip } from '../../../support/make-zip.ts'

/** What the storage of one artifact does instead of sending the part that was asked for. */
type Trouble = (request: IncomingMessage, response: ServerResponse, zip: Buffer) => void

type Shelved = {
  readonly name?: string
  readonly manifest?: Partial<Manifest>
  /** Instead of a manifest. */
  readonly bytes?: string
  readonly trouble?: Trouble
  /** Instead of one with the manifest. */
  readonly zip?: Buffer
  /** Instead of the redirect to the storage. */
  readonly status?: number
  readonly foreign?: boolean
  readonly expired?: boolean
}

const otherFilters = { filters: { ...exampleManifest.filters, types: ['author'] } }
const counted = (count: number): Partial<Manifest> => ({ documents: { ...exampleManifest.documents, count } })

/** When the first artifact was stored, and so many seconds later; each artifact is stored a second after the one before. */
const secondsIn = (seconds: number) => new Date(1_700_000_000_000 + seconds * 1000).toISOString().replace('.000', '')

let server: Loopback
let client: Client
/** The newest last. */
let shelf: readonly Shelved[]
let storageRequests: number
let listRequests: number
let isBroken: boolean

beforeEach(async () => {
  shelf = []
  storageRequests = 0
  listRequests = 0
  isBroken = false
  client = makeClient()
  server = await listen(serve)
})

afterEach(async () => {
  await client[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

/** GitHub's list of artifacts and the storage behind it: docs.github.com/rest/actions/artifacts, Azure's `Get Blob` with a range. */
function serve(request: IncomingMessage, response: ServerResponse, url: URL): void {
  if (isBroken) return send(response, { status: 500 })
  const id = Number(/(\d+)(\/zip)?$/.exec(url.pathname)?.[1])
  const shelved = shelf[id - 1]
  if (url.pathname === '/repos/acme/site/actions/artifacts') return send(response, { status: 200, body: listed(url.searchParams) })
  if (shelved === undefined) return send(response, { status: 404 })
  if (url.pathname.endsWith('/zip')) {
    const { status = 302 } = shelved
    return send(response, { status, headers: { location: `${server.url}/storage/${id}` } })
  }
  storageRequests++
  const zip = zipOf(shelved)
  if (shelved.trouble) return shelved.trouble(request, response, zip)
  sendPart(request, response, zip)
}

function sendPart(request: IncomingMessage, response: ServerResponse, zip: Buffer): void {
  const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
  send(response, partOf(zip, Number(start), Number(end) + 1))
}

/** A part of a zip as Azure sends it. `of`: how large it says the whole is. */
function partOf(zip: Buffer, start: number, end: number, of = zip.length): Answer {
  const body = zip.subarray(start, end)
  return { status: 206, headers: { 'content-range': `bytes ${start}-${start + body.length - 1}/${of}` }, body }
}

function listed(query: URLSearchParams): object {
  listRequests++
  const all = shelf.map(({ name = 'nightly', foreign = false, expired = false }, index) => ({
    id: index + 1,
    name,
    size_in_bytes: zipOf(shelf[index] ?? {}).length,
    expired,
    created_at: secondsIn(index),
    workflow_run: { repository_id: 1, head_repository_id: foreign ? 2 : 1 },
  }))
  const wanted = all.filter(({ name }) => (query.get('name') ?? name) === name).toReversed()
  const size = Number(query.get('per_page'))
  const from = (Number(query.get('page')) - 1) * size
  return { total_count: wanted.length, artifacts: wanted.slice(from, from + size) }
}

function zipOf({ manifest, bytes, zip }: Shelved): Buffer {
  const content = bytes === undefined ? printManifest({ ...exampleManifest, ...manifest }) : Buffer.from(bytes)
  return zip ?? makeZip([{ name: 'manifest.json', content }])
}

async function find(signal = new AbortController().signal) {
  const reader = artifactReader(
    { repository: 'acme/site', name: 'nightly' },
    { apiUrl: server.url, token: 'ghs_unit', http: client.http, wait: async () => undefined, signal },
  )
  return { ...(await findPrevious(reader, exampleManifest)), whyNone: await reader.whyNone() }
}

const times = (count: number, shelved: Shelved): Shelved[] => Array.from({ length: count }, () => shelved)

describeReader('artifact', async ({ signal }) => {
  const put = async (shelved: Shelved): Promise<void> => {
    shelf = [...shelf, shelved]
  }
  return {
    open: () =>
      artifactReader(
        { repository: 'acme/site', name: 'nightly' },
        { apiUrl: server.url, token: 'ghs_unit', http: client.http, wait: async () => undefined, signal },
      ),
    put: async (manifest) => await put({ manifest }),
    putOther: async () => await put({ expired: true }),
    putBytes: async (bytes) => await put({ bytes }),
    breakDown: async () => {
      isBroken = true
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
})

describe('the previous artifact', () => {
  it('may lie behind 99 newer ones of other filters', async () => {
    shelf = [{ manifest: counted(77) }, ...times(99, { manifest: otherFilters })]
    expect(await find()).toMatchObject({ manifest: { documents: { count: 77 } }, passedOver: [] })
  })

  it('is not looked for without end, and that it was not is said with the cure', async () => {
    shelf = [{ manifest: counted(77) }, ...times(100, { manifest: otherFilters })]
    const { manifest, passedOver } = await find()
    expect(manifest).toBeUndefined()
    expect(passedOver).toMatchObject([
      { message: expect.stringContaining('after 100 artifacts'), hint: expect.stringContaining('`artifact-name`') },
    ])
  })

  it('is not there, without a word of warning, where all were looked at', async () => {
    shelf = times(3, { manifest: otherFilters })
    expect(await find()).toMatchObject({ manifest: undefined, passedOver: [], whyNone: expect.stringContaining('"nightly"') })
  })

  it('is found on a later page of the list', async () => {
    shelf = [{ manifest: counted(77) }, ...times(130, { foreign: true, manifest: counted(1) }), ...times(20, { expired: true })]
    expect(await find()).toMatchObject({ manifest: { documents: { count: 77 } } })
    expect(storageRequests).toBe(1)
  })

  it('may be that of a repeated run, in its turn among the others', async () => {
    const again = { name: 'nightly-attempt-2' }
    shelf = [
      { manifest: counted(1) },
      { ...again, manifest: counted(77) },
      { manifest: otherFilters },
      { ...again, manifest: otherFilters },
      ...times(150, { name: 'coverage' }),
    ]
    expect(await find()).toMatchObject({ manifest: { documents: { count: 77 } } })
    expect(listRequests).toBe(3)
  })

  it.each([
    {
      name: 'lacks files of assets',
      manifest: { complete: false, assets: { ...exampleManifest.assets, missing: [{ id: 'a', url: '', status: 404 }] } },
    },
    { name: 'comes from another version that says nothing of shards', manifest: { shard: undefined as never } },
  ])('counts though it $name', async ({ manifest }) => {
    shelf = [{ manifest: counted(1) }, { manifest: { ...manifest, ...counted(77) } }]
    expect(await find()).toMatchObject({ manifest: { documents: { count: 77 } } })
  })

  it('is never a shard of it', async () => {
    shelf = [{ manifest: counted(77) }, { manifest: { shard: { index: 2, of: 8 }, ...counted(0) } }]
    expect(await find()).toMatchObject({ manifest: { documents: { count: 77 } } })
  })
})

describe('the previous artifact, where runs overlap,', () => {
  const taken = (seconds: number, count: number): Shelved => ({ manifest: { takenAt: secondsIn(seconds), ...counted(count) } })

  it('is the one whose snapshot was taken last, not the one that was stored last', async () => {
    shelf = [taken(-9, 1), { name: 'coverage' }, taken(1, 77), taken(-5, 1)]
    expect(await find()).toMatchObject({ manifest: { documents: { count: 77 } }, passedOver: [] })
    expect(storageRequests).toBe(2)
  })

  it('may be that of a repeated run', async () => {
    shelf = [taken(-9, 1), { name: 'coverage' }, { ...taken(1, 77), name: 'nightly-attempt-2' }, taken(-5, 1)]
    expect(await find()).toMatchObject({ manifest: { documents: { count: 77 } }, passedOver: [] })
  })

  it('comes with the reason why one could not be read that may be newer', async () => {
    shelf = [taken(-9, 1), { name: 'coverage' }, { zip: makeZip([]) }, taken(1, 77)]
    expect(await find()).toMatchObject({ manifest: { documents: { count: 77 } }, passedOver: [{ code: 'snapshot-invalid' }] })
  })

  it('comes with the reason why no others could be looked at that may be newer', async () => {
    shelf = [taken(-9, 1), { name: 'coverage' }, { status: 403 }, taken(1, 77)]
    const { manifest, passedOver } = await find()
    expect(manifest).toMatchObject({ documents: { count: 77 } })
    expect(passedOver).toMatchObject([{ code: 'artifact-failed', hint: expect.stringContaining('actions: read') }])
  })

  it('is not there, and why is not known, where no others could be looked at', async () => {
    shelf = [{ status: 403 }, { manifest: { takenAt: secondsIn(-9), ...otherFilters } }]
    expect(await rejection(find())).toMatchObject({ code: 'artifact-failed', hint: expect.stringContaining('actions: read') })
  })

  it('is looked for among ten, where a clock was wrong', async () => {
    shelf = [...times(50, taken(-90_000_000, 1)), taken(-80_000_000, 77), ...times(9, taken(-90_000_000, 1))]
    expect(await find()).toMatchObject({ manifest: { documents: { count: 77 } }, passedOver: [] })
    expect(storageRequests).toBe(10)
  })
})

describe('a search among more than 1,000 artifacts', () => {
  it.each([
    { name: 'of other names', oldest: { name: 'nightly-attempt-2' }, others: { name: 'coverage' } },
    { name: 'of forks', oldest: {}, others: { foreign: true } },
    { name: 'that have expired', oldest: {}, others: { expired: true } },
  ])('$name ends after 1,000, and says so', async ({ oldest, others }) => {
    shelf = [{ ...oldest, manifest: counted(77) }, ...times(1000, others)]
    const { manifest, passedOver } = await find()
    expect(manifest).toBeUndefined()
    expect(passedOver).toMatchObject([
      { message: expect.stringContaining('ended after 1,000 artifacts'), hint: expect.stringContaining('the first snapshot of its name') },
    ])
  })

  it('does not end a moment before', async () => {
    shelf = [{ name: 'nightly-attempt-2', manifest: counted(77) }, ...times(999, { name: 'coverage' })]
    expect(await find()).toMatchObject({ manifest: { documents: { count: 77 } }, passedOver: [] })
  })

  it('is over, without a word, where one of the name itself is found', async () => {
    shelf = [{ manifest: counted(77) }, ...times(1000, { name: 'coverage' })]
    expect(await find()).toMatchObject({ manifest: { documents: { count: 77 } }, passedOver: [] })
  })
})

const answers =
  (status: number): Trouble =>
  (_, response) =>
    send(response, { status, body: 'x'.repeat(300_000) })

describe('an artifact whose storage has trouble is passed over, and an older one found', () => {
  it.each<{ name: string; trouble: Trouble; says: RegExp; asked: number }>([
    { name: 'sends something large', trouble: answers(200), says: /answered 200/, asked: 1 },
    { name: 'answers 403', trouble: answers(403), says: /answered 403/, asked: 1 },
    { name: 'answers 404', trouble: answers(404), says: /answered 404/, asked: 1 },
    { name: 'answers 500', trouble: answers(500), says: /answered 500/, asked: 3 },
    { name: 'resets the connection', trouble: (request) => request.socket.resetAndDestroy(), says: /broke off/, asked: 3 },
    {
      name: 'breaks off in the middle',
      trouble: (request, response, zip) => {
        const start = Number(/^bytes=(\d+)/.exec(request.headers.range ?? '')?.[1])
        response.writeHead(206, { 'content-length': zip.length - start, 'content-range': `bytes ${start}-${zip.length - 1}/*` })
        response.write('PK', () => response.socket?.destroy())
      },
      says: /broke off/,
      asked: 3,
    },
    {
      name: 'sends another part',
      trouble: (_, response, zip) => send(response, partOf(zip, 9, zip.length)),
      says: /storage \(it sent another part/,
      asked: 3,
    },
    {
      name: 'does not say which part it sends',
      trouble: (_, response, zip) => send(response, { status: 206, body: zip }),
      says: /storage \(it sent another part/,
      asked: 3,
    },
    { name: 'has less', trouble: answers(416), says: /storage \(what it has is not of the size/, asked: 3 },
    {
      name: 'has more',
      trouble: (_, response, zip) => send(response, partOf(zip, 0, zip.length, zip.length + 9)),
      says: /storage \(what it has is not of the size/,
      asked: 3,
    },
    {
      name: 'sends garbage',
      trouble: (_, response, zip) => send(response, partOf(zip.fill(7), 0, zip.length)),
      says: /what came from GitHub’s storage is no whole zip/,
      asked: 1,
    },
  ])('$name', async ({ trouble, says, asked }) => {
    shelf = [{ manifest: counted(77) }, { trouble }]
    const { manifest, passedOver } = await find()
    expect(manifest).toMatchObject({ documents: { count: 77 } })
    expect(passedOver).toMatchObject([{ code: 'artifact-failed', message: expect.stringMatching(says), hint: expect.any(String) }])
    expect(storageRequests).toBe(asked + 1)
    // Nothing of this proves that the artifact is lost.
    expect(passedOver[0]?.hint).not.toMatch(/delete/i)
    expect(passedOver[0]?.hint).toMatch(/^Run it again/)
  })

  it('holds a manifest that is none', async () => {
    shelf = [{ manifest: counted(77) }, { manifest: { takenAt: 'yesterday' } }]
    const { manifest, passedOver } = await find()
    expect(manifest).toMatchObject({ documents: { count: 77 } })
    expect(passedOver).toMatchObject([{ code: 'snapshot-invalid', message: expect.stringContaining('in the artifact 2') }])
  })

  it.each([
    { name: 'holds nothing', zip: makeZip([]) },
    { name: 'holds files of others', zip: makeZip([{ name: 'coverage.json', content: Buffer.from('{}') }]) },
    { name: 'holds a manifest in a folder', zip: makeZip([{ name: 'x/manifest.json', content: printManifest(exampleManifest) }]) },
  ])('$name', async ({ zip }) => {
    shelf = [{ manifest: counted(77) }, { zip }]
    const { manifest, passedOver } = await find()
    expect(manifest).toMatchObject({ documents: { count: 77 } })
    expect(passedOver).toMatchObject([{ code: 'snapshot-invalid', message: expect.stringContaining('artifact 2 holds no manifest.json') }])
  })

  it('is one that GitHub lists and does not have', async () => {
    shelf = [{ manifest: counted(77) }, { status: 404 }]
    const { manifest, passedOver } = await find()
    expect(manifest).toMatchObject({ documents: { count: 77 } })
    expect(passedOver).toMatchObject([{ code: 'artifact-failed', message: expect.stringContaining('GitHub answered 404') }])
  })

  it('is no longer to be had since it was listed, which is no cause for a warning', async () => {
    shelf = [{ manifest: counted(77) }, { status: 410 }]
    expect(await find()).toMatchObject({ manifest: { documents: { count: 77 } }, passedOver: [] })
  })

  it('is no longer to be had, and it was the only one, which is said', async () => {
    shelf = [{ status: 410 }]
    expect(await find()).toMatchObject({ manifest: undefined, whyNone: expect.stringContaining('1 of that name has expired') })
  })

  it('is one that GitHub has trouble to hand out', async () => {
    shelf = [{ manifest: counted(77) }, { status: 502 }]
    const { manifest, passedOver } = await find()
    expect(manifest).toMatchObject({ documents: { count: 77 } })
    expect(passedOver).toMatchObject([{ message: expect.stringContaining('GitHub answered 502') }])
  })
})

describe('an artifact is read', () => {
  it.each<{ name: string; trouble: Trouble }>([
    { name: 'as a whole where its storage gives no parts', trouble: (_, response, zip) => send(response, { status: 200, body: zip }) },
    {
      name: 'in the parts that its storage likes to send',
      trouble: (request, response, zip) => {
        const start = Number(/^bytes=(\d+)/.exec(request.headers.range ?? '')?.[1])
        send(response, partOf(zip, start, Math.min(zip.length, start + 70_000)))
      },
    },
  ])('$name', async ({ trouble }) => {
    const zip = makeZip([
      { name: 'noise', content: randomBytes(200_000) },
      { name: 'manifest.json', content: printManifest({ ...exampleManifest, ...counted(77) }) },
    ])
    shelf = [{ zip, trouble }]
    expect(await find()).toMatchObject({ manifest: { documents: { count: 77 } }, passedOver: [] })
  })
})

describe('the search', () => {
  it('goes on after a failure that passes', async () => {
    let turns = 2
    const trouble: Trouble = (request, response, zip) => (turns-- > 0 ? send(response, { status: 503 }) : sendPart(request, response, zip))
    shelf = [{ manifest: counted(77), trouble }]
    expect(await find()).toMatchObject({ manifest: { documents: { count: 77 } }, passedOver: [] })
  })

  it('ends after three artifacts that no storage hands out, and says so', async () => {
    shelf = [{ manifest: counted(77) }, ...times(5, { trouble: answers(500) })]
    const { manifest, passedOver } = await find()
    expect(manifest).toBeUndefined()
    expect(passedOver).toHaveLength(4)
    expect(passedOver.at(-1)).toMatchObject({ message: expect.stringContaining('after 3 that the storage did not hand out') })
    expect(storageRequests).toBe(9)
  })

  it('goes past any number of artifacts that are damaged', async () => {
    shelf = [{ manifest: counted(77) }, ...times(9, { trouble: (_, response, zip) => send(response, partOf(zip.fill(7), 0, zip.length)) })]
    expect(await find()).toMatchObject({ manifest: { documents: { count: 77 } } })
  })

  it('asks for the permission where no artifact may be read', async () => {
    shelf = times(3, { status: 403 })
    expect(await rejection(find())).toMatchObject({ code: 'artifact-failed', hint: expect.stringContaining('actions: read') })
    expect(storageRequests).toBe(0)
  })

  it('ends with the reason of the signal when the run is cancelled', async () => {
    const controller = new AbortController()
    const reason = new RangeError('cancelled')
    shelf = [{ trouble: () => controller.abort(reason) }]
    expect(await rejection(find(controller.signal))).toBe(reason)
  })
})
