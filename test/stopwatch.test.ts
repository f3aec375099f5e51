import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from '@jest/globals'
import { stopwatch } from '../src/stopwatch.ts'
import { rejection } from './support/feed.ts'

describe('stopwatch', () => {
  it('adds up how long was waited for what, and gives what came of it', async () => {
    const { during, totalMs } = stopwatch()
    expect(await during('download', async () => await sleep(30, 'bytes'))).toBe('bytes')
    await during('download', async () => await sleep(30))
    expect(totalMs('download')).toBeGreaterThan(50)
    expect(totalMs('verify')).toBe(0)
  })

  it('counts the time of what fails too, and passes its error on', async () => {
    const { during, totalMs } = stopwatch()
    const error = new RangeError('too late')
    const failing = async () => {
      await sleep(30)
      throw error
    }
    expect(await rejection(during('verify', failing))).toBe(error)
    expect(totalMs('verify')).toBeGreaterThan(20)
  })
})
