import { describe, expect, it } from '@jest/globals'
import type { Http } from '../../src/http/http.ts'
import { cutExport } from '../../src/sanity/errors/export.ts'
import { type Answer, listen, readBody, send, sendUntilGone, untilClosed } from '../doubles/http.ts'
import { answers } from '../doubles/sanity/answers.ts'
import { type StreamFault, sendStream } from '../doubles/sanity/read/stream.ts'
import { apiAt, makeClient, sourceAt, token } from '../support/ask.ts'
import { collectBytes, rejection } from '../support/feed.ts'

const deadlines = { firstByteMs: 10_000, idleMs: 10_000 }
const asking = { deadlines, what: 'the export of the documents', cut: cutExport.stream } as const
const path = '/data/export/production'
const lines = [Buffer.from('{"_id":"a","_type":"post"}'), Buffer.from('{"_id":"b","_type":"post"}')]

describe('a request', () => {
  it('carries the token and says what it is, wants nothing encoded, and names the project', async () => {
    const seen: unknown[] = []
    await using server = await listen((request, response, url) => {
      seen.push({ method: request.method, path: `${url.pathname}${url.search}`, headers: request.headers })
      send(response, { status: 200, body: 'x' })
    })
    await using client = makeClient()
    await collectBytes(await apiAt(server.url, client).open(path, { ...asking, query: { types: 'a,b', $x: '["ü"]' } }))
    expect(seen).toEqual([
      {
        method: 'GET',
        path: '/v2025-02-19/data/export/production?types=a%2Cb&%24x=%5B%22%C3%BC%22%5D',
        headers: {
          host: new URL(server.url).host,
          connection: expect.any(String),
          authorization: `Bearer ${token}`,
          'user-agent': 'sanity-backup/0.0.0',
          accept: '*/*',
          'accept-encoding': 'identity',
          'x-sanity-project-id': 'abc12345',
        },
      },
    ])
  })

  it.each([
    { host: 'https://api.sanity.io', asks: 'https://abc12345.api.sanity.io/v2025-02-19/data/export/production', namesProject: false },
    { host: 'https://api.sanity.io/', asks: 'https://abc12345.api.sanity.io/v2025-02-19/data/export/production', namesProject: false },
    { host: 'https://api.sanity.work', asks: 'https://api.sanity.work/v2025-02-19/data/export/production', namesProject: true },
    { host: 'https://api.sanity.io:8443', asks: 'https://api.sanity.io:8443/v2025-02-19/data/export/production', namesProject: true },
    {
      host: 'https://abc12345.api.sanity.io',
      asks: 'https://abc12345.api.sanity.io/v2025-02-19/data/export/production',
      namesProject: true,
    },
    { host: 'http://127.0.0.1:4321', asks: 'http://127.0.0.1:4321/v2025-02-19/data/export/production', namesProject: true },
  ])('for $host goes to $asks', async ({ host, asks, namesProject }) => {
    const seen: { url: string; project: boolean }[] = []
    const http: Http = async (url, { headers = {} }) => {
      seen.push({ url: String(url), project: 'x-sanity-project-id' in headers })
      throw new Error('far enough')
    }
    await rejection(apiAt(host, { http }).open(path, asking))
    expect(seen).toEqual([{ url: asks, project: namesProject }])
  })

  it('uses another API version where one is asked for', async () => {
    const seen: string[] = []
    const http: Http = async (url) => {
      seen.push(url.pathname)
      throw new Error('far enough')
    }
    await rejection(apiAt('https://api.sanity.io', { http }).open('/x', { ...asking, version: '2021-06-07' }))
    expect(seen).toEqual(['/v2021-06-07/x'])
  })
})

