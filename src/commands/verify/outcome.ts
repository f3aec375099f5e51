import type { Chosen } from '../../destinations/choose.ts'
import type { Level } from '../../destinations/destination.ts'
import type { Finding } from '../../format/findings/finding.ts'

/** What came of a verification, whatever it found. */
export type VerifyOutcome = {
  readonly chosen: Pick<Chosen, 'main' | 'parts' | 'shards'>
  readonly level: Level
  readonly findings: readonly Finding[]
  readonly ageMs: number
  /** The folder in which the verified snapshot was left; undefined if it was not. */
  readonly path: string | undefined
  readonly durationMs: number
}
