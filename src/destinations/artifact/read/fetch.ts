import { once } from 'node:events'
import { crc32, createInflateRaw } from 'node:zlib'
import { BackupError, findSystemCode, messageOf } from '../../../errors.ts'
import { type FileEntry, manifestFile } from '../../../format/manifest/manifest.ts'
import type { Github } from '../../../github/rest.ts'
import { writeFetched } from '../../../snapshot/write/fetched.ts'
import { quoteOutside } from '../../../text.ts'
import type { Fetched, Found, Level, OddFile } from '../../destination.ts'
import { findZip, inWords, isTooLittle, rangeReader, StorageError, streamRange, tooShort, type Zip } from './bytes.ts'
import { type ForwardReader, forwardReader } from './forward.ts'
import type { Artifact } from './list.ts'
import { goneSince } from './list-errors.ts'
import { contentStart, headerBytes, readZipList, type ZipEntry } from './zip.ts'

/** Where an artifact lies, and how it is asked for. */
type Place = { readonly artifact: Artifact; readonly repository: string; readonly github: Github }

/** What of the artifact's manifest decides on what is fetched. */
type Wanted = Pick<Found, 'manifest' | 'manifestBytes'>

/**
 * Fetches a snapshot out of an artifact's zip, with one request for all of its files. Nothing in the zip decides on a path or a size: only files that
 * the manifest lists are written, under its names.
 */
export async function fetchZip(
  place: Place,
  { manifest, manifestBytes }: Wanted,
  { into, level }: { into: string; level: Level },
): Promise<Fetched> {
  try {
    const entries = await readZipList(rangeReader(await zipOf(place), place.github), place.artifact.sizeBytes)
    const { files, odd, listed } = sort(entries, manifest.files)
    await writeFetched(into, { path: manifestFile, sizeBytes: manifestBytes.length }, chunksOf(manifestBytes))
    if (level === 'data' && files.length > 0) odd.push(...(await fetchFiles(place, files, into)))
    return { folder: into, listed, odd }
  } catch (error) {
    throw isOurs(error) ? error : inWords(error, place.artifact, place.github)
  }
}

/** Whether it says nothing of the artifact: it has its words already, or the system of this runner refused something. */
function isOurs(error: unknown): boolean {
  return error instanceof BackupError || (!(error instanceof StorageError) && /^E/.test(findSystemCode(error) ?? ''))
}

