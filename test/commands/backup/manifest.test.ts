import { describe, expect, it } from '@jest/globals'
import { noAssets } from '../../../src/commands/backup/assets/saved.ts'
import { type ManifestNeeds, makeManifest } from '../../../src/commands/backup/manifest.ts'
import type { SavedDocuments } from '../../../src/commands/documents/save.ts'
import { exampleManifest } from '../../support/example.ts'

const [file] = exampleManifest.files
const counts = { received: 2, count: 2, drafts: 1, versions: 0, excluded: 0, draftsLeftOut: 0 }
const notices = { damaged: 0, holdsToken: false, lacking: new Map(), untaken: new Map(), unsafeNames: 0, secretTypes: [] }
const times = { exportMs: 0, waitedMs: 0 }
const documents: SavedDocuments = {
  tally: { ...counts, ...notices, byType: new Map([['post', 2]]) },
  data: { file: file!, contentDigest: exampleManifest.documents.contentDigest },
  mode: 'stream',
  repeated: 0,
  liveCountBefore: 2,
  liveCountAfter: 2,
  streamGivenUp: false,
  ...times,
}
const needs: ManifestNeeds = {
  name: exampleManifest.snapshot,
  label: null,
  shard: null,
  takenAt: new Date('2026-11-22T08:15:00Z'),
  finishedAt: new Date('2026-11-22T08:15:41Z'),
  source: { projectId: 'abc12345', dataset: 'production', apiHost: new URL('https://api.sanity.io'), apiVersion: '2025-02-19' },
  run: exampleManifest.run,
  filters: exampleManifest.filters,
  documents,
  includeAssets: false,
  assets: noAssets,
  fullRead: true,
  clean: (text) => text.replaceAll('skTOKEN', '***'),
}

describe('makeManifest', () => {
  it('says all that the contract asks for', () => {
    const { tool, ...manifest } = makeManifest(needs)
    const { tool: exampleTool, ...example } = exampleManifest
    expect(manifest).toEqual(example)
    expect(tool.name).toBe(exampleTool.name)
  })

  it('ends no earlier than it began, though the clock was set back', () => {
    expect(makeManifest({ ...needs, finishedAt: new Date('2026-11-22T07:00:00Z') }).finishedAt).toBe('2026-11-22T08:15:00Z')
  })

  it('counts types together that look alike without the token, in the order of their names', () => {
    const byType = new Map([
      ['zebra', 1],
      ['skTOKEN', 2],
      ['***', 3],
    ])
    const { byType: named } = makeManifest({ ...needs, documents: { ...documents, tally: { ...documents.tally, byType } } }).documents
    expect(Object.entries(named)).toEqual([
      ['***', 5],
      ['zebra', 1],
    ])
  })

  it('says of a shard without documents that it holds none, and how many there are all the same', () => {
    const { documents: counted, files } = makeManifest({ ...needs, documents: { ...documents, data: undefined } })
    expect(counted).toMatchObject({ count: 0, byType: {}, liveCountBefore: 2, contentDigest: `sumsha256:${'00'.repeat(32)}` })
    expect(files).toEqual([])
  })

  it('is not complete if files of assets are missing, and keeps to itself why', () => {
    const missing = [{ id: 'image-a', url: 'https://cdn.sanity.io/a', status: 404, lack: 'file', why: 'it is gone' }] as const
    const manifest = makeManifest({ ...needs, includeAssets: true, assets: { ...noAssets, missing } })
    expect(manifest.complete).toBe(false)
    expect(manifest.assets.missing).toEqual([{ id: 'image-a', url: 'https://cdn.sanity.io/a', status: 404 }])
  })
})
