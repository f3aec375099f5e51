import { quoteOutside } from '../../text.ts'
import type { RecentSnapshot, StoredManifest } from './manifest.ts'

/** So many snapshots that came before are kept in a manifest. */
const mostRecent = 30

/**
 * What a manifest says of the snapshots before it: of the previous one, and of those that this one names, the newest first. Names and numbers only. `clean`
 * makes names harmless, which other programs may have written.
 */
export function recentAfter(previous: StoredManifest | undefined, clean: (text: string) => string): readonly RecentSnapshot[] {
  if (previous === undefined) return []
  const { snapshot, takenAt, documents, files, recent = [] } = previous
  const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0)
  return [{ snapshot, takenAt, documents: documents.count, sizeBytes }, ...recent].slice(0, mostRecent).map((each) => ({
    ...each,
    snapshot: clean(quoteOutside(each.snapshot, 200)),
    takenAt: new Date(each.takenAt).toISOString().replace(/\.\d+Z$/, 'Z'),
  }))
}
