import { describe, expect, it } from '@jest/globals'
import { checkRoom, diskFull, isDiskFull } from '../../../src/snapshot/workshop/room.ts'
import { rejection } from '../../support/feed.ts'
import { makeTempFolder } from '../../support/process.ts'

describe('checkRoom', () => {
  it('tells what is free', async () => {
    await using temp = await makeTempFolder()
    for (const lastBytes of [undefined, 1]) expect(await checkRoom(temp.path, { dataset: 'production', lastBytes })).toBeGreaterThan(0)
  })

  it('refuses to begin what cannot be finished, and says what is needed and what is there', async () => {
    await using temp = await makeTempFolder()
    const last = { dataset: 'production', lastBytes: 9_000_000_000_000_000 }
    expect(await rejection(checkRoom(temp.path, last))).toMatchObject({
      code: 'disk-full',
      message: expect.stringMatching(/^The last snapshot of dataset "production" takes 9000\.0 TB, and only .* are free/),
    })
  })
})

describe('a full disk', () => {
  it.each(['ENOSPC', 'EDQUOT'])('is known by %s, also as the cause of another error', (code) => {
    expect(isDiskFull(Object.assign(new Error('x'), { code }))).toBe(true)
    expect(isDiskFull(new Error('x', { cause: Object.assign(new Error('y'), { code }) }))).toBe(true)
  })

  it('is not any other failure', () => {
    expect(isDiskFull(Object.assign(new Error('x'), { code: 'EACCES' }))).toBe(false)
  })

  it('is told with what is needed, and without what is there where the system does not say', async () => {
    const error = await diskFull(new Error('x'), '/nowhere/at/all', { neededBytes: 1_500_000, keptBytes: 0 })
    expect(error).toMatchObject({
      code: 'disk-full',
      message: expect.stringMatching(/more than 1\.5 MB in "\/nowhere\/at\/all", and there is no more room\.$/),
    })
  })
})
