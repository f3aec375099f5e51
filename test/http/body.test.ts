import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { BackupError } from '../../src/errors.ts'
import { type Deadlines, guarded, TooSlowError } from '../../src/http/body.ts'
import { stopwatch } from '../../src/stopwatch.ts'
import { type Handler, listen, untilClosed } from '../doubles/http.ts'
import { makeClient } from '../support/ask.ts'
import { collectBytes, rejection } from '../support/feed.ts'

const deadlines = { firstByteMs: 50_000, idleMs: 50_000 }

describe('a guarded body', () => {
  it('gives what came', async () => {
    expect(await bytesOf((_, response) => void response.end('all of it'))).toEqual(Buffer.from('all of it'))
  })

  it('fails with what the asker makes of a connection that breaks', async () => {
    const broken: Handler = async (_, response) => {
      response.write('half')
      await sleep(50)
      response.destroy()
    }
    expect(await rejection(bytesOf(broken))).toMatchObject({ title: 'made by the asker', cause: expect.anything() })
  })

  it('ends with the reason of the signal', async () => {
    const reason = new RangeError('cancelled')
    const controller = new AbortController()
    const hanging: Handler = async (_, response) => {
      response.write('half')
      setTimeout(() => controller.abort(reason), 50)
      await untilClosed(response)
    }
    expect(await rejection(bytesOf(hanging, { signal: controller.signal }))).toBe(reason)
  })

  it('is given up when it only drips', async () => {
    const error = await rejection(bytesOf(dripping, { deadlines: { ...deadlines, drip: { windowMs: 600, leastBytes: 2_000 } } }))
    expect(error).toMatchObject({ cause: { message: expect.stringMatching(/^less than 2000 bytes came in (0\.6|6) s$/) } })
    expect((error as BackupError).cause).toBeInstanceOf(TooSlowError)
  })

  it('is given up when it does not end in time, though it never stops', async () => {
    const error = await rejection(bytesOf(dripping, { deadlines: { ...deadlines, totalMs: 300 } }))
    expect(error).toMatchObject({ cause: { message: 'it did not end within 0.3 s' } })
    expect((error as BackupError).cause).toBeInstanceOf(TooSlowError)
  })
})

/** Sends a byte every 20 ms until nobody listens. */
const dripping: Handler = async (_, response) => {
  while (!response.destroyed) {
    response.write(' ')
    await sleep(20)
  }
}

type Guards = { readonly deadlines?: Deadlines; readonly signal?: AbortSignal }

/** The body that such a server sends, read under guard. */
async function bytesOf(handler: Handler, { deadlines: given = deadlines, signal = new AbortController().signal }: Guards = {}) {
  await using server = await listen(handler)
  await using client = makeClient()
  const { body } = await client.http(new URL(server.url), {})
  const toError = (cause: unknown) =>
    new BackupError({ code: 'sanity-unavailable', title: 'made by the asker', message: 'm', hint: 'h', cause })
  return await collectBytes(guarded(body, { deadlines: given, signal, stopwatch: stopwatch(), toError }))
}
