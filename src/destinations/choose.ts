import { join } from 'node:path'
import { BackupError, reworded } from '../errors.ts'
import { sameFilters } from '../format/compare.ts'
import { quoteOutside } from '../text.ts'
import type { Fetched, Found, Level, SnapshotReader } from './destination.ts'

/** The snapshot that a user meant. */
export type Chosen = {
  /** The snapshot, or each shard of it that is there, by their numbers. Never empty. */
  readonly parts: readonly [Found, ...Found[]]
  /** Of how many shards it is made; undefined for a whole one. A shard that is not among `parts` is missing. */
  readonly shards: number | undefined
  /** The part that holds the documents; the first one there is where that shard is missing. */
  readonly main: Found
  /** Newer ones that could not be read, and why. */
  readonly passedOver: readonly BackupError[]
  /** Fetches all parts, each into a folder of its own below `into`, in the order of `parts`. */
  readonly fetch: (into: string, options: { readonly level: Level }) => Promise<readonly Fetched[]>
}

/** Snapshots lie there, all of them can be read, and none is of the dataset that is wanted. */
export class OfAnother extends BackupError {}

/** What the snapshot is to be of, as far as the user says. */
export type WantedSource = { readonly projectId: string | undefined; readonly dataset: string | undefined }

export type Wanted = {
  readonly source: WantedSource
  /** The newest snapshot that was not taken later. */
  readonly at: Date | undefined
  /** Whether snapshots of several datasets may lie there: then all are looked at before one is chosen that the user has not named. */
  readonly mixed: boolean
}

/** Where the shards of one workflow run are looked for, beside the one that was found. */
export type Siblings = (found: Found) => SnapshotReader

/**
 * Chooses the newest snapshot that is wanted, with all its shards. Throws `snapshot-missing` where there is none, `snapshot-invalid` where the newest
 * cannot be read or the only one is of something else, and `input-invalid` where it would have to guess.
 */
export async function choose(reader: SnapshotReader, wanted: Wanted, siblings: Siblings = () => reader): Promise<Chosen> {
  const { found, passedOver } = await findNewest(reader, wanted)
  const parts = found.manifest.shard ? await shardsOf(found, siblings(found)) : ([found] as const)
  return {
    parts,
    shards: found.manifest.shard?.of,
    main: parts[0],
    passedOver,
    fetch: async (into, options) => {
      const fetched: Fetched[] = []
      for (const [index, part] of parts.entries())
        fetched.push(await part.fetch(parts.length === 1 ? into : join(into, `${index + 1}`), options))
      return fetched
    },
  }
}

/**
 * Picks the dataset that is wanted from those of which snapshots lie at a place, as `<project id>/<dataset>`; empty where there is none at all. Throws as
 * {@link choose} does.
 */
export function pickDataset(there: readonly string[], source: WantedSource): string {
  const fitting = there.filter((each) => {
    const [projectId = '', dataset = ''] = each.split('/')
    return fits({ projectId, dataset }, source)
  })
  const [picked, second] = fitting
  if (second !== undefined) throw severalSources(fitting)
  if (picked !== undefined || there.length === 0) return picked ?? ''
  throw there.length === 1 ? ofAnother(there[0] ?? '', source) : noneOf(there, source)
}

type Newest = { readonly found: Found; readonly passedOver: readonly BackupError[] }

async function findNewest(reader: SnapshotReader, wanted: Wanted): Promise<Newest> {
  const seen = { passedOver: [] as BackupError[], fitting: [] as Found[], others: [] as Found[] }
  const isNamed = wanted.source.projectId !== undefined && wanted.source.dataset !== undefined
  for await (const each of reader.newestFirst()) {
    if (each instanceof BackupError) {
      // It may be the very one. Of a time in the past nobody knows whether it is, and an older one is what was asked for.
      if (wanted.at === undefined && seen.fitting.length === 0) throw unreadable(each)
      seen.passedOver.push(each)
    } else if (!isOf(each, wanted.source)) seen.others.push(each)
    else if (isInTime(each, wanted) && (isNamed || !wanted.mixed)) return { found: each, passedOver: seen.passedOver }
    else seen.fitting.push(each)
  }
  return { found: await onlyOne(seen, reader, wanted), passedOver: seen.passedOver }
}

function isInTime({ manifest }: Found, { at }: Wanted): boolean {
  return at === undefined || Date.parse(manifest.takenAt) <= at.getTime()
}

type Seen = { readonly passedOver: readonly BackupError[]; readonly fitting: readonly Found[]; readonly others: readonly Found[] }

/** The newest of those that fit, if they are all of one dataset. */
async function onlyOne({ fitting, others, passedOver }: Seen, reader: SnapshotReader, wanted: Wanted): Promise<Found> {
  const sources = new Set(fitting.map(sourceOf))
  if (sources.size > 1) throw severalSources([...sources])
  const newest = fitting.find((each) => isInTime(each, wanted))
  if (newest !== undefined) return newest
  const [other, second] = others
  if (other && !second && passedOver.length === 0 && fitting.length === 0) throw ofAnother(sourceOf(other), wanted.source)
  throw await missing([...fitting, ...others], passedOver, { reader, wanted })
}

function isOf({ manifest }: Found, wanted: WantedSource): boolean {
  return fits(manifest.source, wanted)
}

function fits(source: { readonly projectId: string; readonly dataset: string }, { projectId, dataset }: WantedSource): boolean {
  return (projectId === undefined || source.projectId === projectId) && (dataset === undefined || source.dataset === dataset)
}

function sourceOf({ manifest: { source } }: Found): string {
  return `${source.projectId}/${source.dataset}`
}

