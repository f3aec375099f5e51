import { describe, expect, it } from '@jest/globals'
import type { SanityApi } from '../../../src/sanity/api.ts'
import { exportDeadlines, requestExport } from '../../../src/sanity/export/request.ts'
import { nothingSent, sourceAt } from '../../support/ask.ts'
import { chunks } from '../../support/feed.ts'

describe('requestExport', () => {
  it.each([
    { name: 'everything in one stream', wanted: { types: [] }, query: {}, what: 'the export of the documents' },
    { name: 'some types', wanted: { types: ['a', 'b'] }, query: { types: 'a,b' }, what: 'the export of the documents' },
    { name: 'the first page', wanted: { types: [], cursor: '' }, query: { nextCursor: '' }, what: 'a page of the documents' },
    {
      name: 'another page of some types',
      wanted: { types: ['a'], cursor: 'x y' },
      query: { types: 'a', nextCursor: 'x y' },
      what: 'a page of the documents',
    },
  ])('asks for $name', async ({ wanted, query, what }) => {
    const asked: unknown[] = []
    const api: SanityApi = {
      source: sourceAt('https://api.sanity.io'),
      open: async (path, options) => {
        asked.push({ path, query: options.query, what: options.what })
        return chunks()
      },
      send: nothingSent,
    }
    await requestExport(api, wanted)
    expect(asked).toEqual([{ path: '/data/export/production', query, what }])
  })

  it('lets a server be silent for more than a minute, and drip for one', () => {
    expect(exportDeadlines.idleMs).toBeGreaterThan(60_000)
    expect(exportDeadlines.drip).toEqual({ windowMs: 60_000, leastBytes: 6_000 })
  })
})
