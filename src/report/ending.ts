import type { BackupError } from '../errors.ts'

/** How a command ended, in the form in which report.ts hands it to the runner. Each command makes its own; report.ts knows none of them. */
export type Ending = {
  /** By their names in action.yml, in words of our own and of the inputs. `error-code` is added from `failure`. */
  readonly outputs: Readonly<Record<string, string | number>>
  /** Makes the job summary, as Markdown in which all text from outside is escaped. Called only where there is a page to put it on. */
  readonly summary: () => string
  /** Why the run is red; undefined for a green one. */
  readonly failure: BackupError | undefined
  /** Makes the ending that takes the place of this one if its outputs cannot be written; left out where a warning in the log is enough. */
  readonly unwritten?: (error: unknown) => Ending
}
