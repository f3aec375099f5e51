import { formatCount, plural } from '../../text.ts'
import type { StoredManifest } from '../manifest/manifest.ts'
import { type Finding, finding } from './finding.ts'

const hourMs = 60 * 60 * 1000

type Dated = Pick<StoredManifest, 'takenAt' | 'recent'>

/** Whether a snapshot is older than it may be. */
export function findTooOld(
  { takenAt }: Dated,
  { maxAgeHours, now }: { readonly maxAgeHours: number; readonly now: Date },
): Finding | undefined {
  const ageHours = (now.getTime() - Date.parse(takenAt)) / hourMs
  if (ageHours <= maxAgeHours) return undefined
  const age = formatCount(Math.floor(ageHours * 10) / 10)
  return finding(
    'too-old',
    `The snapshot is ${age} hours old, and may be ${plural(maxAgeHours, 'hour')} old at most: see whether the backup still runs`,
  )
}

/** So many of the last times between two snapshots tell the pace. */
const lastIntervals = 10

/** Whether what is stored ends before two more snapshots can be expected, at the pace of the last ones. One that stands alone has no pace. */
export function findExpiresSoon(
  { takenAt, recent = [] }: Dated,
  { keptUntil, now }: { readonly keptUntil: Date; readonly now: Date },
): Finding | undefined {
  const times = [takenAt, ...recent.map((each) => each.takenAt)].map((time) => Date.parse(time)).slice(0, lastIntervals + 1)
  const intervals = times.slice(1).map((time, index) => (times[index] as number) - time)
  const paceMs = middleOf(intervals.filter((each) => each > 0))
  if (paceMs === undefined) return undefined
  // Of a schedule that has stopped, the next one may come now.
  const lastMs = Math.max(Date.parse(takenAt), now.getTime() - paceMs)
  if (keptUntil.getTime() >= lastMs + 2 * paceMs) return undefined
  const until = keptUntil.toISOString().slice(0, 16).replace('T', ' ')
  const pace = plural(Math.max(1, Math.round(paceMs / hourMs)), 'hour')
  return finding(
    'expires-soon',
    `The artifact ends at ${until} UTC, before two more snapshots at one every ${pace}: keep artifacts for longer`,
  )
}

function middleOf(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
}
