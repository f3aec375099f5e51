import type { ServerResponse } from 'node:http'
import { describe, expect, it } from '@jest/globals'
import { cutAnswer } from '../../../src/sanity/api.ts'
import { cutExport } from '../../../src/sanity/errors/export.ts'
import { listen, send, sendUntilGone, untilClosed } from '../../doubles/http.ts'
import { type StreamFault, sendStream } from '../../doubles/sanity/read/stream.ts'
import { startSelfSigned } from '../../doubles/self-signed.ts'
import { apiAt, makeClient } from '../../support/ask.ts'
import { collectBytes, rejection } from '../../support/feed.ts'
import { makeTempFolder } from '../../support/process.ts'

const deadlines = { firstByteMs: 10_000, idleMs: 10_000 }
const asking = { deadlines, what: 'the export of the documents', cut: cutExport.stream } as const
const path = '/data/export/production'
const lines = [Buffer.from('{"_id":"a","_type":"post"}'), Buffer.from('{"_id":"b","_type":"post"}')]

describe('a stream that breaks', () => {
  it.each([
    { name: 'closed without the final chunk', stream: { ending: { how: 'cut' } } },
    { name: 'closed short of its content-length', stream: { framing: 'content-length', ending: { how: 'cut', afterBytes: 30 } } },
    { name: 'reset', stream: { ending: { how: 'reset', afterLines: 1 } } },
  ] satisfies { name: string; stream: StreamFault }[])('is cut, and may be tried again: $name', async ({ stream }) => {
    await using server = await streaming(stream)
    await using client = makeClient()
    const body = await apiAt(server.url, client).open(path, asking)
    expect(await rejection(collectBytes(body))).toMatchObject({
      code: 'export-truncated',
      title: 'The stream from Sanity was cut',
      message: expect.stringContaining(`The connection to ${new URL(server.url).host} ended in the middle of the export of the documents`),
      retry: { tries: 5 },
    })
  })

  it('has the code that the asker gives to a cut', async () => {
    await using server = await streaming({ ending: { how: 'cut' } })
    await using client = makeClient()
    const body = await apiAt(server.url, client).open(path, { deadlines, what: 'the count', cut: cutAnswer })
    expect(await rejection(collectBytes(body))).toMatchObject({ code: 'sanity-unavailable', message: expect.stringContaining('the count') })
  })

  it('has stalled when nothing comes for the idle deadline', async () => {
    await using server = await streaming({ ending: { how: 'stall', afterLines: 1 } })
    await using client = makeClient()
    const body = await apiAt(server.url, client).open(path, { ...asking, deadlines: { ...deadlines, idleMs: 200 } })
    expect(await rejection(collectBytes(body))).toMatchObject({
      code: 'sanity-unavailable',
      title: 'The stream from Sanity stalled',
      message: expect.stringContaining('In the middle of the export of the documents '),
      retry: { tries: 2 },
    })
  })

  it('has stalled when it is too slow', async () => {
    await using server = await listen(async (_, response) => {
      response.write(' ')
      await untilClosed(response)
    })
    await using client = makeClient()
    const body = await apiAt(server.url, client).open(path, { ...asking, deadlines: { ...deadlines, totalMs: 300 } })
    expect(await rejection(collectBytes(body))).toMatchObject({
      code: 'sanity-unavailable',
      title: 'The stream from Sanity stalled',
      message: expect.stringContaining('is too slow: it did not end within 0.3 s'),
      retry: { tries: 2, cut: true },
    })
  })

  it('closes its connection when the consumer leaves early', async () => {
    let gone: Promise<unknown> = Promise.resolve()
    await using server = await listen(async (_, response) => {
      gone = untilClosed(response)
      await sendUntilGone(response, Number.POSITIVE_INFINITY)
    })
    await using client = makeClient()
    for await (const _ of await apiAt(server.url, client).open(path, asking)) break
    await expect(gone).resolves.toBeUndefined()
  })
})

describe('a server that cannot be reached', () => {
  it('did not answer within the first-byte deadline', async () => {
    await using server = await listen(async (_, response) => await untilClosed(response))
    await using client = makeClient()
    expect(
      await rejection(apiAt(server.url, client).open(path, { ...asking, deadlines: { ...deadlines, firstByteMs: 200 } })),
    ).toMatchObject({
      code: 'sanity-unavailable',
      title: 'Sanity cannot be reached',
      message: expect.stringContaining('it did not answer within 0.2 s (UND_ERR_HEADERS_TIMEOUT)'),
      retry: { tries: 5 },
    })
  })

  it.each([
    {
      name: 'resets',
      how: (response: ServerResponse) => response.socket?.resetAndDestroy(),
      says: 'the connection was reset (ECONNRESET)',
    },
    {
      name: 'closes',
      how: (response: ServerResponse) => response.socket?.destroy(),
      says: 'the connection was closed before an answer came (UND_ERR_SOCKET)',
    },
  ])('$name the connection', async ({ how, says }) => {
    await using server = await listen((_, response) => void how(response))
    await using client = makeClient()
    expect(await rejection(apiAt(server.url, client).open(path, asking))).toMatchObject({
      code: 'sanity-unavailable',
      message: expect.stringContaining(says),
      retry: { tries: 5 },
    })
  })

  it.each([
    { name: 'refuses the connection', url: 'http://127.0.0.1:1', says: 'it refused the connection (ECONNREFUSED)' },
    { name: 'has an unknown name', url: 'http://sanity.invalid', says: '(DNS)' },
  ])('$name', async ({ url, says }) => {
    await using client = makeClient()
    expect(await rejection(apiAt(url, client).open(path, asking))).toMatchObject({
      code: 'sanity-unavailable',
      message: expect.stringContaining(says),
    })
  })

  it('shows a certificate that is not trusted: not secure, and no retry', async () => {
    await using folder = await makeTempFolder('tls')
    await using server = await startSelfSigned(folder.path)
    await using client = makeClient()
    expect(await rejection(apiAt(server.url, client).open(path, asking))).toMatchObject({
      code: 'sanity-unavailable',
      title: 'The connection to Sanity is not secure',
      message: expect.stringContaining('DEPTH_ZERO_SELF_SIGNED_CERT'),
      retry: { tries: 1 },
    })
    expect(server.requests()).toBe(0)
  })

  it('speaks no TLS: not secure, and no retry', async () => {
    await using server = await listen((_, response) => send(response, { status: 200 }))
    await using client = makeClient()
    expect(await rejection(apiAt(server.url.replace('http:', 'https:'), client).open(path, asking))).toMatchObject({
      code: 'sanity-unavailable',
      title: 'The connection to Sanity is not secure',
      retry: { tries: 1 },
    })
  })
})

async function streaming(fault: StreamFault) {
  return await listen(async (_, response) => await sendStream(response, lines, fault))
}
