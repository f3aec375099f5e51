import { describe, expect, it } from '@jest/globals'
import { checkShrink, enforceMinimum } from '../../../src/commands/backup/guards.ts'
import { lookBack } from '../../../src/commands/backup/look-back.ts'
import type { Destination } from '../../../src/destinations/destination.ts'
import { BackupError } from '../../../src/errors.ts'
import type { Manifest } from '../../../src/format/manifest/manifest.ts'
import { exampleManifest, foundOf } from '../../support/example.ts'
import { rejection } from '../../support/feed.ts'
import { stepTools } from './tools.ts'

const source = { projectId: 'abc12345', dataset: 'production' }
const unread = new BackupError({ code: 'snapshot-invalid', title: 'x', message: 'It is torn.', hint: 'Look at it.' })

function manifestOf(byType: Record<string, number>, takenAt = '2026-11-22T08:15:00Z'): Manifest {
  const count = Object.values(byType).reduce((sum, each) => sum + each, 0)
  return { ...exampleManifest, snapshot: `of ${takenAt}`, takenAt, documents: { ...exampleManifest.documents, count, byType } }
}

/** A destination that holds these, newest first; an error in their place is thrown. */
function holding(found: readonly (Manifest | BackupError)[] | BackupError): Destination {
  return {
    kind: 'artifact',
    reader: {
      newestFirst: async function* () {
        if (found instanceof BackupError) throw found
        for (const each of found) yield each instanceof BackupError ? each : foundOf(each)
      },
      whyNone: async () => 'it is the first',
    },
    check: async () => undefined,
    prepare: async () => undefined,
    store: async () => {
      throw new Error('nothing is stored here')
    },
    [Symbol.dispose]: () => undefined,
  }
}

function checking(now: Record<string, number>, destinations: readonly Destination[], maxShrinkPercent = 50) {
  const { tools, logged } = stepTools()
  const manifest = manifestOf(now)
  return { compared: checkShrink({ manifest, destinations, look: lookBack(destinations, manifest).at, maxShrinkPercent }, tools), logged }
}

describe('checkShrink', () => {
  it.each([
    { lost: 'fewer than allowed', now: { post: 51 }, fails: false },
    { lost: 'as many as allowed', now: { post: 50 }, fails: false },
    { lost: 'more than allowed', now: { post: 49 }, fails: true },
    { lost: 'none, but gained some', now: { post: 200 }, fails: false },
  ])('throws only if too many were lost: $lost', async ({ now, fails }) => {
    const { compared } = checking(now, [holding([manifestOf({ post: 100 })])])
    const outcome = await compared.catch((error: unknown) => error)
    if (fails) expect(outcome).toMatchObject({ code: 'dataset-shrunk', message: expect.stringMatching(/51 % fewer(?!.* {2})/) })
    else expect(outcome).toMatchObject({ kind: 'compared' })
  })

  it('warns of types that lost too much although the whole did not', async () => {
    const { compared, logged } = checking({ post: 100, page: 1 }, [holding([manifestOf({ post: 100, page: 4, tag: 2 })])])
    await compared
    expect(logged).toEqual([expect.stringMatching(/^warning: .* Shrunk: page from 4 to 1\. Gone: tag \(2\)\./)])
  })

  it('says that it could not look everywhere, where one place cannot be looked at and another can', async () => {
    const there = manifestOf({ post: 10 })
    const { compared } = checking({ post: 10 }, [holding(unread), holding([there])])
    expect(await compared).toMatchObject({ kind: 'compared', previous: there, everywhere: false })
  })

  it('judges by the snapshot that held most, and tells of the newest', async () => {
    const large = manifestOf({ post: 100 }, '2026-11-01T00:00:00Z')
    const newest = manifestOf({ post: 12 }, '2026-11-21T00:00:00Z')
    const destinations = [holding([newest]), holding([large])]
    expect(await rejection(checking({ post: 10 }, destinations).compared)).toMatchObject({
      message: expect.stringContaining('of 2026-11-01'),
    })
    expect(await checking({ post: 60 }, destinations).compared).toMatchObject({ kind: 'compared', previous: newest, everywhere: true })
  })

  it.each([
    {
      case: 'there is nothing',
      found: [],
      kind: 'nothing',
      logs: /^info: There is nothing to compare with \(artifact\): it is the first\./,
    },
    {
      case: 'nothing can be read',
      found: [unread],
      kind: 'unknown',
      logs: /^warning: Whether .* It is torn\. Look at it\.$/,
    },
    { case: 'nobody answers', found: unread, kind: 'unknown', logs: /^warning: Whether .* It is torn\. Look at it\.$/ },
  ])('goes on, and says so, where $case', async ({ found, kind, logs }) => {
    const { compared, logged } = checking({ post: 1 }, [holding(found)])
    expect(await compared).toMatchObject({ kind })
    expect(logged).toEqual([expect.stringMatching(logs)])
  })

  it('looks nowhere if any loss is allowed', async () => {
    const { compared, logged } = checking({ post: 1 }, [holding(unread)], 100)
    expect(await compared).toEqual({ kind: 'off' })
    expect(logged).toEqual([])
  })
})

describe('enforceMinimum', () => {
  it.each([
    { count: 0, minDocuments: 1, title: 'There is nothing to back up' },
    { count: 9, minDocuments: 10, title: 'There are too few documents' },
  ])('throws for $count documents where $minDocuments are asked for', ({ count, minDocuments, title }) => {
    expect(() => enforceMinimum(count, { minDocuments, source })).toThrow(expect.objectContaining({ code: 'too-few-documents', title }))
  })

  it.each([
    { count: 0, minDocuments: 0 },
    { count: 10, minDocuments: 10 },
  ])('lets $count documents pass where $minDocuments are asked for', ({ count, minDocuments }) => {
    expect(() => enforceMinimum(count, { minDocuments, source })).not.toThrow()
  })
})