describe('an answer', () => {
  it('gives its body as it came', async () => {
    await using server = await streaming({})
    await using client = makeClient()
    const body = await collectBytes(await apiAt(server.url, client).open(path, asking))
    expect(String(body)).toBe(`${lines.join('\n')}\n`)
  })

  it.each([
    {
      name: 'a redirect',
      answer: { status: 302, headers: { location: 'https://evil.example/steal' }, body: '' },
      code: 'sanity-unavailable',
      says: 'A redirect to "https://evil.example/steal" is not followed',
    },
    {
      name: '204',
      answer: answers.noContent,
      code: 'sanity-unavailable',
      says: 'Only a 200 can hold the export of the documents, and 204 came',
    },
    { name: '206', answer: { status: 206, body: '{"_id":' }, code: 'sanity-unavailable', says: 'and 206 came' },
    { name: '401', answer: answers.sessionNotFound, code: 'sanity-unauthorized', says: 'Session not found' },
    { name: '503 without a body', answer: answers.unavailable, code: 'sanity-unavailable', says: 'Sanity gave no reason' },
    { name: '502 of HTML', answer: answers.badGateway, code: 'sanity-unavailable', says: '502 Bad Gateway 502 Bad Gateway' },
  ] satisfies { name: string; answer: Answer; code: string; says: string }[])(
    'other than 200 is thrown after one request: $name',
    async ({ answer, code, says }) => {
      let requests = 0
      await using server = await listen((_, response) => {
        requests++
        send(response, answer)
      })
      await using client = makeClient()
      const error = await rejection(apiAt(server.url, client).open(path, asking))
      expect(error).toMatchObject({ code, message: expect.stringContaining(says) })
      expect(requests).toBe(1)
    },
  )

  it('never takes a redirect to another server', async () => {
    let stolen = 0
    await using thief = await listen((_, response) => {
      stolen++
      send(response, { status: 200, body: 'x' })
    })
    await using server = await listen((_, response) => send(response, { status: 307, headers: { location: `${thief.url}/x` }, body: '' }))
    await using client = makeClient()
    await rejection(apiAt(server.url, client).open(path, asking))
    expect(stolen).toBe(0)
  })

  it('with words of the server is made harmless', async () => {
    const message = '::error::x\r\n::add-mask::y\n##[command]z\u001b[31m \u202eevil\u0000'
    await using server = await listen((_, response) => send(response, { status: 403, body: { error: 'Forbidden', message } }))
    await using client = makeClient()
    const error = (await rejection(apiAt(server.url, client).open(path, asking))) as Error
    expect(error.message).toContain('Sanity says: "Forbidden: ::error::x : :add-mask::y # #[command]z[31m evil".')
  })

  it('with a body in an encoding that was not asked for is refused', async () => {
    await using server = await streaming({ gzip: true })
    await using client = makeClient()
    expect(await rejection(apiAt(server.url, client).open(path, asking))).toMatchObject({
      code: 'sanity-unavailable',
      message: expect.stringContaining('content encoding "gzip"'),
      retry: { tries: 1 },
    })
  })

  it('with an error body of many megabytes is read only in part', async () => {
    let sentBytes = 0
    await using server = await listen(async (_, response) => {
      response.writeHead(500, { 'content-type': 'text/plain' })
      sentBytes = await sendUntilGone(response, 10_000)
    })
    await using client = makeClient()
    const error = await rejection(apiAt(server.url, client).open(path, asking))
    expect(error).toMatchObject({ code: 'sanity-unavailable', title: 'Sanity has a problem (500)' })
    expect((error as Error).message.length).toBeLessThan(1000)
    expect(sentBytes).toBeLessThan(100 * 64 * 1024)
  })

  it('with an error body that never ends does not keep the run waiting', async () => {
    await using server = await listen(async (_, response) => {
      response.writeHead(403, { 'content-type': 'application/json' })
      response.write('{"message":"Robots are not allowed"}')
      await untilClosed(response)
    })
    await using client = makeClient()
    const patient = { ...asking, deadlines: { ...deadlines, idleMs: 600_000 } }
    expect(await rejection(apiAt(server.url, client).open(path, patient))).toMatchObject({
      code: 'sanity-forbidden',
      title: 'Sanity says: Robots are not allowed (403)',
    })
  })
})

describe('what is sent', () => {
  const body = Buffer.from('{"a":"ü"}')
  const sending = { ...asking, what: 'a transaction', body, sizeBytes: body.length, contentType: 'application/json' }

  it('arrives as it is, with its length and type', async () => {
    const seen: unknown[] = []
    await using server = await listen(async (request, response, url) => {
      const { authorization, 'content-length': length, 'content-type': type } = request.headers
      const received = await readBody(request)
      seen.push({ method: request.method, path: `${url.pathname}${url.search}`, authorization, length, type, body: received.toString() })
      send(response, { status: 200, body: 'done' })
    })
    await using client = makeClient()
    const answer = await apiAt(server.url, client).send('/data/mutate/production', { ...sending, query: { tag: 'x' } })
    expect(answer).toMatchObject({ status: 200, body: Buffer.from('done') })
    expect(seen).toEqual([
      {
        method: 'POST',
        path: '/v2025-02-19/data/mutate/production?tag=x',
        authorization: `Bearer ${token}`,
        length: '10',
        type: 'application/json',
        body: String(body),
      },
    ])
  })

  it.each([
    { name: '409', answer: answers.transactionConflict },
    { name: 'a redirect', answer: { status: 307, headers: { location: 'https://evil.example/steal' }, body: 'x' } },
    { name: '503', answer: answers.unavailable },
  ] satisfies { name: string; answer: Answer }[])('gets any answer, after one request: $name', async ({ answer }) => {
    let requests = 0
    await using server = await listen((_, response) => {
      requests++
      send(response, answer)
    })
    await using client = makeClient()
    expect(await apiAt(server.url, client).send(path, sending)).toMatchObject({ status: answer.status })
    expect(requests).toBe(1)
  })

  it.each([{ status: 200 }, { status: 409 }])('gets the first 4 MiB of a long answer: $status', async ({ status }) => {
    await using server = await listen(async (_, response) => {
      response.writeHead(status)
      await sendUntilGone(response, 10_000)
    })
    await using client = makeClient()
    expect((await apiAt(server.url, client).send(path, sending)).body).toHaveLength(4 * 1024 * 1024)
  })

  it('fails when its answer is cut off', async () => {
    await using server = await listen((_, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('{', () => response.destroy())
    })
    await using client = makeClient()
    expect(await rejection(apiAt(server.url, client).send(path, sending))).toMatchObject({
      message: expect.stringContaining('a transaction'),
    })
  })

  it('fails when its answer goes on for ever', async () => {
    await using server = await listen(async (_, response) => {
      response.writeHead(200).write('{')
      await untilClosed(response)
    })
    await using client = makeClient()
    const error = await rejection(apiAt(server.url, client).send(path, { ...sending, deadlines: { ...deadlines, totalMs: 50 } }))
    expect(error).toMatchObject({ title: 'The stream from Sanity stalled', retry: { tries: 2 } })
  })

  it('fails when its answer comes in an encoding that was not asked for', async () => {
    await using server = await streaming({ gzip: true })
    await using client = makeClient()
    expect(await rejection(apiAt(server.url, client).send(path, sending))).toMatchObject({ message: expect.stringContaining('"gzip"') })
  })

  it('ends by the signal that it was given, and not by that of the run', async () => {
    await using server = await listen(async (_, response) => await untilClosed(response))
    await using client = makeClient()
    const run = new AbortController()
    const own = new AbortController()
    const sent = apiAt(server.url, client, { signal: run.signal }).send(path, { ...sending, signal: own.signal })
    run.abort(new RangeError('of the run'))
    setTimeout(() => own.abort(new RangeError('its own')), 50)
    expect(await rejection(sent)).toMatchObject({ message: 'its own' })
  })
})

