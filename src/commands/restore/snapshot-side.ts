import { fitsInOne, partsOf } from '../../restore/mutations/parts.ts'
import type { Catalog } from '../../restore/plan/catalog.ts'
import { isAsset, type LookRules, lookAt } from '../../restore/plan/look.ts'
import { isRelease, type Release, releaseIn } from '../../restore/plan/release.ts'
import { readDocuments, type StoredDocument } from '../../snapshot/read/documents.ts'
import { plural } from '../../text.ts'
import type { Tools } from '../../tools.ts'
import type { HeldSnapshot } from './source.ts'

/** What is known of the snapshot beside what the catalog holds; by the numbers of the catalog. */
export type SnapshotSide = { readonly releases: ReadonlyMap<number, Release>; readonly unwritable: ReadonlyMap<number, string> }

type SideNeeds = { readonly catalog: Catalog; readonly rules: LookRules }

/** Reads the documents of the snapshot once and notes them in the catalog. */
export async function noteSnapshot(snapshot: HeldSnapshot, { catalog, rules }: SideNeeds, { log, signal }: Tools): Promise<SnapshotSide> {
  const releases = new Map<number, Release>()
  const unwritable = new Map<number, string>()
  let documents = 0
  for await (const batch of readDocuments(snapshot.folder, snapshot.data)) {
    signal.throwIfAborted()
    for (const { id, type, line } of batch) {
      catalog.note('snapshot', lookAt({ id, type, bytes: line }, 'snapshot', rules))
      const number = catalog.numberFor(id)
      if (isRelease(id)) releases.set(number, releaseIn(line))
      if (!fitsInOne(line.length) && partsOf(line) === undefined) unwritable.set(number, tooLarge)
    }
    documents += batch.length
    log.progress(() => `Comparing: ${plural(documents, 'document')} of ${plural(snapshot.manifest.documents.count, 'document')}`)
  }
  return { releases, unwritable }
}

const tooLarge = 'it is larger than the 4 MB of a mutation, and so is one of its fields'

/** Gives the documents of assets that a snapshot holds. */
export async function* assetsIn({ folder, data }: HeldSnapshot): AsyncGenerator<StoredDocument> {
  for await (const batch of readDocuments(folder, data)) {
    for (const document of batch) {
      if (isAsset(document)) yield document
    }
  }
}
