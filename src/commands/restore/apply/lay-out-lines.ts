import { join } from 'node:path'
import { withReferences } from '../../../restore/canonical/rewrite.ts'
import { readDocuments } from '../../../snapshot/read/documents.ts'
import { type LineStore, type NumberedLine, storeLines } from '../../../snapshot/write/numbered-lines.ts'
import type { Tools } from '../../../tools.ts'
import type { Prepared } from '../prepare.ts'

/** Puts the lines aside that are to be written, as the target is to have them: they are read in another order than that of the snapshot. */
export async function layOutLines({ snapshot, catalog, plan, assets }: Prepared, folder: string, { signal }: Tools): Promise<LineStore> {
  const wanted = new Set(plan.rows.filter(({ action }) => action !== 'blocked' && action !== 'delete').map(({ document }) => document))
  const batches = async function* (): AsyncGenerator<NumberedLine[]> {
    if (wanted.size === 0) return
    for await (const batch of readDocuments(snapshot.folder, snapshot.data)) {
      signal.throwIfAborted()
      yield batch.flatMap(({ id, line }) => {
        const number = catalog.numberFor(id)
        return wanted.has(number) ? [{ number, line: withReferences(line, assets.newNames) }] : []
      })
    }
  }
  return await storeLines(join(folder, 'lines'), catalog.size(), batches())
}
