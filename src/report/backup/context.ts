import type { RunAddress } from './restore-lines.ts'

/** What a job summary says of the run around it. */
export type Context = RunAddress & {
  /** Where the action's own pages lie; undefined where the runner does not tell. */
  readonly docs: string | undefined
  /** How long GitHub keeps an artifact, in days; undefined where that is not known. */
  readonly keptDays: number | undefined
  readonly now: Date
}
