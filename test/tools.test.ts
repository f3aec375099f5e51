import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { describe, expect, it } from '@jest/globals'
import { apiAt, makeClient } from './support/ask.ts'
import { rejection } from './support/feed.ts'

const interim = 'HTTP/1.1 103 Early Hints\r\nlink: </x>; rel=preload\r\n\r\n'
const path = '/data/export/production'

describe('a request that is answered with interim answers', () => {
  it('has its deadline all the same when they never end', async () => {
    await using server = await serving((socket) => {
      const timer = setInterval(() => socket.write(interim), 10)
      socket.on('close', () => clearInterval(timer))
    })
    await using client = makeClient(100)
    const asking = { deadlines: { firstByteMs: 200, idleMs: 60_000 }, what: 'x', cut: { code: 'sanity-unavailable', hint: 'x' } } as const
    expect(await rejection(apiAt(server.url, client).open(path, asking))).toMatchObject({
      code: 'sanity-unavailable',
      message: expect.stringContaining('it did not answer within 0.2 s (UND_ERR_HEADERS_TIMEOUT)'),
    })
  })

  it('gets what comes after some, and waits for its body as long as that comes', async () => {
    await using server = await serving((socket) => {
      socket.write(`${interim}${interim}HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\na`)
      setTimeout(() => socket.end('b'), 500)
    })
    await using client = makeClient(0)
    const { statusCode, body } = await client.http(new URL(server.url), { headersTimeout: 300, bodyTimeout: 60_000 })
    expect({ statusCode, text: await body.text() }).toEqual({ statusCode: 200, text: 'ab' })
  })

  it('ends for the reason of whoever asked', async () => {
    const controller = new AbortController()
    await using server = await serving((socket) => {
      socket.write(interim)
      controller.abort(new RangeError('cancelled'))
    })
    await using client = makeClient()
    const asked = client.http(new URL(server.url), { headersTimeout: 60_000, signal: controller.signal })
    expect(await rejection(asked)).toMatchObject({ message: 'cancelled' })
  })
})

/** A server that does with each connection, once it has asked for something, as it is told. */
async function serving(answer: (socket: Socket) => void): Promise<AsyncDisposable & { readonly url: string }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined).once('data', () => answer(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : ''}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
