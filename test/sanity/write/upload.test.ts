import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { BackupError } from '../../../src/errors.ts'
import type { UploadFile } from '../../../src/sanity/write/write.ts'
import { listen, readBody, send } from '../../doubles/http.ts'
import { uploadDenied } from '../../doubles/sanity/access.ts'
import { answers, rateLimited } from '../../doubles/sanity/answers.ts'
import { startSanity } from '../../doubles/sanity/sanity.ts'
import { type Client, makeClient } from '../../support/ask.ts'
import { rejection, source } from '../../support/feed.ts'
import { writingTo } from './writing.ts'

const bytes = Buffer.from('the bytes of a file')
const sha1 = createHash('sha1').update(bytes).digest('hex')

let client: Client
beforeAll(() => {
  client = makeClient()
})
afterAll(async () => await client[Symbol.asyncDispose]())

function fileOf(pieces: readonly Buffer[], { sizeBytes, error }: { readonly sizeBytes?: number; readonly error?: Error } = {}) {
  const opened: ReturnType<typeof source>[] = []
  const file: UploadFile = {
    kind: 'file',
    filename: 'readme.txt',
    sizeBytes: sizeBytes ?? pieces.reduce((sum, { length }) => sum + length, 0),
    open: () => {
      const feed = source(pieces, error)
      opened.push(feed)
      return feed.items
    },
  }
  return { file, opened }
}

