import { describe, expect, it } from '@jest/globals'
import { choose, pickDataset, type Wanted } from '../../src/destinations/choose.ts'
import type { Found, SnapshotReader } from '../../src/destinations/destination.ts'
import { BackupError } from '../../src/errors.ts'
import type { Manifest } from '../../src/format/manifest/manifest.ts'
import { exampleManifest, foundOf } from '../support/example.ts'
import { rejection } from '../support/feed.ts'

/** Found snapshots, the newest first. */
function readerOf(...found: readonly (Found | BackupError)[]): SnapshotReader {
  return {
    newestFirst: async function* () {
      yield* found
    },
    whyNone: async () => 'the shelf is empty',
  }
}

function of(day: number, change: Partial<Manifest> = {}, dataset = 'production'): Found {
  const takenAt = `2026-11-${String(day).padStart(2, '0')}T08:15:00Z`
  const source = { ...exampleManifest.source, dataset }
  return foundOf({ ...exampleManifest, snapshot: `abc12345-${dataset}-${day}`, takenAt, source, ...change })
}

const broken = new BackupError({
  code: 'snapshot-invalid',
  title: 'An earlier snapshot cannot be read',
  message: 'The earlier snapshot in the artifact 7 cannot be read. It is not JSON.',
  hint: 'Look at it.',
})

const asked = { projectId: 'abc12345', dataset: 'production' }
const anything = { projectId: undefined, dataset: undefined }
const wanted = (change: Partial<Wanted> = {}): Wanted => ({ source: asked, at: undefined, mixed: true, ...change })
const run = (runId: string, runAttempt = 1) => ({ ...exampleManifest.run!, runId, runAttempt })

const names = async (reader: SnapshotReader, which = wanted()) =>
  (await choose(reader, which)).parts.map(({ manifest }) => manifest.snapshot)

describe('the chosen snapshot', () => {
  it('is the newest of the dataset', async () => {
    expect(await names(readerOf(of(3, {}, 'staging'), of(2), of(1)))).toEqual(['abc12345-production-2'])
  })

  it('is the newest that was not taken later than asked', async () => {
    const reader = readerOf(of(3), of(2), of(1))
    expect(await names(reader, wanted({ at: new Date('2026-11-02T08:15:00Z') }))).toEqual(['abc12345-production-2'])
    expect(await names(reader, wanted({ at: new Date('2026-11-02T08:14:59Z') }))).toEqual(['abc12345-production-1'])
  })

  it('needs no dataset where all are of one', async () => {
    expect(await names(readerOf(of(2), of(1)), wanted({ source: anything }))).toEqual(['abc12345-production-2'])
  })

  it('is never a guess between datasets, which are named', async () => {
    const reader = readerOf(of(2), of(1, {}, 'staging'))
    expect(await rejection(choose(reader, wanted({ source: anything })))).toMatchObject({
      code: 'input-invalid',
      message: expect.stringContaining('"abc12345/production", "abc12345/staging"'),
    })
    expect(await names(reader, wanted({ source: { ...anything, dataset: 'staging' } }))).toEqual(['abc12345-staging-1'])
  })

  it.each([
    { name: 'nothing lies there', there: [], code: 'snapshot-missing', says: 'The shelf is empty.' },
    {
      name: 'a single one of another dataset lies there',
      there: [of(1, {}, 'staging')],
      code: 'snapshot-invalid',
      says: 'is of "abc12345/staging", and "abc12345/production" was asked for',
    },
    {
      name: 'several of others lie there',
      there: [of(2, {}, 'staging'), of(1, {}, 'de')],
      code: 'snapshot-missing',
      says: 'they are of "abc12345/staging", "abc12345/de"',
    },
    {
      name: 'all were taken later',
      there: [of(9), of(8)],
      at: new Date('2026-11-07T00:00:00Z'),
      code: 'snapshot-missing',
      says: 'or before: the oldest that was seen is of 2026-11-08T08:15:00Z',
    },
  ])('is missed, with the cure, where $name', async ({ there, at, code, says }) => {
    const error = await rejection(choose(readerOf(...there), wanted({ at })))
    expect(error).toMatchObject({ code, message: expect.stringContaining(says), hint: expect.stringMatching(/\w/) })
  })

  it('is not quietly an older one where the newest cannot be read', async () => {
    expect(await rejection(choose(readerOf(broken, of(1)), wanted()))).toMatchObject({
      code: 'snapshot-invalid',
      title: 'The newest snapshot cannot be read',
      message: expect.stringContaining('in the artifact 7, cannot be read. It is not JSON.'),
    })
  })

  it('is found behind one that cannot be read where an older one was asked for, and that is said', async () => {
    const chosen = await choose(readerOf(broken, of(1)), wanted({ at: new Date('2026-11-02T00:00:00Z') }))
    expect(chosen).toMatchObject({ main: { manifest: { snapshot: 'abc12345-production-1' } }, passedOver: [broken] })
  })
})