async function* chunksOf(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

async function zipOf({ artifact, repository, github }: Place): Promise<Zip> {
  const url = await findZip(artifact, repository, github)
  if (url instanceof URL) return { url, sizeBytes: artifact.sizeBytes }
  throw url === 'expired' ? goneSince(artifact.name) : url.error
}

/** A file that is fetched: what the manifest and the zip say of it. */
type WantedFile = { readonly file: FileEntry; readonly entry: ZipEntry }

/** Of a zip full of nonsense not all is told. */
const mostOdd = 100

function sort(entries: readonly ZipEntry[], known: readonly FileEntry[]) {
  const missing = new Map(known.map((file) => [file.path, file]))
  const seen = new Set<string>()
  const files: WantedFile[] = []
  const odd: OddFile[] = []
  const refuse = (path: string, message: string): void => {
    if (odd.length < mostOdd) odd.push({ kind: 'file-unexpected', path: quoteOutside(path, 200), message })
  }
  for (const entry of entries) {
    const { name } = entry
    const file = missing.get(name)
    if (name.endsWith('/') && entry.sizeBytes === 0) continue
    if (seen.has(name)) refuse(name, 'is in the zip twice')
    else if (entry.odd) refuse(name, 'is not an ordinary file')
    else if (file) files.push({ file, entry })
    else if (name !== manifestFile) refuse(name, 'is not listed in the manifest')
    seen.add(name)
  }
  const listed = entries.filter(({ name }) => missing.has(name) || name === manifestFile)
  files.sort((a, b) => a.entry.offset - b.entry.offset)
  return { files, odd, listed: listed.map(({ name, sizeBytes }) => ({ path: name, sizeBytes })) }
}

/** Reads the files in the order in which they lie in the zip, and gives what was wrong with them. */
async function fetchFiles(place: Place, files: readonly WantedFile[], into: string): Promise<OddFile[]> {
  const odd: OddFile[] = []
  // Behind the header of a file stand its names, as long as they please.
  const ends = files.map(({ entry }) => entry.offset + headerBytes + 2 * 0xffff + entry.compressedBytes)
  const end = Math.min(
    place.artifact.sizeBytes,
    ends.reduce((most, each) => Math.max(most, each), 0),
  )
  const zip = forwardReader((start) => resuming(place, { start, end }), files[0]?.entry.offset ?? 0)
  try {
    for (const { file, entry } of files) {
      place.github.signal.throwIfAborted()
      const wrong = await fetchFile(zip, { file, entry }, into)
      if (wrong !== undefined) odd.push({ kind: 'content-unreadable', path: file.path, message: `cannot be read out of the zip: ${wrong}` })
    }
    return odd
  } finally {
    await zip.close()
  }
}

/** Gives what is wrong with the file in the zip; undefined if nothing is. What the manifest says of it is not compared here. */
async function fetchFile(zip: ForwardReader, { file, entry }: WantedFile, into: string): Promise<string | undefined> {
  const check = { crc: 0, bytes: 0, whole: false }
  try {
    if (entry.offset < zip.at()) return 'it overlaps another file'
    await zip.skipTo(entry.offset)
    await zip.skipTo(contentStart(entry, await zip.take(headerBytes)))
    const stored = zip.stream(entry.compressedBytes)
    if (entry.method !== 0 && entry.method !== 8) return 'it is compressed in an unknown way'
    const content = entry.method === 0 ? stored : inflated(stored)
    const counted = async function* (): AsyncGenerator<Buffer> {
      for await (const chunk of content) {
        check.crc = crc32(chunk, check.crc)
        check.bytes += chunk.length
        yield chunk
      }
      check.whole = true
    }
    await writeFetched(into, file, counted())
  } catch (error) {
    if (isOurs(error) || error instanceof StorageError) throw error
    return quoteOutside(messageOf(error), 200)
  }
  return check.whole && (check.crc !== entry.crc || check.bytes !== entry.sizeBytes) ? 'it is not what the zip’s own list says' : undefined
}

/** Unpacks what comes. When it ends, or is left, nothing is asked of `stored` any more. */
async function* inflated(stored: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const inflate = createInflateRaw()
  const feed = async (): Promise<void> => {
    for await (const chunk of stored) {
      if (inflate.destroyed) return
      if (!inflate.write(chunk)) await Promise.race([once(inflate, 'drain'), once(inflate, 'close')])
    }
    inflate.end()
  }
  const feeding = feed().catch((error: unknown) => void inflate.destroy(error as Error))
  try {
    yield* inflate as AsyncIterable<Buffer>
  } finally {
    inflate.destroy()
    await feeding
  }
}

/** How often in all the storage may break off, and how often with hardly a byte in between. */
const mostTries = 20
const mostInVain = 3

/** Streams a part of the zip. Where that breaks off, the rest is asked for at a new address: each holds for a minute only. */
async function* resuming(place: Place, { start, end }: { readonly start: number; readonly end: number }): AsyncGenerator<Buffer> {
  const { github } = place
  let at = start
  let tried = 0
  let inVain = 0
  for (let zip: Zip | undefined; at < end; ) {
    const before = at
    zip ??= await zipOf(place)
    try {
      for await (const chunk of streamRange(zip, { start: at, end }, github)) {
        at += chunk.length
        yield chunk
      }
      if (isTooLittle(at - before, end - before)) throw tooShort()
    } catch (error) {
      github.signal.throwIfAborted()
      inVain = isTooLittle(at - before, end - before) ? inVain + 1 : 1
      if (!(error instanceof StorageError && error.passing) || inVain === mostInVain || ++tried === mostTries) throw error
      zip = undefined
      await github.wait(1000 * inVain, github.signal)
    }
  }
}
