import type { Opener } from '../../codec/age.ts'
import type { Chosen } from '../../destinations/choose.ts'
import type { Fetched, Level } from '../../destinations/destination.ts'
import { findExpiresSoon, findTooOld } from '../../format/findings/age-findings.ts'
import type { Finding } from '../../format/findings/finding.ts'
import { checkParts } from '../../snapshot/check/parts.ts'
import type { Tools } from '../../tools.ts'

/** What is looked at, and how closely. */
type Look = {
  readonly chosen: Pick<Chosen, 'parts' | 'main' | 'shards'>
  /** The parts, as they were fetched. */
  readonly fetched: readonly Fetched[]
  readonly level: Level
  /** Opens what is encrypted. */
  readonly opener: Opener | undefined
  readonly maxAgeHours: number | undefined
}

/** All that is wrong with a snapshot: with its files, with what they hold, and with its age. */
export async function findWrong(look: Look, { signal, now }: Pick<Tools, 'signal' | 'now'>): Promise<Finding[]> {
  const { chosen, fetched, level, opener } = look
  const parts = chosen.parts.flatMap(({ manifest }, index) => {
    const part = fetched[index]
    return part === undefined ? [] : [{ ...part, manifest }]
  })
  return [...(await checkParts(parts, { level, shards: chosen.shards, opener, signal })), ...findInAge(look, now())]
}

function findInAge({ chosen: { main, parts }, maxAgeHours }: Look, now: Date): Finding[] {
  const { manifest } = main
  const old = maxAgeHours === undefined ? undefined : findTooOld(manifest, { maxAgeHours, now })
  // Of a set of shards the first that ends takes the others along.
  const ends = parts.flatMap(({ keptUntil }) => (keptUntil === undefined ? [] : [Date.parse(keptUntil)])).filter((ms) => !Number.isNaN(ms))
  const soon = ends.length === 0 ? undefined : findExpiresSoon(manifest, { keptUntil: new Date(Math.min(...ends)), now })
  return [old, soon].filter((finding) => finding !== undefined)
}
