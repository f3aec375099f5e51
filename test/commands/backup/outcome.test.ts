import { describe, expect, it } from '@jest/globals'
import { stageTimes, storedAs } from '../../../src/commands/backup/outcome.ts'
import type { Stored, StoredOnBranch } from '../../../src/destinations/destination.ts'
import { exampleManifest } from '../../snapshot/example.ts'

const written = { manifest: exampleManifest, sizeBytes: 5000, digest: `sha256:${'1b'.repeat(32)}` }
const there = { manifest: { ...exampleManifest, snapshot: 'abc12345-production-20261121T081500Z' }, sizeBytes: 7000, digest: undefined }
const branch: StoredOnBranch = {
  kind: 'branch',
  unchanged: false,
  repository: 'acme/site',
  branch: 'b',
  commit: 'c',
  ...there,
  byType: undefined,
}
const directory: Stored = { kind: 'directory', folder: '/tmp/x', manifest: '/tmp/x/manifest.json' }

describe('what is said of a stored snapshot', () => {
  it.each([
    { where: 'in a directory', stored: [directory], expected: { ...written, status: 'stored' } },
    { where: 'on a branch alone, in the files that lie there', stored: [branch], expected: { ...there, status: 'stored' } },
    {
      where: 'on a branch alone that held it already',
      stored: [{ ...branch, unchanged: true }],
      expected: { ...there, status: 'unchanged' },
    },
    {
      where: 'in a directory, and unchanged on a branch',
      stored: [directory, { ...branch, unchanged: true }],
      expected: { ...written, status: 'stored' },
    },
  ])('is how it lies $where', ({ stored, expected }) => {
    expect(storedAs(stored, written)).toEqual(expected)
  })
})

describe('the times of the stages', () => {
  const waited = { download: 0, assets: 300, verify: 400 }
  const totalMs = (wait: keyof typeof waited) => waited[wait]

  it('add up to the export, the assets and the storing', () => {
    expect(stageTimes({ exportMs: 4000, waitedMs: 3000, storeMs: 1000 }, { totalMs })).toEqual({
      downloadMs: 3000,
      compressMs: 1000,
      assetsMs: 300,
      uploadMs: 600,
      verifyMs: 400,
    })
  })

  it('are never negative, though waits may overlap', () => {
    expect(stageTimes({ exportMs: 1000, waitedMs: 3000, storeMs: 100 }, { totalMs })).toMatchObject({ compressMs: 0, uploadMs: 0 })
  })
})