describe('an upload', () => {
  it.each([
    { name: 'pieces', pieces: [bytes.subarray(0, 5), bytes.subarray(5)] },
    { name: 'one piece', pieces: [bytes] },
  ])('gives the document of the asset: $name', async ({ pieces }) => {
    await using sanity = await startSanity()
    const { write } = writingTo(sanity, client)
    expect(await write.upload(fileOf(pieces).file)).toEqual({
      kind: 'uploaded',
      document: expect.objectContaining({ _id: `file-${sha1}-txt`, originalFilename: 'readme.txt', size: bytes.length }),
    })
    expect(sanity.of('upload')).toMatchObject([
      {
        path: '/v2025-02-19/assets/files/production',
        query: { filename: 'readme.txt', tag: 'sanity-backup.restore' },
        headers: { 'content-length': String(bytes.length) },
      },
    ])
  })

  it('of an empty file is an upload like others', async () => {
    await using sanity = await startSanity()
    const { write } = writingTo(sanity, client)
    expect(await write.upload(fileOf([]).file)).toMatchObject({ kind: 'uploaded', document: { size: 0 } })
  })

  it('of an image goes where images go', async () => {
    await using sanity = await startSanity()
    const { write } = writingTo(sanity, client)
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"></svg>')
    const uploaded = await write.upload({ ...fileOf([svg]).file, kind: 'image', filename: 'x.svg' })
    expect(uploaded).toMatchObject({ kind: 'uploaded', document: { _id: expect.stringMatching(/^image-.*-4x3-svg$/) } })
  })

  it.each([
    { name: 'reset before', fault: { connection: 'reset' } },
    { name: 'an answer lost', fault: { lost: 'reset' } },
    { name: 'an answer lost in a gateway', fault: { lost: answers.badGateway } },
    { name: '429', fault: { answer: rateLimited(2) } },
    { name: '500', fault: { answer: answers.internalError } },
  ] as const)('is tried again with the bytes from the beginning: $name', async ({ fault }) => {
    await using sanity = await startSanity()
    sanity.fault('upload', { ...fault, times: 2 })
    const { write } = writingTo(sanity, client)
    const { file, opened } = fileOf([bytes])
    expect(await write.upload(file)).toMatchObject({ kind: 'uploaded', document: { _id: `file-${sha1}-txt` } })
    expect(sanity.count('upload')).toBe(3)
    expect(opened.map(({ closed }) => closed())).toEqual(opened.map(() => true))
    expect(sanity.store().documents()).toHaveLength(1)
  })

  it('of an image that Sanity cannot read is refused', async () => {
    await using sanity = await startSanity()
    const { write } = writingTo(sanity, client)
    expect(await write.upload({ ...fileOf([bytes]).file, kind: 'image' })).toEqual({
      kind: 'refused',
      status: 422,
      words: 'Invalid image, could not process',
    })
    expect(sanity.count('upload')).toBe(1)
  })

  it.each([
    { name: 'a role without the right', answer: uploadDenied, code: 'sanity-forbidden' },
    { name: 'a quota', answer: answers.quotaExceeded, code: 'sanity-quota' },
    { name: 'no document in the answer', answer: { status: 200, body: { document: {} } }, code: 'sanity-unavailable' },
  ])('ends the run after one request: $name', async ({ answer, code }) => {
    await using sanity = await startSanity()
    sanity.fault('upload', { answer })
    const { write } = writingTo(sanity, client)
    expect(await rejection(write.upload(fileOf([bytes]).file))).toMatchObject({ code })
    expect(sanity.count('upload')).toBe(1)
  })

  it('fails with the error of the file itself, and is not tried again', async () => {
    await using sanity = await startSanity()
    const { write, waits } = writingTo(sanity, client)
    const error = new Error('the disk is gone')
    const { file, opened } = fileOf([bytes], { sizeBytes: 1000, error })
    expect(await rejection(write.upload(file))).toBe(error)
    expect(opened).toHaveLength(1)
    expect(waits).toEqual([])
    expect(sanity.store().documents()).toEqual([])
  })

  it.each([
    { name: 'shorter', sizeBytes: bytes.length + 1 },
    { name: 'longer', sizeBytes: bytes.length - 1 },
  ])('fails when the file is $name than it was', async ({ sizeBytes }) => {
    await using sanity = await startSanity()
    const { write } = writingTo(sanity, client)
    const error = await rejection(write.upload(fileOf([bytes], { sizeBytes }).file))
    expect(error).toBeInstanceOf(BackupError)
    expect(error).toMatchObject({ code: 'snapshot-invalid', title: 'The file of an asset is not as long as it was' })
    expect(sanity.store().documents()).toEqual([])
  })

  it('takes no more of a file than the server takes', async () => {
    const takes = Promise.withResolvers<void>()
    const arrived = Promise.withResolvers<void>()
    let bodyBytes = 0
    await using server = await listen(async (request, response) => {
      arrived.resolve()
      await takes.promise
      for await (const chunk of request) bodyBytes += (chunk as Buffer).length
      send(response, { status: 200, body: { document: { _id: 'file-x-txt' } } })
    })
    const { write } = writingTo(server, client)
    const piece = Buffer.alloc(64 * 1024)
    const { file, opened } = fileOf(Array.from({ length: 2000 }, () => piece))
    const uploaded = write.upload(file)
    await arrived.promise
    for (let before = -1; before !== opened[0]?.given(); ) {
      before = opened[0]?.given() ?? 0
      await sleep(50)
    }
    expect(opened[0]?.given()).toBeLessThan(1000)
    takes.resolve()
    expect(await uploaded).toMatchObject({ kind: 'uploaded' })
    expect(bodyBytes).toBe(2000 * piece.length)
  })

  it('gets the end of a long name, with its extension', async () => {
    await using sanity = await startSanity()
    const { write } = writingTo(sanity, client)
    await write.upload({ ...fileOf([bytes]).file, filename: `${'x'.repeat(30_000)}.txt` })
    expect(sanity.of('upload')[0]?.query['filename']).toMatch(/^x{196}\.txt$/)
  })

  it('is broken off at once when the run is told to end, and the file is closed', async () => {
    const arrived = Promise.withResolvers<void>()
    const gone = Promise.withResolvers<void>()
    await using server = await listen(async (request, response) => {
      arrived.resolve()
      response.once('close', () => gone.resolve())
      await readBody(request).catch(() => undefined)
    })
    const controller = new AbortController()
    const { write } = writingTo(server, client, { signal: controller.signal })
    const { file, opened } = fileOf(Array.from({ length: 2000 }, () => Buffer.alloc(64 * 1024)))
    const uploaded = write.upload(file)
    await arrived.promise
    const reason = new RangeError('cancelled')
    controller.abort(reason)
    expect(await rejection(uploaded)).toBe(reason)
    await gone.promise
    expect(opened).toHaveLength(1)
    while (!opened[0]?.closed()) await sleep(10)
  })
})