describe('a body that breaks', () => {
  it.each([
    { name: 'chunked, without the final chunk, inside a line', fault: { ending: { how: 'cut', afterBytes: 10 } } },
    { name: 'chunked, without the final chunk, at a line end', fault: { ending: { how: 'cut', afterLines: 1 } } },
    { name: 'chunked, without the final chunk, behind the last line', fault: { ending: { how: 'cut' } } },
    { name: 'shorter than its content-length', fault: { framing: 'content-length', ending: { how: 'cut', afterLines: 1 } } },
    { name: 'reset in the middle', fault: { ending: { how: 'reset', afterLines: 1 } } },
    { name: 'reset behind the last line', fault: { ending: { how: 'reset' } } },
  ] satisfies { name: string; fault: StreamFault }[])('is not taken for a whole one, and may be tried again: $name', async ({ fault }) => {
    await using server = await streaming(fault)
    await using client = makeClient()
    const reading = apiAt(server.url, client).open(path, asking).then(collectBytes)
    expect(await rejection(reading)).toMatchObject({ code: 'export-truncated', retry: { tries: 5 } })
  })
})

describe('the clock of the runner', () => {
  it('is compared with the date of each answer', async () => {
    await using server = await listen((_, response) => {
      response.writeHead(200, { date: new Date(Date.now() + 600_000).toUTCString() }).end()
    })
    await using client = makeClient()
    const warnings: string[] = []
    const api = apiAt(server.url, client, { warning: (line) => void warnings.push(line) })
    for (let i = 0; i < 2; i++) await collectBytes(await api.open(path, asking))
    expect(warnings).toEqual([expect.stringContaining('behind')])
  })
})

describe('a cancellation', () => {
  const reason = new RangeError('cancelled from outside')

  it('ends a request that waits for its answer, with its own reason', async () => {
    await using server = await listen(async (_, response) => await untilClosed(response))
    await using client = makeClient()
    const controller = new AbortController()
    const answer = apiAt(server.url, client, { signal: controller.signal }).open(path, asking)
    setTimeout(() => controller.abort(reason), 50)
    expect(await rejection(answer)).toBe(reason)
  })

  it('ends a stream that waits for its next byte, with its own reason', async () => {
    await using server = await streaming({ ending: { how: 'stall', afterLines: 1 } })
    await using client = makeClient()
    const controller = new AbortController()
    const body = await apiAt(server.url, client, { signal: controller.signal }).open(path, asking)
    setTimeout(() => controller.abort(reason), 50)
    expect(await rejection(collectBytes(body))).toBe(reason)
  })

  it('before the request keeps it from being made', async () => {
    let requests = 0
    await using server = await listen((_, response) => {
      requests++
      send(response, { status: 200 })
    })
    await using client = makeClient()
    expect(await rejection(apiAt(server.url, client, { signal: AbortSignal.abort(reason) }).open(path, asking))).toBe(reason)
    expect(requests).toBe(0)
  })
})

describe('an API', () => {
  it('sends nothing until it is asked', () => {
    const http: Http = async () => {
      throw new Error('sent')
    }
    expect(apiAt('https://api.sanity.io', { http }).source).toEqual(sourceAt('https://api.sanity.io'))
  })
})

async function streaming(fault: StreamFault) {
  return await listen(async (_, response) => await sendStream(response, lines, fault))
}