/** The shards of the same source, filters, label and workflow run: the newest of each, by their numbers. */
async function shardsOf(found: Found, reader: SnapshotReader): Promise<[Found, ...Found[]]> {
  const byIndex = new Map<number, Found>()
  for await (const each of reader.newestFirst()) {
    if (each instanceof BackupError || !isSameSet(each, found)) continue
    const index = each.manifest.shard?.index ?? 0
    const other = byIndex.get(index)
    if (other === undefined || attemptOf(each) > attemptOf(other)) byIndex.set(index, each)
  }
  const index = found.manifest.shard?.index ?? 0
  if (!byIndex.has(index)) byIndex.set(index, found)
  return [...byIndex].toSorted(([a], [b]) => a - b).map(([, part]) => part) as [Found, ...Found[]]
}

function attemptOf({ manifest: { run } }: Found): number {
  return run?.runAttempt ?? 0
}

function isSameSet({ manifest: one }: Found, { manifest: other }: Found): boolean {
  return (
    one.shard?.of === other.shard?.of &&
    one.source.projectId === other.source.projectId &&
    one.source.dataset === other.source.dataset &&
    one.label === other.label &&
    one.run?.runId === other.run?.runId &&
    one.run?.repository === other.run?.repository &&
    (one.filters === other.filters || (one.filters !== undefined && other.filters !== undefined && sameFilters(one.filters, other.filters)))
  )
}

function unreadable(reason: BackupError): BackupError {
  if (reason.code !== 'snapshot-invalid') return reason
  return reworded(reason, {
    title: 'The newest snapshot cannot be read',
    message: reason.message
      .replace(/^The earlier snapshot/, 'The newest snapshot,')
      .replace(/^(The newest snapshot, .*?) cannot be read/, '$1, cannot be read'),
    hint: 'Update the action if a newer version of it made the snapshot. To take an older one, say which: with `at`, or with `run-id`, `commit` or the `path` of its folder. Find out how this one was damaged.',
  })
}

function severalSources(sources: readonly string[]): BackupError {
  const [first = ''] = sources
  const shown = sources.slice(0, 10).map((source) => `"${quoteOutside(source, 150)}"`)
  if (sources.length > shown.length) shown.push(`${sources.length - shown.length} others`)
  return new BackupError({
    code: 'input-invalid',
    title: 'Snapshots of several datasets lie there',
    message: `Which one is meant is not said: there are snapshots of ${shown.join(', ')}.`,
    hint: `Say which with the project id and the dataset of the snapshot, for example ${quoteOutside(first.split('/')[0] ?? '', 80)} and ${quoteOutside(first.split('/')[1] ?? '', 80)}.`,
  })
}

function ofAnother(there: string, source: WantedSource): BackupError {
  return new OfAnother({
    code: 'snapshot-invalid',
    title: 'The snapshot is of another dataset',
    message: `What lies there is of "${quoteOutside(there, 150)}", and ${inWords(source)} was asked for.`,
    hint: 'Correct the project id and the dataset in the inputs, or name the place where the snapshots of this dataset lie.',
  })
}

function inWords({ projectId, dataset }: WantedSource): string {
  if (projectId === undefined) return `the dataset "${quoteOutside(dataset ?? '', 80)}"`
  return `"${quoteOutside(dataset === undefined ? projectId : `${projectId}/${dataset}`, 150)}"`
}

type Looked = { readonly reader: SnapshotReader; readonly wanted: Wanted }

async function missing(seen: readonly Found[], passedOver: readonly BackupError[], { reader, wanted }: Looked): Promise<BackupError> {
  const oldest = seen.filter((each) => isOf(each, wanted.source)).at(-1)
  const reasons = passedOver
    .slice(0, 3)
    .map(({ message }) => ` ${message}`)
    .join('')
  if (oldest) return allLater(oldest, wanted.at ?? new Date(0), reasons)
  if (seen.length > 0) return noneOf(seen.map(sourceOf), wanted.source, reasons)
  const words = await reader.whyNone()
  const inTime = wanted.at === undefined ? '' : ` Only those that were taken at ${wanted.at.toISOString()} or before were looked for.`
  return notThere(
    `${words.charAt(0).toUpperCase()}${words.slice(1)}.${inTime}${reasons}`,
    `${wanted.at === undefined ? '' : 'Give `at` a later time. '}Check the place and the dataset in the inputs, and whether a backup has succeeded there. Artifacts are gone when their retention ends: see \`retention-days\`.`,
  )
}

function allLater({ manifest: { takenAt } }: Found, at: Date, reasons: string): BackupError {
  return notThere(
    `No snapshot was taken at ${at.toISOString()} or before: the oldest that was seen is of ${quoteOutside(takenAt, 40)}.${reasons}`,
    'Give `at` a later time, or look in another place.',
  )
}

/** `reasons`: why some could not be read. */
function noneOf(sources: readonly string[], wanted: WantedSource, reasons = ''): BackupError {
  const names = [...new Set(sources)]
  const shown = names.slice(0, 5).map((name) => `"${quoteOutside(name, 150)}"`)
  const others = names.length > shown.length ? ` and ${names.length - shown.length} others` : ''
  const message = `None of the snapshots there is of ${inWords(wanted)}: they are of ${shown.join(', ')}${others}.${reasons}`
  const hint = 'Correct the project id and the dataset in the inputs, or name the place where the snapshots of this dataset lie.'
  return reasons === '' ? new OfAnother({ ...noSuch, message, hint }) : notThere(message, hint)
}

const noSuch = { code: 'snapshot-missing', title: 'There is no such snapshot' } as const

function notThere(message: string, hint: string): BackupError {
  return new BackupError({ ...noSuch, message, hint })
}
