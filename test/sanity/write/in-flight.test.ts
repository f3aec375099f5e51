import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { Http } from '../../../src/http/http.ts'
import type { Wait } from '../../../src/http/retry.ts'
import { listen, readBody, send, untilClosed } from '../../doubles/http.ts'
import { answers, rateLimited } from '../../doubles/sanity/answers.ts'
import { type Sanity, startSanity } from '../../doubles/sanity/sanity.ts'
import { type Client, makeClient } from '../../support/ask.ts'
import { chunks, rejection } from '../../support/feed.ts'
import { json, transactionId, writingTo } from './writing.ts'

const createA = json({ create: { _id: 'a', _type: 'post' } })
const reason = new RangeError('cancelled')
const file = { kind: 'file', filename: 'x.txt', sizeBytes: 1, open: () => chunks('x') } as const

let client: Client
beforeAll(() => {
  client = makeClient(100)
})
afterAll(async () => await client[Symbol.asyncDispose]())

/** Waits until it is told that the time has come, or that nobody waits any more. */
function heldWait() {
  const waits: { readonly ms: number; readonly end: () => void }[] = []
  const wait: Wait = async (ms, stop) =>
    await new Promise((resolve, reject) => {
      waits.push({ ms, end: resolve })
      stop.addEventListener('abort', () => reject(stop.reason))
    })
  return { wait, waits }
}

/** A server that answers when it is told to. */
async function patientServer(answer: Parameters<typeof send>[1]) {
  const arrived = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  let requests = 0
  const server = await listen(async (request, response) => {
    requests++
    await readBody(request)
    arrived.resolve()
    await Promise.race([go.promise, untilClosed(response)])
    send(response, answer)
  })
  return { url: server.url, arrived: arrived.promise, answers: go.resolve, requests: () => requests, server }
}

describe('a run that is told to end', () => {
  it('still learns how a transaction on its way ended', async () => {
    const { server, ...patient } = await patientServer({ status: 200, body: { transactionId } })
    await using _ = server
    const { wait, waits } = heldWait()
    const controller = new AbortController()
    const written = writingTo(patient, client, { signal: controller.signal, wait }).write.mutate([createA], { transactionId })
    await patient.arrived
    controller.abort(reason)
    expect(waits.map(({ ms }) => ms)).toEqual([3000])
    patient.answers()
    expect(await written).toEqual({ kind: 'committed' })
  })

  it('does not wait longer than three seconds for it', async () => {
    const { server, ...patient } = await patientServer({ status: 200 })
    await using _ = server
    const { wait, waits } = heldWait()
    const controller = new AbortController()
    const written = writingTo(patient, client, { signal: controller.signal, wait }).write.mutate([createA], { transactionId })
    await patient.arrived
    controller.abort(reason)
    waits[0]?.end()
    expect(await rejection(written)).toBe(reason)
  })

  it('tries nothing again', async () => {
    const { server, ...patient } = await patientServer(answers.unavailable)
    await using _ = server
    const { wait } = heldWait()
    const controller = new AbortController()
    const written = writingTo(patient, client, { signal: controller.signal, wait }).write.mutate([createA], { transactionId })
    await patient.arrived
    controller.abort(reason)
    patient.answers()
    expect(await rejection(written)).toBe(reason)
    expect(patient.requests()).toBe(1)
  })

  it('ends a wait between two tries', async () => {
    await using sanity = await startSanity()
    sanity.fault('mutate', { answer: answers.unavailable })
    const controller = new AbortController()
    const wait: Wait = async (_, stop) => {
      controller.abort(reason)
      stop.throwIfAborted()
    }
    const { write } = writingTo(sanity, client, { signal: controller.signal, wait })
    expect(await rejection(write.mutate([createA], { transactionId }))).toBe(reason)
    expect(sanity.count('mutate')).toBe(1)
  })

  it('begins nothing', async () => {
    await using sanity = await startSanity()
    const { write } = writingTo(sanity, client, { signal: AbortSignal.abort(reason) })
    const all = [write.mutate([createA], { transactionId }), write.act({}, { transactionId }), write.upload(file), write.read(['a'])]
    expect(await Promise.all(all.map(rejection))).toEqual([reason, reason, reason, reason])
    expect(sanity.requests).toEqual([])
  })
})

describe('a server that hangs', () => {
  it.each([
    { route: 'mutate', ask: (write: ReturnType<typeof writingTo>['write']) => write.mutate([createA], { transactionId }), mostMs: 180_000 },
    {
      route: 'actions',
      ask: (write: ReturnType<typeof writingTo>['write']) =>
        write.act({ actionType: 'sanity.action.release.create', releaseId: 'r' }, { transactionId }),
      mostMs: 180_000,
    },
    { route: 'upload', ask: (write: ReturnType<typeof writingTo>['write']) => write.upload(file), mostMs: 300_000 },
  ] as const)('is given up after its deadline, and asked again: $route', async ({ route, ask, mostMs }) => {
    await using sanity = await startSanity()
    sanity.fault(route, { connection: 'hang', times: 1 })
    sanity.fault(route, { lost: 'hang', times: 1 })
    const deadlines: (number | undefined)[] = []
    const hasty: Http = async (url, options) => {
      deadlines.push(options.headersTimeout)
      return await client.http(url, { ...options, headersTimeout: deadlines.length < 3 ? 50 : 60_000 })
    }
    const { write, logged } = writingTo(sanity, { http: hasty })
    expect(await ask(write)).toMatchObject({ kind: route === 'upload' ? 'uploaded' : 'committed' })
    expect(deadlines).toEqual([mostMs, mostMs, mostMs])
    expect(logged[0]).toContain(`did not answer within ${mostMs / 1000} s`)
    expect(sanity.store().documents()).toHaveLength(1)
  })
})

describe('the requests of a run', () => {
  it('all wait as long as Sanity asked one of them to', async () => {
    await using sanity = await startSanity()
    sanity.fault('mutate', { answer: rateLimited(7), times: 1 })
    const waits: number[] = []
    const others: Promise<unknown>[] = []
    const wait: Wait = async (ms) => {
      waits.push(ms)
      if (waits.length === 1) others.push(write.upload(file), write.read(['a']))
    }
    const { write } = writingTo(sanity, client, { wait })
    await write.mutate([createA], { transactionId })
    await Promise.all(others)
    expect(waits.slice(0, 3)).toEqual([7000, 7000, 7000])
  })

  it('of all transactions and actions together are 20 a second, and 20 uploads beside them', async () => {
    await using sanity = await startSanity()
    const { seconds } = await rateOf(sanity, async (write) => {
      for (let count = 0; count < 50; count++) {
        await write.mutate([json({ create: { _id: `m${count}`, _type: 'post' } })], { transactionId: `m${count}` })
        await write.act({ actionType: 'sanity.action.release.create', releaseId: `r${count}` }, { transactionId: `r${count}` })
      }
    })
    expect(seconds).toBeCloseTo((100 - 5) / 20)
    const uploads = await rateOf(sanity, async (write) => {
      for (let count = 0; count < 30; count++) await write.upload(file)
    })
    expect(uploads.seconds).toBeCloseTo((30 - 5) / 20)
  })
})

async function rateOf(sanity: Sanity, work: (write: ReturnType<typeof writingTo>['write']) => Promise<void>) {
  const { write, waits } = writingTo(sanity, client)
  await work(write)
  return { seconds: waits.reduce((sum, ms) => sum + ms, 0) / 1000 }
}
