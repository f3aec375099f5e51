import { stampsIn } from '../../../restore/mutations/stamps.ts'
import type { Row } from '../../../restore/plan/plan.ts'
import { editRelease, makeRelease } from '../../../restore/plan/release.ts'
import type { Tools } from '../../../tools.ts'
import type { Writing } from './writes.ts'

/** The action that brings a release back. Its versions come with all other documents. */
export async function releaseActionFor({ intent, document }: Row, lineOf: (document: number) => Promise<Buffer>) {
  const line = await lineOf(document)
  return intent === 'make-release' ? makeRelease(line) : editRelease(line)
}

/**
 * Brings releases back, one after the other: there are few, and each is an action of its own. No action takes a revision, so one that was changed after
 * the plan was made is found by looking right before.
 */
export async function writeReleases(rows: readonly Row[], { signal }: Pick<Tools, 'signal'>, writing: Writing): Promise<void> {
  const { api, lineOf, journal, wrote, left, done, revisionOf } = writing
  for (const row of rows) {
    signal.throwIfAborted()
    const { document, id } = row
    const named = { document, id, revision: revisionOf(document) }
    if (row.intent === 'edit-release') {
      const now = (await api.read([id])).get(id)
      if (now === undefined || stampsIn(now).revision !== named.revision) {
        left.add(named, { type: now === undefined ? 'missing' : 'revision', others: [], words: '' })
        continue
      }
    }
    const transactionId = crypto.randomUUID()
    const written = await api.act(await releaseActionFor(row, lineOf), { transactionId })
    if (written.kind === 'refused') {
      left.add(named, written.problems[0] ?? { type: 'other', others: [], words: '' })
      continue
    }
    journal.committed(transactionId, [id])
    wrote(document, transactionId)
    done.documents++
  }
}
