import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from '@jest/globals'
import type { Destination, FinishedSnapshot, Stored } from '../../src/destinations/destination.ts'
import { findPrevious } from '../../src/destinations/find-previous.ts'
import { isDraft, isVersion } from '../../src/format/manifest/filters.ts'
import { type FileEntry, type Manifest, printManifest } from '../../src/format/manifest/manifest.ts'
import { checkSnapshot } from '../../src/snapshot/check/check.ts'
import type { syncFolder } from '../../src/snapshot/workshop/files.ts'
import { makeWorkshop } from '../../src/snapshot/workshop/workshop.ts'
import { writeManifest } from '../../src/snapshot/write/whole-file.ts'
import { digestOf, sumDigest } from '../../src/streams/digest.ts'
import { exampleManifest } from '../support/example.ts'
import { rejection } from '../support/feed.ts'
import { makeTempFolder } from '../support/process.ts'

/** A place to try a destination on. */
type Place = AsyncDisposable & {
  readonly destination: Destination
  /** The same destination as a later run sees it. */
  readonly next: () => Destination
  /** Brings what is stored into a folder, as any reader would, and gives the folder; undefined if nothing is stored. */
  readonly fetch: (stored: Stored | undefined) => Promise<string | undefined>
  /** Makes what is stored come back damaged. */
  readonly damage: (snapshot: FinishedSnapshot) => Promise<void>
  /** What is wrong with the fetched folder, where a snapshot does not lie there as it does on the runner. */
  readonly findings?: (folder: string, stored: Stored) => Promise<readonly unknown[]>
}

type MakePlace = (options: { signal: AbortSignal; temp: string }) => Promise<Place>

/** The laws of src/destinations/destination.ts, for every destination. */
export function describeDestination(kind: Stored['kind'], makePlace: MakePlace, which = ''): void {
  describe(`the destination ${kind}${which}`, () => {
    it('says what it is, and changes nothing when it is checked', async () => {
      await using made = await setUp(makePlace)
      await made.place.destination.check()
      expect(made.place.destination.kind).toBe(kind)
      expect(await made.place.fetch(undefined)).toBeUndefined()
    })

    it('stores a whole snapshot, which any reader finds whole', async () => {
      await using made = await setUp(makePlace)
      const stored = await made.place.destination.store(made.snapshot)
      const folder = (await made.place.fetch(stored)) ?? ''
      expect(stored.kind).toBe(kind)
      const { findings = plainFindings(made.snapshot) } = made.place
      expect(await findings(folder, stored)).toEqual([])
    })

    it('finds nothing before, and afterwards the snapshot that it stored, if that can be compared with', async () => {
      await using made = await setUp(makePlace)
      expect(await findPrevious(made.place.destination.reader, exampleManifest)).toMatchObject({ manifest: undefined, passedOver: [] })
      await made.place.destination.prepare(made.snapshot)
      await made.place.destination.store(made.snapshot)
      using next = made.place.next()
      expect(await findPrevious(next.reader, exampleManifest)).toMatchObject({
        manifest: { snapshot: exampleManifest.snapshot, documents: { count: 200 } },
      })
    })

    it('leaves the bytes in the folder as they are', async () => {
      await using made = await setUp(makePlace)
      const before = await readFile(join(made.snapshot.folder.path, 'data.ndjson.gz'))
      await made.place.destination.store(made.snapshot)
      expect((await readFile(join(made.snapshot.folder.path, 'data.ndjson.gz'))).equals(before)).toBe(true)
    })

    it('throws, and keeps nothing, when what it reads back is not what was written', async () => {
      await using made = await setUp(makePlace)
      await made.place.damage(made.snapshot)
      expect(await rejection(made.place.destination.store(made.snapshot))).toMatchObject({ code: 'verification-failed' })
      expect(await made.place.fetch(undefined)).toBeUndefined()
    }, 300_000)

    it('throws the reason of the signal, and keeps nothing, when the run is cancelled', async () => {
      await using made = await setUp(makePlace)
      const reason = new RangeError('cancelled')
      made.abort(reason)
      expect(await rejection(made.place.destination.store(made.snapshot))).toBe(reason)
      expect(await made.place.fetch(undefined)).toBeUndefined()
    })
  })
}

function plainFindings({ manifestBytes }: FinishedSnapshot): NonNullable<Place['findings']> {
  return async (folder) => {
    const extra = (await readdir(folder)).filter((name) => !['data.ndjson.gz', 'manifest.json', '.gitattributes'].includes(name))
    return [...extra, ...(await checkSnapshot(folder, { level: 'data', manifestBytes, signal: new AbortController().signal }))]
  }
}

async function setUp(makePlace: MakePlace) {
  const temp = await makeTempFolder('destination')
  const controller = new AbortController()
  const place = await makePlace({ signal: controller.signal, temp: temp.path })
  return {
    place,
    snapshot: await finishedSnapshot(temp.path),
    signal: controller.signal,
    abort: (reason: Error) => controller.abort(reason),
    [Symbol.asyncDispose]: async () => {
      place.destination[Symbol.dispose]()
      await place[Symbol.asyncDispose]()
      await temp[Symbol.asyncDispose]()
    },
  }
}

type SnapshotChange = Partial<Manifest> & {
  readonly lines?: readonly Buffer[]
  readonly sync?: typeof syncFolder
}

/** The lines of a small dataset that is another one each time. */
export function someLines(): Buffer[] {
  return Array.from({ length: 200 }, (_, index) => Buffer.from(`{"_id":"id-${index}","_type":"post","random":"${crypto.randomUUID()}"}`))
}

function countsOf(lines: readonly Buffer[]): Pick<Manifest['documents'], 'count' | 'drafts' | 'versions' | 'byType'> {
  const documents = lines.map((line) => JSON.parse(line.toString()) as { _id: string; _type: string })
  const ids = documents.map(({ _id }) => _id)
  const byType = Map.groupBy(documents, ({ _type }) => _type)
  return {
    count: lines.length,
    drafts: ids.filter(isDraft).length,
    versions: ids.filter(isVersion).length,
    byType: Object.fromEntries([...byType].map(([type, all]) => [type, all.length])),
  }
}

/**
 * A small snapshot, as the backup writes it. What is proven of a data file while it is written is left out, which takes longer than all the rest: here
 * its content is known.
 */
export async function finishedSnapshot(
  temp: string,
  { lines = someLines(), sync, ...change }: SnapshotChange = {},
): Promise<FinishedSnapshot> {
  const changed = { ...exampleManifest, ...change }
  const folder = await makeWorkshop({ path: join(temp, 'snapshots'), name: changed.snapshot, ...(sync ? { sync } : {}) })
  if (!folder) throw new Error('the name is taken')
  const file = await writePacked(folder.path, lines)
  const sum = sumDigest()
  for (const line of lines) sum.add(line)
  const documents = { ...changed.documents, ...countsOf(lines), contentDigest: sum.result() }
  const manifest = { ...changed, documents, files: [file] }
  await writeManifest(folder.path, manifest)
  return { folder, manifest, manifestBytes: printManifest(manifest) }
}

async function writePacked(folder: string, lines: readonly Buffer[]): Promise<FileEntry> {
  const path = 'data.ndjson.gz'
  const content = Buffer.concat(lines.map((line) => Buffer.concat([line, Buffer.from('\n')])))
  const packed = gzipSync(content)
  await writeFile(join(folder, path), packed)
  return {
    ...{ path, sizeBytes: packed.length, digest: digestOf(packed) },
    ...{ contentBytes: content.length, contentDigest: digestOf(content) },
  }
}
