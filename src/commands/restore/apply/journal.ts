import type { LineFile } from '../../../snapshot/write/append-file.ts'

/** What this restore has written: each transaction, and the documents in it. A revision is the id of the transaction that wrote it last. */
export type Journal = {
  readonly committed: (transactionId: string, ids: readonly string[]) => void
  readonly isOurs: (revision: string) => boolean
  readonly count: () => number
}

/** Keeps the journal in a file, from which it can be read however the run ends. */
export function openJournal(file: LineFile): Journal {
  const ours = new Set<string>()
  return {
    committed: (transactionId, ids) => {
      ours.add(transactionId)
      file.add(JSON.stringify({ transactionId, ids }))
    },
    isOurs: (revision) => ours.has(revision),
    count: () => ours.size,
  }
}
