import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { cutAnswer } from '../../src/sanity/api.ts'
import { cutExport } from '../../src/sanity/errors/export.ts'
import { exportDeadlines } from '../../src/sanity/export/request.ts'
import { listen } from '../doubles/http.ts'
import { apiAt, makeClient } from '../sanity/ask.ts'
import { collectBytes, rejection } from '../streams/feed.ts'

const asking = { what: 'the export of the documents', cut: cutExport.stream } as const
const drip = { windowMs: 600, leastBytes: 2000 }
const deadlines = { firstByteMs: 5_000, idleMs: 5_000, drip }

/** A server that sends `bytes` every `everyMs`, `times` times. */
async function dripping({ bytes, everyMs, times }: { bytes: number; everyMs: number; times: number }) {
  return await listen(async (_, response) => {
    response.writeHead(200)
    for (let i = 0; i < times && !response.destroyed; i++) {
      response.write(Buffer.alloc(bytes, 0x20))
      await sleep(everyMs)
    }
    response.end()
  })
}

describe('a body that comes slowly', () => {
  it('is given up when it only drips, and asked for again once', async () => {
    await using server = await dripping({ bytes: 1, everyMs: 20, times: 200 })
    await using client = makeClient()
    const started = performance.now()
    const body = await apiAt(server.url, client).open('/data/export/production', { ...asking, deadlines })
    expect(await rejection(collectBytes(body))).toMatchObject({
      code: 'sanity-unavailable',
      title: 'The stream from Sanity stalled',
      message: expect.stringContaining('is too slow: less than 2000 bytes came in 0.6 s'),
      retry: { tries: 2, cut: true },
    })
    expect(performance.now() - started).toBeLessThan(3_500)
  })

  it.each([
    { name: 'that is slow, but not that slow', bytes: 300, everyMs: 25, times: 50 },
    { name: 'of a healthy server that is silent most of the time', bytes: 10, everyMs: 300, times: 5 },
    { name: 'that is short', bytes: 1, everyMs: 20, times: 10 },
  ])('comes to its end: one $name', async ({ bytes, everyMs, times }) => {
    await using server = await dripping({ bytes, everyMs, times })
    await using client = makeClient()
    const body = await apiAt(server.url, client).open('/data/export/production', { ...asking, deadlines })
    expect(await collectBytes(body)).toHaveLength(bytes * times)
  })

  it('is given up when a byte comes only now and then, for ever', async () => {
    await using server = await dripping({ bytes: 1, everyMs: 110, times: 200 })
    await using client = makeClient()
    const body = await apiAt(server.url, client).open('/data/export/production', { ...asking, deadlines })
    expect(await rejection(collectBytes(body))).toMatchObject({
      code: 'sanity-unavailable',
      message: expect.stringContaining('less than 2000 bytes came in 6 s'),
    })
  })

  it('is given up when it is a short answer that does not end in time, though it never stops', async () => {
    await using server = await dripping({ bytes: 1, everyMs: 20, times: 200 })
    await using client = makeClient()
    const short = { what: 'the count', cut: cutAnswer, deadlines: { firstByteMs: 5_000, idleMs: 5_000, totalMs: 300 } }
    const body = await apiAt(server.url, client).open('/data/query/production', short)
    expect(await rejection(collectBytes(body))).toMatchObject({
      code: 'sanity-unavailable',
      message: expect.stringContaining('is too slow: it did not end within 0.3 s'),
    })
  })

  it('may be silent for more than a minute in a real export, and drip for one', () => {
    expect(exportDeadlines.idleMs).toBeGreaterThan(60_000)
    expect(exportDeadlines.drip).toEqual({ windowMs: 60_000, leastBytes: 6_000 })
  })
})

describe('the clock of the runner', () => {
  it.each([
    { off: 'ten minutes behind', ms: 10 * 60_000, warns: [expect.stringContaining('behind')] },
    { off: 'ten minutes ahead', ms: -10 * 60_000, warns: [expect.stringContaining('ahead of')] },
    { off: 'two minutes behind', ms: 2 * 60_000, warns: [] },
  ])('is warned of once when it is $off', async ({ ms, warns }) => {
    await using server = await listen((_, response) => {
      response.writeHead(200, { date: new Date(Date.now() + ms).toUTCString() }).end()
    })
    await using client = makeClient()
    const warnings: string[] = []
    const api = apiAt(server.url, client, { warning: (line) => void warnings.push(line) })
    for (let i = 0; i < 2; i++) await collectBytes(await api.open('/data/export/production', { ...asking, deadlines }))
    expect(warnings).toEqual(warns)
  })
})
