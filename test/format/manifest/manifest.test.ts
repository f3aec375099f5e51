import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { printManifest } from '../../../src/format/manifest/manifest.ts'
import { parseManifest } from '../../../src/format/manifest/parse-manifest.ts'
import { exampleManifest } from '../../support/example.ts'
import { ROOT } from '../../support/process.ts'

describe('printManifest', () => {
  it('is undone by parseManifest', () => {
    expect(parseManifest(printManifest(exampleManifest))).toEqual(exampleManifest)
  })

  it('prints two-space JSON with a line feed at the end', () => {
    const text = String(printManifest(exampleManifest))
    expect(text).toBe(`${JSON.stringify(exampleManifest, null, 2)}\n`)
    expect(text.split('\n').slice(0, 3)).toEqual([
      '{',
      '  "format": "sanity-backup/1",',
      '  "snapshot": "abc12345-production-20261122T081500Z",',
    ])
  })

  it('has the keys in the order in which the snapshots of test/vectors were written', () => {
    const golden = JSON.parse(readFileSync(join(ROOT, 'test/vectors/good-gzip/manifest.json'), 'utf8')) as Record<string, object>
    const keys = (value: Record<string, object | null>) =>
      Object.entries(value).map(([key, inner]) => [key, key === 'byType' ? [] : Object.keys(inner ?? {})])
    const asWritten = JSON.parse(String(printManifest(exampleManifest))) as Record<string, object>
    expect(Object.keys(golden)).toEqual(
      'format snapshot label shard takenAt finishedAt complete source tool run filters documents assets access encryption files'.split(' '),
    )
    expect(keys({ ...asWritten, snapshot: null, takenAt: null, finishedAt: null, tool: null, run: null, format: null })).toEqual(
      keys({ ...golden, snapshot: null, takenAt: null, finishedAt: null, tool: null, run: null, format: null }),
    )
  })

  it('gives back any texts and numbers that it was given', () => {
    const anything = fc.record({
      label: fc.option(fc.string({ unit: 'binary' })),
      byType: fc.dictionary(fc.string({ unit: 'binary' }), fc.nat()),
      count: fc.maxSafeNat(),
    })
    fc.assert(
      fc.property(anything, ({ label, byType, count }) => {
        const manifest = { ...exampleManifest, label, documents: { ...exampleManifest.documents, byType, count } }
        expect(parseManifest(printManifest(manifest))).toEqual(manifest)
      }),
      { numRuns: 300 },
    )
  })
})
