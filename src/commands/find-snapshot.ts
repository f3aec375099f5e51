import type { Chosen } from '../destinations/choose.ts'
import { BackupError } from '../errors.ts'
import type { WhichSnapshot } from '../inputs/which-snapshot.ts'
import type { Runner } from '../runner.ts'
import type { Tools } from '../tools.ts'

/** What finding a snapshot needs beside the inputs. `scratch` is a folder that is gone when the run is. */
export type FindNeeds = { readonly runner: Runner; readonly tools: Tools; readonly scratch: string }

/** What the snapshot is to be of, as far as the user says. */
export type WantedSource = { readonly projectId: string | undefined; readonly dataset: string | undefined }

/** A snapshot that was found. Disposing it removes what was fetched of it into `scratch`; `documents` of it can be read until then. */
export type FoundSnapshot = Chosen & Disposable

/**
 * Finds the snapshot that a user means, and says in the log which one it is, how old it is and where it lies. Throws `snapshot-missing` or
 * `snapshot-invalid` with the cure; `input-invalid` where it would have to guess; and what the place itself says where it cannot be looked at.
 */
export async function findSnapshot(_which: WhichSnapshot, _wanted: WantedSource, _needs: FindNeeds): Promise<FoundSnapshot> {
  throw new BackupError({ code: 'snapshot-missing', title: 'No snapshot', message: 'Not looked for yet.', hint: 'Wait.' })
}
