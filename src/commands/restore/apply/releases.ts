import type { Row } from '../../../restore/plan.ts'
import { editRelease, makeRelease } from '../../../restore/release.ts'
import { type Left, type Writing, whyLeft } from './writes.ts'

/** The action that brings a release back. Its versions come with all other documents. */
export async function releaseActionFor({ intent, document }: Row, lineOf: (document: number) => Promise<Buffer>) {
  const line = await lineOf(document)
  return intent === 'make-release' ? makeRelease(line) : editRelease(line)
}

/** Brings releases back, one after the other: there are few, and each is an action of its own. */
export async function writeReleases(rows: readonly Row[], { api, lineOf, journal, wrote, left, done }: Writing): Promise<void> {
  for (const row of rows) {
    const transactionId = crypto.randomUUID()
    const written = await api.act(await releaseActionFor(row, lineOf), { transactionId })
    if (written.kind === 'refused') {
      left.push({ document: row.document, id: row.id, why: whyLeft(written.problems[0]) } satisfies Left)
      continue
    }
    journal.committed(transactionId, [row.id])
    wrote(row.document, transactionId)
    done.documents++
  }
}
