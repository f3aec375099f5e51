import type { Chosen } from '../../destinations/choose.ts'
import type { BackupError } from '../../errors.ts'
import type { StoredManifest } from '../../format/manifest/manifest.ts'
import type { Plan, Row } from '../../restore/plan/plan.ts'
import type { Digest } from '../../streams/digest.ts'
import type { Left } from './apply/left.ts'
import type { StoredSafety } from './safety.ts'

/** What came of a restore, as far as it came. */
export type RestoreOutcome = {
  readonly status: 'planned' | 'restored' | 'unchanged'
  readonly target: { readonly projectId: string; readonly dataset: string }
  readonly mirror: boolean
  readonly chosen: Pick<Chosen, 'main'>
  readonly manifest: StoredManifest
  readonly ageMs: number
  readonly plan: Plan
  readonly planDigest: Digest
  /** The plan's file. */
  readonly planPath: string
  /** Undefined where nothing was written. */
  readonly applied: Applied | undefined
  readonly startedAt: Date
  readonly durationMs: number
  /** Why the run is red. */
  readonly failure: BackupError | undefined
}

/** What was written. */
export type Applied = {
  readonly safety: StoredSafety | undefined
  readonly journalPath: string
  readonly transactions: number
  /** What somebody else changed meanwhile, or the server did not take. */
  readonly left: readonly Left[]
  /** Undefined if the target could not be read again. */
  readonly proof: Proof | undefined
  /** The artifact with the plan and the journal; undefined where it could not be kept. */
  readonly kept: string | undefined
}

/** The target, read again and compared. */
export type Proof = {
  /** Documents of the snapshot that the target has as they are. */
  readonly equal: number
  readonly differs: readonly Difference[]
}

/** `byOthers`: whether somebody else wrote, made or deleted the document last. `why`: as the end of a sentence that begins with its id. */
export type Difference = Pick<Row, 'id' | 'action'> & { readonly byOthers: boolean; readonly why: string }
