import { describe, expect, it } from '@jest/globals'
import { BackupError, type Retry } from '../../src/errors.ts'
import { retrying } from '../../src/http/retry.ts'
import { rejection } from '../support/feed.ts'

const { signal } = new AbortController()

describe('retrying', () => {
  it('gives the first result that comes, with the number of the try', async () => {
    const run = runs([failure({ tries: 5 }), failure({ tries: 5 })])
    expect(await run.result).toBe('result of try 3')
    expect(run.tries).toBe(3)
  })

  it.each([{ tries: 1 }, { tries: 2 }, { tries: 5 }])('tries $tries times in all, and then throws the last error', async ({ tries }) => {
    const errors = Array.from({ length: 10 }, () => failure({ tries }))
    const run = runs(errors)
    expect(await rejection(run.result)).toBe(errors[tries - 1])
    expect(run.tries).toBe(tries)
  })

  it('waits about 1, 2, 4 and 8 seconds, never exactly', async () => {
    const run = runs(Array.from({ length: 4 }, () => failure({ tries: 5 })))
    await run.result
    const bounds = [1000, 2000, 4000, 8000].map((ms) => [ms * 0.75, ms * 1.25])
    expect(run.waits.map((ms, index) => ms >= (bounds[index]?.[0] ?? 0) && ms <= (bounds[index]?.[1] ?? 0))).toEqual([
      true,
      true,
      true,
      true,
    ])
    expect(run.waits.some((ms) => !Number.isInteger(ms))).toBe(true)
  })

  it('waits as long as the server asked', async () => {
    const run = runs([failure({ tries: 5, afterMs: 7_000 }), failure({ tries: 5, afterMs: 1_000 })])
    await run.result
    expect(run.waits).toEqual([7_000, 1_000])
  })

  it('waits a growing time all the same when the server asked for none', async () => {
    const run = runs(Array.from({ length: 4 }, () => failure({ tries: 5, afterMs: 0 })))
    await run.result
    expect(run.waits.map((ms) => 2 ** Math.round(Math.log2(ms / 1000)))).toEqual([1, 2, 4, 8])
  })

  it.each([
    { name: 'exactly two minutes are waited', afterMs: [120_000], waits: [120_000], gives: 'a result' },
    { name: 'more than two minutes are not', afterMs: [120_001], waits: [], gives: 'an error' },
    { name: 'two minutes together are', afterMs: [60_000, 60_000], waits: [60_000, 60_000], gives: 'a result' },
    { name: 'more together are not', afterMs: [60_000, 60_001], waits: [60_000], gives: 'an error' },
  ])('has two minutes for the waits that servers ask for: $name', async ({ afterMs, waits, gives }) => {
    const run = runs(afterMs.map((ms) => failure({ tries: 5, afterMs: ms })))
    const outcome = run.result.then(
      () => 'a result',
      () => 'an error',
    )
    expect(await outcome).toBe(gives)
    expect(run.waits).toEqual(waits)
  })

  it('does not count its own waits among those', async () => {
    const run = runs([failure({ tries: 5 }), failure({ tries: 5 }), failure({ tries: 5, afterMs: 120_000 })])
    expect(await run.result).toBe('result of try 4')
  })

  it('throws at once what is not known to pass', async () => {
    const strange = new RangeError('a bug')
    const run = runs([strange])
    expect(await rejection(run.result)).toBe(strange)
    expect(run.waits).toEqual([])
  })

  it('throws at once an error without retry, even after one with', async () => {
    const last = failure({ tries: 1 })
    const run = runs([failure({ tries: 5 }), last])
    expect(await rejection(run.result)).toBe(last)
    expect(run.tries).toBe(2)
  })

  it('announces each retry before it waits', async () => {
    const errors = [failure({ tries: 3, afterMs: 1_000 }), failure({ tries: 3, afterMs: 2_000 })]
    const run = runs(errors)
    await run.result
    expect(run.announced).toEqual([
      { error: errors[0], waitMs: 1_000, tryNumber: 1 },
      { error: errors[1], waitMs: 2_000, tryNumber: 2 },
    ])
  })

  it('ends with the reason of the signal when it is aborted while waiting', async () => {
    const reason = new RangeError('cancelled')
    const attempt = async () => {
      throw failure({ tries: 5 })
    }
    const wait = async (_: number, given: AbortSignal) => {
      throw given.reason
    }
    expect(await rejection(retrying(attempt, { wait, signal: AbortSignal.abort(reason), onRetry: () => undefined }))).toBe(reason)
  })
})

function failure(retry: Retry): BackupError {
  return new BackupError({ code: 'sanity-unavailable', title: 't', message: 'm', hint: 'h', retry })
}

/** Runs an attempt that throws these errors one after the other, and then succeeds; records what happens without waiting. */
function runs(errors: readonly Error[]) {
  const record = { tries: 0, waits: [] as number[], announced: [] as unknown[] }
  const attempt = async (tryNumber: number) => {
    record.tries++
    const error = errors[tryNumber - 1]
    if (error) throw error
    return `result of try ${tryNumber}`
  }
  const result = retrying(attempt, {
    wait: async (ms, given) => {
      expect(given).toBe(signal)
      record.waits.push(ms)
    },
    signal,
    onRetry: (error, waitMs, tryNumber) => record.announced.push({ error, waitMs, tryNumber }),
  })
  return Object.assign(record, { result })
}
