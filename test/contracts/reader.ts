import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import type { Found, SnapshotReader, Stored } from '../../src/destinations/destination.ts'
import { BackupError } from '../../src/errors.ts'
import { type Manifest, printManifest, type StoredManifest } from '../../src/format/manifest/manifest.ts'
import { exampleManifest } from '../support/example.ts'
import { rejection } from '../support/feed.ts'
import { makeTempFolder } from '../support/process.ts'

/**
 * The laws of `SnapshotReader` (src/destinations/destination.ts), for every kind of destination. The test of a kind calls {@link describeReader} with a
 * function that makes a place: an empty one, on which snapshots can be put as runs, other versions and other people leave them there.
 */
type ReaderPlace = AsyncDisposable & {
  /** A reader as a new run makes it: of the dataset of `exampleManifest`, and ended by the given signal. */
  readonly open: () => SnapshotReader & Partial<Disposable>
  /** Puts a finished snapshot there. It is newer than all that were put before. Only its manifest is read back. */
  readonly put: (manifest: Manifest) => Promise<void>
  /** Puts there what is no finished snapshot of the dataset: a folder without a manifest, an artifact that has expired, a commit of other people. */
  readonly putOther: () => Promise<void>
  /** Puts a snapshot there, newer than all before, whose manifest is these bytes. */
  readonly putBytes: (bytes: string) => Promise<void>
  /** Makes the place give no answer at all from now on. */
  readonly breakDown: () => Promise<void>
}

type MakePlace = (given: { readonly signal: AbortSignal; readonly temp: string }) => Promise<ReaderPlace>

/** The laws. */
export function describeReader(kind: Stored['kind'], makePlace: MakePlace): void {
  describe(`the reader of the destination ${kind}`, () => {
    it('gives nothing where nothing is, and says so as part of a sentence', async () => {
      await using made = await setUp(makePlace)
      using opened = made.open()
      expect(await all(opened.reader)).toEqual([])
      expect(await opened.reader.whyNone()).toMatch(/^\p{Ll}.*[^.]$/u)
    })

    it('gives the manifests as they lie there, the newest first, and passes over what is no finished snapshot', async () => {
      await using made = await setUp(makePlace)
      const snapshots = [1, 2, 3].map(ofDay)
      for (const manifest of snapshots) {
        await made.place.put(manifest)
        await made.place.putOther()
      }
      using opened = made.open()
      expect(await all(opened.reader)).toEqual(snapshots.toReversed())
    })

    it('says of a snapshot where it lies, and fetches it with its manifest as it lies there', async () => {
      await using made = await setUp(makePlace)
      await made.place.put(ofDay(1))
      using opened = made.open()
      const [found] = (await Array.fromAsync(opened.reader.newestFirst())) as [Found]
      expect(found.where).toMatch(/^(in|at) .*[^.]$/u)
      expect(found.manifestBytes).toEqual(printManifest(ofDay(1)))
      const { folder, listed, odd } = await found.fetch(join(made.temp, 'fetched'), { level: 'structure' })
      expect(await readFile(join(folder, 'manifest.json'))).toEqual(found.manifestBytes)
      expect(listed.map(({ path }) => path)).toEqual(['manifest.json'])
      expect(odd).toEqual([])
    })

    it('may be left early, and begun again', async () => {
      await using made = await setUp(makePlace)
      await made.place.put(ofDay(1))
      await made.place.put(ofDay(2))
      using opened = made.open()
      expect(await first(opened.reader)).toEqual(ofDay(2))
      expect(await all(opened.reader)).toEqual([ofDay(2), ofDay(1)])
    })

    it('sees what was stored by others since', async () => {
      await using made = await setUp(makePlace)
      await made.place.put(ofDay(1))
      using before = made.open()
      expect(await first(before.reader)).toEqual(ofDay(1))
      await made.place.put(ofDay(2))
      using after = made.open()
      expect(await first(after.reader)).toEqual(ofDay(2))
    })

    it.each([
      { name: 'no JSON', bytes: '{' },
      { name: 'of a format that is not known', bytes: JSON.stringify({ ...ofDay(2), format: 'sanity-backup/9' }) },
    ])('gives the reason in the place of a snapshot whose manifest is $name, and goes on', async ({ bytes }) => {
      await using made = await setUp(makePlace)
      await made.place.put(ofDay(1))
      await made.place.putBytes(bytes)
      using opened = made.open()
      const [reason, ...others] = await all(opened.reader)
      expect(reason).toMatchObject({
        code: 'snapshot-invalid',
        message: expect.stringMatching(/^The earlier snapshot .* cannot be read\. /),
      })
      expect(others).toEqual([ofDay(1)])
    })

    it('throws an error with a cure where the place as a whole cannot be looked at', async () => {
      await using made = await setUp(makePlace)
      await made.place.put(ofDay(1))
      await made.place.breakDown()
      using opened = made.open()
      const error = await rejection(all(opened.reader))
      expect(error).toBeInstanceOf(BackupError)
      expect((error as BackupError).hint).not.toBe('')
    })

    it('throws the reason of the signal when the run is cancelled', async () => {
      await using made = await setUp(makePlace)
      await made.place.put(ofDay(1))
      const reason = new RangeError('cancelled')
      made.abort(reason)
      using opened = made.open()
      expect(await rejection(all(opened.reader))).toBe(reason)
    })
  })
}

/** The manifest of a snapshot that was taken on a day of a month. */
function ofDay(day: number): Manifest {
  const date = String(day).padStart(2, '0')
  return { ...exampleManifest, snapshot: `abc12345-production-202611${date}T081500Z`, takenAt: `2026-11-${date}T08:15:00Z` }
}

async function all(reader: SnapshotReader): Promise<(StoredManifest | BackupError)[]> {
  return (await Array.fromAsync(reader.newestFirst())).map(manifestOf)
}

async function first(reader: SnapshotReader): Promise<StoredManifest | BackupError | undefined> {
  for await (const each of reader.newestFirst()) return manifestOf(each)
  return undefined
}

function manifestOf(each: Found | BackupError): StoredManifest | BackupError {
  return each instanceof BackupError ? each : each.manifest
}

async function setUp(makePlace: MakePlace) {
  const temp = await makeTempFolder('reader')
  const controller = new AbortController()
  const place = await makePlace({ signal: controller.signal, temp: temp.path })
  return {
    place,
    temp: temp.path,
    open: () => {
      const reader = place.open()
      return { reader, [Symbol.dispose]: () => reader[Symbol.dispose]?.() }
    },
    abort: (reason: Error) => controller.abort(reason),
    [Symbol.asyncDispose]: async () => {
      await place[Symbol.asyncDispose]()
      await temp[Symbol.asyncDispose]()
    },
  }
}
