import type { Opener } from '../../codec/age.ts'
import type { Findings } from '../../format/findings/finding.ts'

/**
 * How closely a snapshot is looked at. `structure`: the manifest, names and sizes; `stored`: each file's bytes, for whoever unpacked the data when it
 * was written; `data`: every byte, unpacked, and every document.
 */
type Level = 'structure' | 'stored' | 'data'

/** `opener`: opens what is encrypted, at the level `data`; without it that cannot be read. */
export type Look = {
  readonly level: Level
  readonly findings: Findings
  readonly signal: AbortSignal
  readonly opener?: Opener | undefined
}
