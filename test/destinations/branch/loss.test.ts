import { describe, expect, it } from '@jest/globals'
import { refuseLoss } from '../../../src/destinations/branch/loss.ts'
import type { BackupError } from '../../../src/errors.ts'
import type { Manifest } from '../../../src/format/manifest/manifest.ts'
import { type PlainManifest, sealManifest } from '../../../src/format/manifest/sealed.ts'
import { exampleManifest } from '../../support/example.ts'

type Given = { readonly byType: Record<string, number>; readonly filters?: Partial<PlainManifest['filters']>; readonly assets?: number }

function manifestOf({ byType, filters = {}, assets = 0 }: Given): PlainManifest {
  const count = Object.values(byType).reduce((sum, value) => sum + value, 0)
  return {
    ...exampleManifest,
    filters: { ...exampleManifest.filters, ...filters },
    documents: { ...exampleManifest.documents, count, byType },
    assets: { ...exampleManifest.assets, included: assets > 0, count: assets },
  }
}

/** How the guard ends: `kept`, or what it says. */
function judged(
  there: Manifest,
  now: Manifest,
  { maxShrinkPercent = 50, vanished }: { maxShrinkPercent?: number; vanished?: number } = {},
): string {
  try {
    refuseLoss(now, there, { branch: 'backups', maxShrinkPercent, vanished })
    return 'kept'
  } catch (error) {
    const { code, message, hint } = error as BackupError
    return `${code}: ${message} ${hint}`
  }
}

const types = { types: ['post'] }

describe('the guard of the tip', () => {
  it.each<{ name: string; there: Given; now: Given; says: string | RegExp }>([
    { name: 'half of the documents', there: { byType: { post: 10 } }, now: { byType: { post: 5 } }, says: 'kept' },
    {
      name: 'more than half of the documents',
      there: { byType: { post: 10 } },
      now: { byType: { post: 4 } },
      says: /^dataset-shrunk: .* take 6 of the 10 documents \(60 %.* out of it. Nothing was stored there. Look at the dataset now/,
    },
    {
      name: 'most of them by another choice of types',
      there: { byType: { author: 90, post: 10 } },
      now: { byType: { post: 10 }, filters: types },
      says: /90 of the 100 documents .* The two differ in `types` \(there empty, here "post"\)\. .* belongs on another `branch`/,
    },
    {
      name: 'all of them, though as many others come',
      there: { byType: { author: 90 }, filters: { types: ['author'] } },
      now: { byType: { post: 90 }, filters: types },
      says: /90 of the 90 documents .*`types` \(there "author", here "post"\)/,
    },
    {
      name: 'a type that was renamed, with the same filters',
      there: { byType: { post: 10 } },
      now: { byType: { article: 10 } },
      says: 'kept',
    },
    {
      name: 'the drafts, if they are most of it',
      there: { byType: { post: 10 } },
      now: { byType: { post: 1 }, filters: { includeDrafts: false } },
      says: /differ in `include-drafts` \(there true, here false\)/,
    },
    {
      name: 'a few documents by another filter',
      there: { byType: { post: 10 } },
      now: { byType: { post: 9 }, filters: { excludeIds: ['a'], excludeTypes: ['b'] } },
      says: 'kept',
    },
    {
      name: 'all files of assets',
      there: { byType: { post: 10 }, assets: 1200 },
      now: { byType: { post: 10 } },
      says: /take all asset files \(1,200\) out of it\. The two differ in `include-assets` \(there true, here false\)/,
    },
    { name: 'some files of assets', there: { byType: { post: 10 }, assets: 1200 }, now: { byType: { post: 10 }, assets: 1 }, says: 'kept' },
    { name: 'nothing, where there was nothing', there: { byType: {} }, now: { byType: {} }, says: 'kept' },
  ])('judges a snapshot that would take $name', ({ there, now, says }) => {
    expect(judged(manifestOf(there), manifestOf(now))).toMatch(typeof says === 'string' ? new RegExp(`^${says}$`) : says)
  })

  it('counts the documents whose files would vanish, where they tell, though as many others of the same type come', () => {
    const there = manifestOf({ byType: { post: 10 }, filters: { excludeIds: ['b-*'] } })
    const now = manifestOf({ byType: { post: 10 }, filters: { excludeIds: ['a-*'] } })
    expect(judged(there, now, { vanished: 5 })).toBe('kept')
    expect(judged(there, now, { vanished: 6 })).toMatch(/take 6 of the 10 documents .*`exclude-ids` \(there "b-\*", here "a-\*"\)/)
    expect(judged(there, manifestOf({ byType: { post: 10 }, filters: { excludeIds: ['b-*'] } }), { vanished: 6 })).toBe('kept')
  })

  it('is off with 100', () => {
    expect(judged(manifestOf({ byType: { post: 10 }, assets: 3 }), manifestOf({ byType: {} }), { maxShrinkPercent: 100 })).toBe('kept')
  })

  it('copes with a manifest that somebody else wrote, and repeats nothing of it that could do harm', () => {
    const odd = {
      ...manifestOf({ byType: { post: 10 } }),
      assets: undefined,
      filters: { types: ['::error::x\n', '7'], includeDrafts: true, excludeTypes: [], excludeIds: [] },
    }
    const said = judged(odd as unknown as Manifest, manifestOf({ byType: { post: 1 } }))
    expect(said).toMatch(/^dataset-shrunk: .*`include-assets` \(there unknown, here false\)/)
    expect(said).not.toMatch(/\n/)
  })

  it('compares an encrypted snapshot, which does not tell its types, by the number of its documents', () => {
    const details = { path: 'details.json.age', sizeBytes: 1, digest: `sha256:${'0'.repeat(64)}` } as const
    const seal = (manifest: PlainManifest) => sealManifest(manifest, ['age1ann'], details)
    const there = manifestOf({ byType: { post: 10 } })
    expect(judged(there, seal(manifestOf({ byType: { page: 9 }, filters: types })))).toBe('kept')
    expect(judged(seal(there), seal(manifestOf({ byType: { page: 9 }, filters: types })))).toBe('kept')
    expect(judged(seal(there), seal(manifestOf({ byType: { page: 4 }, filters: types })))).toMatch(/^dataset-shrunk/)
  })
})
