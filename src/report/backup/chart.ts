import type { RecentSnapshot } from '../../format/manifest/manifest.ts'

/** A backup in a picture of the last ones. */
export type Bar = Pick<RecentSnapshot, 'takenAt' | 'documents'>

/** More bars than these are too thin for their labels, and fewer are no picture. */
const bars = { most: 14, least: 3 }

/** A picture of the documents in the last backups, as Mermaid draws it; undefined if there are too few. `newestFirst` begins with this backup. */
export function chartOfBackups(newestFirst: readonly Bar[]): string | undefined {
  const shown = newestFirst.slice(0, bars.most).toReversed()
  if (shown.length < bars.least) return undefined
  const counts = shown.map(({ documents }) => documents)
  const { low, high } = rangeOf(counts)
  return [
    '```mermaid',
    '%%{init: {"xyChart": {"width": 860, "height": 320}, "themeVariables": {"xyChart": {"plotColorPalette": "#4493f8"}}}}%%',
    'xychart-beta',
    `  title "Documents in the last ${shown.length} backups"`,
    `  x-axis [${labelsOf(shown.map(({ takenAt }) => new Date(takenAt)))
      .map((label) => `"${label}"`)
      .join(', ')}]`,
    `  y-axis "documents" ${low} --> ${high}`,
    `  bar [${counts.join(', ')}]`,
    '```',
  ].join('\n')
}

/** From zero where that shows the changes; else from below the lowest, so that small ones can be seen. */
function rangeOf(counts: readonly number[]): { readonly low: number; readonly high: number } {
  const lowest = Math.min(...counts)
  const highest = Math.max(...counts, 1)
  const spread = highest - lowest
  if (spread === 0 || spread > lowest / 2) return { low: 0, high: Math.ceil(highest * 1.05) }
  return { low: Math.max(0, Math.floor(lowest - spread)), high: Math.ceil(highest + spread / 4) }
}

/** A label for each day. Mermaid draws bars of the same label on top of each other, so no two are the same. */
function labelsOf(days: readonly Date[]): string[] {
  const month = new Intl.DateTimeFormat('en-GB', { month: 'short', timeZone: 'UTC' })
  const whole = days.map((day) => `${day.getUTCDate()} ${month.format(day)}`)
  const short = whole.map((label, index) => {
    const sameMonth = days[index - 1]?.getUTCMonth() === days[index]?.getUTCMonth()
    return sameMonth && index < days.length - 1 ? String(days[index]?.getUTCDate()) : label
  })
  const labels = new Set(short).size === short.length ? short : whole
  return labels.map((label, index) => {
    const before = labels.slice(0, index).filter((each) => each === label).length
    return before === 0 ? label : `${label} (${before + 1})`
  })
}
