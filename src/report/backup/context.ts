import type { RunAddress } from './restore-lines.ts'

/** What a job summary says of the run around it. */
export type Context = RunAddress & {
  /** How long GitHub keeps an artifact, in days; undefined where that is not known. */
  readonly keptDays: number | undefined
  readonly now: Date
}
