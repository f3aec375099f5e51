import { describe, expect, it } from '@jest/globals'
import { startSanity } from '../../../doubles/sanity/sanity.ts'
import { backUp, failureOf, threeDocuments } from '../../support.ts'

describe('an unreachable Sanity', () => {
  it.concurrent.each(['reset', 'close'] as const)('is tried five times before it is called unavailable: %s', async (connection) => {
    await using sanity = await startSanity({ documents: threeDocuments })
    sanity.fault('query', { connection })

    await using run = await backUp({ sanity })

    expect(failureOf(run)).toMatchObject({ exitCode: 1, code: 'sanity-unavailable', title: expect.stringContaining('cannot be reached') })
    expect(sanity.count('query')).toBe(5)
  })

  it.concurrent('is named with its port when nobody listens there', async () => {
    await using sanity = await startSanity()

    await using run = await backUp({ sanity }, { inputs: { 'api-host': 'http://127.0.0.1:9' } })

    expect(failureOf(run)).toMatchObject({
      exitCode: 1,
      code: 'sanity-unavailable',
      message: expect.stringMatching(/127\.0\.0\.1:9 .*refused.*ECONNREFUSED/),
    })
  })

  it.concurrent('is told apart from a certificate that nobody trusts', async () => {
    await using sanity = await startSanity()

    // A plain server does not speak TLS.
    await using run = await backUp({ sanity }, { inputs: { 'api-host': sanity.url.replace('http://', 'https://') } })

    expect(failureOf(run)).toMatchObject({ exitCode: 1, code: 'sanity-unavailable', title: expect.stringContaining('not secure') })
    expect(run.maskedLog).not.toMatch(/Try \d of/)
  })
})
