import { lstat, readdir } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { BackupError, findSystemCode } from '../errors.ts'
import type { StoredManifest } from '../format/manifest/manifest.ts'
import { documentsBelow } from '../snapshot/read/document-lines.ts'
import { readManifestBytes } from '../snapshot/read/manifest-file.ts'
import { manifestOrReason } from '../snapshot/read/newest-first.ts'
import { quoteOutside } from '../text.ts'
import type { Fetched, Found, ListedFile, OddFile, SnapshotReader } from './destination.ts'

/** Which folders count, by their names. */
type Named = (name: string) => boolean

type Looking = {
  /** Those that count. Without it all do, and `path` itself too. */
  readonly only?: Named
  /** Those that count where they cannot be read. */
  readonly suspect?: Named
  readonly signal?: AbortSignal
}

/**
 * Reads the snapshots whose folders lie in `path`, the newest first by the time when they were taken; where `path` is itself the folder of a snapshot,
 * that one alone. The time of those that cannot be read is the one in the folder's name; without one they come first. Throws `snapshot-missing` where
 * there is no such folder, and the system's error where it cannot be listed.
 */
export function folderReader(path: string, { only, suspect = () => true, signal }: Looking = {}): SnapshotReader {
  const place = `the folder "${quoteOutside(path, 200)}"`
  return {
    newestFirst: async function* () {
      signal?.throwIfAborted()
      const itself = only ? undefined : await readSnapshot(path, place)
      if (itself !== undefined) return yield itself
      const found: { readonly each: Found | BackupError; readonly takenMs: number }[] = []
      for (const name of await namesIn(path)) {
        signal?.throwIfAborted()
        if (only?.(name) === false) continue
        const each = await readSnapshot(join(path, name), `the folder "${quoteOutside(name, 200)}"`)
        if (each === undefined || (each instanceof BackupError && !suspect(name))) continue
        found.push({ each, takenMs: each instanceof BackupError ? timeIn(name) : Date.parse(each.manifest.takenAt) })
      }
      for (const { each } of found.toSorted((a, b) => b.takenMs - a.takenMs)) yield each
    },
    whyNone: async () => ((await namesIn(path)).length === 0 ? `${place} is empty` : `${place} holds no snapshot that was finished`),
  }
}

/** The name of a snapshot's folder: docs/format.md. Others may be called as somebody pleased. */
const snapshotFolder = /^[a-z0-9-]+-\w[\w-]*-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z(-.*)?$/

/** Whether a folder may hold a snapshot of a dataset, by its name. */
export function mayHold(name: string, { projectId, dataset }: { readonly projectId: string; readonly dataset: string }): boolean {
  const start = `${projectId}-${dataset}-`
  return !snapshotFolder.test(name) || (name.startsWith(start) && /^\d{8}T\d{6}Z(-.*)?$/.test(name.slice(start.length)))
}

/** A name without a time may be that of the newest. */
function timeIn(name: string): number {
  const [, year, month, day, hour, minute, second] = snapshotFolder.exec(name) ?? []
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(time) ? Number.POSITIVE_INFINITY : time
}

/** What others are still writing is not among them. */
async function namesIn(path: string): Promise<string[]> {
  try {
    return (await readdir(path))
      .filter((name) => !name.endsWith('.partial'))
      .sort()
      .reverse()
  } catch (error) {
    if (!isNotThere(error)) throw error
    throw new BackupError({
      code: 'snapshot-missing',
      title: 'There is no such folder',
      message: `There is no folder "${quoteOutside(path, 200)}" on this runner.`,
      hint: 'Let `path` name a folder that an earlier step of this job left, or downloaded. Each job begins with an empty disk.',
      cause: error,
    })
  }
}

/** Undefined if the folder is not that of a finished snapshot. */
async function readSnapshot(folder: string, words: string): Promise<Found | BackupError | undefined> {
  const where = `in ${words}`
  try {
    const manifestBytes = await readManifestBytes(folder)
    const manifest = manifestOrReason(manifestBytes, where)
    if (manifest instanceof BackupError) return manifest
    return { manifest, manifestBytes, where, fetch: async () => await lookAt(folder, manifest) }
  } catch (error) {
    return isNotThere(error) ? undefined : unreadable(where, error)
  }
}

function isNotThere(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(findSystemCode(error) ?? '')
}

function unreadable(where: string, cause: unknown): BackupError {
  return new BackupError({
    code: 'snapshot-invalid',
    title: 'A snapshot cannot be read',
    message: `The earlier snapshot ${where} cannot be read. The system refused it (${findSystemCode(cause) ?? 'unknown reason'}).`,
    hint: 'Give this job the right to read the folder and the files in it. Its manifest must be an ordinary file.',
    cause,
  })
}

/** Nothing is copied. */
async function lookAt(folder: string, manifest: StoredManifest): Promise<Fetched> {
  const listed: ListedFile[] = []
  const odd: OddFile[] = []
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) continue
    const file = join(entry.parentPath, entry.name)
    const path = relative(folder, file).split(sep).join('/')
    if (entry.isFile()) listed.push({ path, sizeBytes: (await lstat(file)).size })
    else odd.push({ kind: 'file-unexpected', path, message: 'is not an ordinary file' })
  }
  const paths = listed.map(({ path }) => path)
  return { folder, listed, odd, ...(manifest.branch ? { documents: documentsBelow(folder, manifest, paths) } : {}) }
}
