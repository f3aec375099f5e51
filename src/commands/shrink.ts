import type { Destination } from '../destinations/destination.ts'
import { BackupError } from '../errors.ts'
import { countOf } from '../snapshot/changes.ts'
import type { Manifest } from '../snapshot/manifest.ts'
import { formatCount, plural, quoteOutside } from '../text.ts'
import type { Tools } from '../tools.ts'

/** What a snapshot was compared with. `first`: there is no earlier one. `unknown`: it could not be looked up everywhere, and none was found. */
export type Comparison =
  | { readonly kind: 'compared'; readonly previous: Manifest }
  | { readonly kind: 'first' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'off' }

export type Guard = { readonly manifest: Manifest; readonly destinations: readonly Destination[]; readonly maxShrinkPercent: number }

/**
 * Compares a snapshot, before it is stored, with the newest one at each destination. Throws `dataset-shrunk` if it lost more documents against one of
 * them than allowed; types that did, and types that are gone, are warned of otherwise. One that cannot be looked up is warned of.
 */
export async function compareWithPrevious({ manifest, destinations, maxShrinkPercent }: Guard, tools: Tools): Promise<Comparison> {
  if (maxShrinkPercent === 100) return { kind: 'off' }
  const found: Manifest[] = []
  let unknown = false
  for (const destination of destinations) {
    try {
      const previous = await destination.findPrevious()
      if (previous) found.push(previous)
      else tools.log.info(`There is no earlier snapshot to compare with (${destination.kind}).`)
    } catch (error) {
      tools.signal.throwIfAborted()
      if (!(error instanceof BackupError)) throw error
      unknown = true
      tools.log.warning(`Whether the dataset has shrunk was not checked (${destination.kind}). ${error.message} ${error.hint}`)
    }
  }
  // The newest, where several lost the same.
  const newestFirst = found.toSorted((a, b) => Date.parse(b.takenAt) - Date.parse(a.takenAt))
  const [worst] = newestFirst.toSorted((a, b) => lostPercent(manifest, b) - lostPercent(manifest, a))
  const [newest] = newestFirst
  if (worst === undefined || newest === undefined) return { kind: unknown ? 'unknown' : 'first' }
  judge(manifest, worst, { maxShrinkPercent, tools })
  return { kind: 'compared', previous: newest }
}

function lostPercent({ documents }: Manifest, previous: Manifest): number {
  const before = previous.documents.count
  return before === 0 ? 0 : ((before - documents.count) / before) * 100
}

function judge(manifest: Manifest, previous: Manifest, { maxShrinkPercent, tools }: { maxShrinkPercent: number; tools: Tools }): void {
  const types = shrunkTypes(manifest, previous, maxShrinkPercent)
  const lost = lostPercent(manifest, previous)
  const since = `the one before (${quoteOutside(previous.snapshot, 200)})`
  if (lost > maxShrinkPercent) throw shrunk({ manifest, previous, since, types, lost, maxShrinkPercent })
  if (types === '') return
  tools.log.warning(
    `Compared with ${since}, some types lost more than ${maxShrinkPercent} % of their documents. ${types} If that is not what you want, look at the dataset while the older snapshot is still there.`,
  )
}

/** More types than this nobody reads in a message. */
const namedTypes = 20

/** The types that lost more than allowed, as sentences; empty if there are none. */
function shrunkTypes(manifest: Manifest, previous: Manifest, maxShrinkPercent: number): string {
  const before = Object.entries(previous.documents.byType)
  const now = (type: string) => countOf(manifest, type)
  const gone = before.filter(([type]) => now(type) === 0)
  const fewer = before.filter(([type, count]) => now(type) > 0 && ((count - now(type)) / count) * 100 > maxShrinkPercent)
  const fewerWords = fewer.map(([type, count]) => `${quoteOutside(type, 80)} from ${formatCount(count)} to ${formatCount(now(type))}`)
  const goneWords = gone.map(([type, count]) => `${quoteOutside(type, 80)} (${formatCount(count)})`)
  return [sentence('Shrunk', fewerWords), sentence('Gone', goneWords)].filter((text) => text !== '').join(' ')
}

function sentence(title: string, words: readonly string[]): string {
  if (words.length === 0) return ''
  const rest = words.length - namedTypes
  return `${title}: ${words.slice(0, namedTypes).join(', ')}${rest > 0 ? ` and ${formatCount(rest)} more` : ''}.`
}

type Shrunk = {
  readonly manifest: Manifest
  readonly previous: Manifest
  readonly since: string
  readonly types: string
  readonly lost: number
  readonly maxShrinkPercent: number
}

function shrunk({ manifest, previous, since, types, lost, maxShrinkPercent }: Shrunk): BackupError {
  const { source, documents } = manifest
  const percent = Math.ceil(lost * 10) / 10
  return new BackupError({
    code: 'dataset-shrunk',
    title: 'The dataset has shrunk',
    message: `Dataset "${source.dataset}" of project "${source.projectId}" gave ${plural(documents.count, 'document')} for the snapshot, and ${since} holds ${formatCount(previous.documents.count)}: ${percent} % fewer, where \`max-shrink-percent\` allows ${maxShrinkPercent} %. ${types} Nothing was stored.`,
    hint: 'Look at the dataset now, while older snapshots still exist: documents may have been deleted, or the token may not see them any more. If it is meant to be so, run once with a higher `max-shrink-percent`, or 100 to switch this check off.',
  })
}
