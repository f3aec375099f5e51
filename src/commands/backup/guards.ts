import type { Destination } from '../../destinations/destination.ts'
import { BackupError } from '../../errors.ts'
import { countOf } from '../../format/compare.ts'
import type { Manifest, StoredManifest } from '../../format/manifest/manifest.ts'
import type { Source } from '../../sanity/source.ts'
import { formatCount, plural, quoteOutside } from '../../text.ts'
import type { Tools } from '../../tools.ts'
import type { LookBack } from './look-back.ts'

/**
 * What a snapshot was compared with: `previous` is the newest one of all destinations, `before` that of the first that has one. `everywhere`: it could be looked up at each destination. `nothing`: there is no earlier one, for the reasons that `why` names. `unknown`: it could not be looked up
 * everywhere, and none was found.
 */
export type Comparison =
  | { readonly kind: 'compared'; readonly previous: StoredManifest; readonly before: StoredManifest; readonly everywhere: boolean }
  | { readonly kind: 'nothing'; readonly why: string }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'off' }

/** The snapshot, and what it is compared with. */
export type ShrinkNeeds = {
  /** Of the snapshot that is to be stored. */
  readonly manifest: Manifest
  readonly destinations: readonly Destination[]
  readonly look: LookBack['at']
  /** 100 switches the comparison off. */
  readonly maxShrinkPercent: number
}

/**
 * Compares a snapshot, before it is stored, with the newest one at each destination. Throws `dataset-shrunk` if it lost more documents against one of
 * them than allowed. Else it warns of types that lost more, of types that are gone, and of what cannot be looked up or read.
 */
export async function checkShrink({ manifest, destinations, look, maxShrinkPercent }: ShrinkNeeds, tools: Tools): Promise<Comparison> {
  if (maxShrinkPercent === 100) return { kind: 'off' }
  const looked: Looked[] = []
  for (const destination of destinations) looked.push(await lookAt(destination, look, tools))
  const found = looked.flatMap((each) => (each.kind === 'found' ? each.manifest : []))
  // The newest, where several lost the same.
  const newestFirst = found.toSorted((a, b) => Date.parse(b.takenAt) - Date.parse(a.takenAt))
  const [worst] = newestFirst.toSorted((a, b) => lostPercent(manifest, b) - lostPercent(manifest, a))
  const [newest] = newestFirst
  const [before] = found
  if (worst === undefined || newest === undefined || before === undefined) {
    const reasons = looked.flatMap((each) => (each.kind === 'nothing' ? each.why : []))
    return reasons.length < looked.length ? { kind: 'unknown' } : { kind: 'nothing', why: reasons.join('; ') }
  }
  checkAgainst(worst, { manifest, maxShrinkPercent }, tools)
  const everywhere = looked.every((each) => each.kind !== 'unknown')
  return { kind: 'compared', previous: newest, before, everywhere }
}

type Looked =
  | { readonly kind: 'found'; readonly manifest: StoredManifest }
  | { readonly kind: 'nothing'; readonly why: string }
  | { readonly kind: 'unknown' }

/** Looks for the previous snapshot at one destination, and says what came of it where nothing can be compared. */
async function lookAt(destination: Destination, look: LookBack['at'], { log, signal }: Tools): Promise<Looked> {
  const { kind, reader } = destination
  const notChecked = `Whether the dataset has shrunk was not checked (${kind}).`
  try {
    const { manifest, passedOver } = await look(destination)
    if (manifest) {
      if (passedOver.length > 0) log.warning(`The comparison passed a newer snapshot over (${kind}). ${inOne(passedOver)}`)
      return { kind: 'found', manifest }
    }
    if (passedOver.length > 0) {
      log.warning(`${notChecked} ${inOne(passedOver)}`)
      return { kind: 'unknown' }
    }
    const why = await reader.whyNone()
    log.info(`There is nothing to compare with (${kind}): ${why}. \`max-shrink-percent\` did not run. ${minimum}`)
    return { kind: 'nothing', why }
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof BackupError)) throw error
    log.warning(`${notChecked} ${error.message} ${error.hint}`)
    return { kind: 'unknown' }
  }
}

const minimum = 'Where that is so every time, set `min-documents`.'

/** Says of many why the newest and the last one were passed over: the last may say why the search ended. */
function inOne(passedOver: readonly BackupError[]): string {
  const [first, ...rest] = passedOver.map(({ message, hint }) => `${message} ${hint}`)
  const others = rest.length > 1 ? `${plural(rest.length - 1, 'other')} could not be read either.` : undefined
  return [first, others, rest.at(-1)].filter((text) => text !== undefined).join(' ')
}

function lostPercent({ documents }: Manifest, previous: StoredManifest): number {
  const before = previous.documents.count
  return before === 0 ? 0 : ((before - documents.count) / before) * 100
}

type CheckNeeds = Pick<ShrinkNeeds, 'manifest' | 'maxShrinkPercent'>

function checkAgainst(previous: StoredManifest, { manifest, maxShrinkPercent }: CheckNeeds, { log }: Tools): void {
  const types = shrunkTypes(manifest, previous, maxShrinkPercent)
  const lost = lostPercent(manifest, previous)
  const since = `the one before (${quoteOutside(previous.snapshot, 200)})`
  if (lost > maxShrinkPercent) throw shrunk({ manifest, previous, since, types, lost, maxShrinkPercent })
  if (types === '') return
  log.warning(
    `Compared with ${since}, some types lost more than ${maxShrinkPercent} % of their documents. ${types} If that is not what you want, look at the dataset while the older snapshot is still there.`,
  )
}

/** More types than this nobody reads in a message. */
const namedTypes = 20

/** The types that lost more than allowed, as sentences; empty if there are none. */
function shrunkTypes(manifest: Manifest, previous: StoredManifest, maxShrinkPercent: number): string {
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
  readonly previous: StoredManifest
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
    message: `Dataset "${source.dataset}" of project "${source.projectId}" gave ${plural(documents.count, 'document')} for the snapshot, and ${since} holds ${formatCount(previous.documents.count)}: ${percent} % fewer, where \`max-shrink-percent\` allows ${maxShrinkPercent} %.${types === '' ? '' : ` ${types}`} Nothing was stored.`,
    hint: 'Look at the dataset now, while older snapshots still exist: documents may have been deleted, or the token may not see them any more. If it is meant to be so, run once with a higher `max-shrink-percent`, or 100 to switch this check off.',
  })
}

type Minimum = { readonly minDocuments: number; readonly source: Pick<Source, 'projectId' | 'dataset'> }

/** Throws `too-few-documents` if the snapshot holds fewer documents than a user asks for. */
export function enforceMinimum(count: number, { minDocuments, source }: Minimum): void {
  if (count >= minDocuments) return
  throw new BackupError({
    code: 'too-few-documents',
    title: count === 0 ? 'There is nothing to back up' : 'There are too few documents',
    message: `Dataset "${source.dataset}" of project "${source.projectId}" gave ${plural(count, 'document')} for the snapshot; \`min-documents\` asks for ${formatCount(minDocuments)} at least. Nothing was stored.`,
    hint:
      count === 0
        ? 'Check `dataset`, `types`, `exclude-types` and `exclude-ids`, and that the token has the Viewer role: a token without rights sees an empty dataset. If the dataset may be empty, set `min-documents: 0`.'
        : 'If documents were deleted on purpose, lower `min-documents`. Otherwise look at the dataset now, while older snapshots still exist.',
  })
}
