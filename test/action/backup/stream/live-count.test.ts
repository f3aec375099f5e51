import { describe, expect, it } from '@jest/globals'
import { startSanity } from '../../../doubles/sanity/sanity.ts'
import { backUp, failureOf, readSnapshot, threeDocuments, threeLines } from '../../support.ts'
import { backUpStream, truncated } from './support.ts'

describe('the count of the live documents', () => {
  it.concurrent.each([
    { name: 'lower', counts: [1], before: 1, after: 1, queries: 2 },
    { name: 'growing meanwhile', counts: [3, 9], before: 3, after: 9, queries: 2 },
    { name: 'shrinking meanwhile', counts: [9, 3], before: 9, after: 3, queries: 2 },
    { name: 'higher, then right: the index lagged', counts: [5, 5, 3], before: 5, after: 3, queries: 3 },
  ])('does not contradict the export: $name', async ({ counts, before, after, queries: expected }) => {
    const { exports, queries, snapshot } = await backUpStream({ counts })

    expect(snapshot?.manifest.documents).toMatchObject({ count: 3, liveCountBefore: before, liveCountAfter: after })
    expect({ exports, queries }).toEqual({ exports: 1, queries: expected })
  })

  it.concurrent('is asked again, and the export made once more, before the export is called truncated', async () => {
    const { run, exports, queries } = await backUpStream({ counts: [4] })

    expect(failureOf(run)).toMatchObject({ ...truncated, message: expect.stringMatching(/held 3 documents.*counts 4/) })
    expect({ exports, queries }).toEqual({ exports: 2, queries: 6 })
  })

  it.concurrent('may be right in the second round', async () => {
    const { exports, snapshot } = await backUpStream({ counts: [4, 4, 4, 3, 3] })

    expect(snapshot?.manifest.documents).toMatchObject({ count: 3, liveCountBefore: 3, liveCountAfter: 3 })
    expect(exports).toBe(2)
  })

  it.concurrent('proves nothing when it is no count', async () => {
    const { run, exports } = await backUpStream({ counts: ['3'] })

    expect(failureOf(run)).toMatchObject({ exitCode: 1, code: 'sanity-unavailable' })
    expect(exports).toBe(0)
  })

  it.concurrent('is of all documents but system ones, drafts and versions included', async () => {
    await using sanity = await startSanity({
      documents: [
        ...threeDocuments,
        { _id: 'drafts.a', _type: 'post' },
        { _id: 'versions.r1.a', _type: 'post' },
        { _id: '_.groups.public', _type: 'system.group' },
        { _id: '_.releases.r1', _type: 'system.release' },
      ],
    })

    await using run = await backUp({ sanity })

    const { manifest } = await readSnapshot(run)
    expect(manifest.documents).toMatchObject({ count: 6, drafts: 1, versions: 1, liveCountBefore: 5, liveCountAfter: 5 })
    expect(sanity.of('query').map(({ query }) => query['perspective'])).toEqual(['raw', 'raw'])
  })

  it.concurrent('does not take a release for a document that is missing', async () => {
    const lines = [...threeLines, '{"_id":"_.releases.r1","_type":"system.release"}']

    // Without the release three lines came, where four are live.
    const { run } = await backUpStream({ lines, counts: [4] })

    expect(failureOf(run)).toMatchObject(truncated)
  })
})