describe('a set of shards', () => {
  const shard = (index: number, change: Partial<Manifest> = {}, day = 5): Found =>
    of(day, { shard: { index, of: 3 }, run: run('50'), snapshot: `shard-${index}`, ...change })

  it('is one snapshot, in the order of the shards', async () => {
    const chosen = await choose(readerOf(shard(3), shard(1), shard(2), of(1)), wanted())
    expect(chosen.parts.map(({ manifest }) => manifest.snapshot)).toEqual(['shard-1', 'shard-2', 'shard-3'])
    expect(chosen).toMatchObject({ shards: 3, main: { manifest: { snapshot: 'shard-1' } } })
  })

  it.each([
    { name: 'another workflow run', change: { run: run('49') } },
    { name: 'another label', change: { label: 'pre-deploy' } },
    { name: 'other filters', change: { filters: { ...exampleManifest.filters, types: ['author'] } } },
    { name: 'another division', change: { shard: { index: 2, of: 4 } } },
  ])('takes no shard of $name, and lacks it', async ({ change }) => {
    const chosen = await choose(readerOf(shard(1), shard(3), shard(2, change)), wanted())
    expect(chosen.parts.map(({ manifest }) => manifest.snapshot)).toEqual(['shard-1', 'shard-3'])
    expect(chosen.shards).toBe(3)
  })

  it('takes the newest attempt of each, also where it was seen later', async () => {
    const again = { run: run('50', 2), snapshot: 'again-2' }
    const chosen = await choose(readerOf(shard(1), shard(2), shard(3), shard(2, again, 4)), wanted())
    expect(chosen.parts.map(({ manifest }) => manifest.snapshot)).toEqual(['shard-1', 'again-2', 'shard-3'])
  })

  it('is no part of a whole snapshot that is newer', async () => {
    const chosen = await choose(readerOf(of(6), shard(1), shard(2), shard(3)), wanted())
    expect(chosen).toMatchObject({ shards: undefined, main: { manifest: { snapshot: 'abc12345-production-6' } } })
  })
})

describe('the dataset on a branch', () => {
  it.each([
    { there: [], source: asked, is: '' },
    { there: ['abc12345/production', 'abc12345/staging'], source: asked, is: 'abc12345/production' },
    { there: ['abc12345/production'], source: anything, is: 'abc12345/production' },
    { there: ['abc12345/production', 'xyz/staging'], source: { ...anything, projectId: 'xyz' }, is: 'xyz/staging' },
  ])('is $is of $there', ({ there, source, is }) => {
    expect(pickDataset(there, source)).toBe(is)
  })

  it.each([
    { there: ['a/b', 'a/c'], source: anything, code: 'input-invalid' },
    { there: ['a/b'], source: asked, code: 'snapshot-invalid' },
    { there: ['a/b', 'a/c'], source: asked, code: 'snapshot-missing' },
  ])('is not guessed: $code', ({ there, source, code }) => {
    expect(() => pickDataset(there, source)).toThrow(expect.objectContaining({ code }))
  })
})
