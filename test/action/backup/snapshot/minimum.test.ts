import { describe, expect, it } from '@jest/globals'
import { startSanity } from '../../../doubles/sanity/sanity.ts'
import { backUp, failureOf, threeDocuments } from '../../support.ts'
import { snapshotOf } from './support.ts'

describe('a dataset below the minimum', () => {
  it.concurrent('fails with 0 documents by default', async () => {
    await using sanity = await startSanity({ documents: [] })

    await using done = await backUp({ sanity })

    expect(failureOf(done)).toMatchObject({ exitCode: 1, code: 'too-few-documents' })
    expect(done.error?.message).toMatch(/Hint: .*Viewer.*`min-documents: 0`/s)
  })

  it.concurrent('is backed up with 0 documents when that is allowed', async () => {
    const { manifest, data } = await snapshotOf([], { inputs: { 'min-documents': '0' } })

    expect(data.length).toBe(0)
    expect(manifest.documents).toMatchObject({ count: 0, byType: {}, contentDigest: `sumsha256:${'0'.repeat(64)}` })
  })

  it.concurrent.each([
    {
      name: 'of those stored, after the filters',
      inputs: { 'min-documents': '3', 'exclude-types': 'author' },
      says: /gave 2 documents.*asks for 3/,
    },
    { name: 'of those there are', inputs: { 'min-documents': '4' }, says: /gave 3 documents.*asks for 4/ },
  ])('fails with the number $name', async ({ inputs, says }) => {
    await using sanity = await startSanity({ documents: threeDocuments })

    await using done = await backUp({ sanity }, { inputs })

    expect(failureOf(done)).toMatchObject({ exitCode: 1, code: 'too-few-documents', message: expect.stringMatching(says) })
  })

  it.concurrent('passes with exactly as many', async () => {
    await using sanity = await startSanity({ documents: threeDocuments })

    await using done = await backUp({ sanity }, { inputs: { 'min-documents': '3' } })

    expect(done.exitCode).toBe(0)
  })
})
