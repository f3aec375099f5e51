import { quoteOutside } from '../../text.ts'
import type { StoredManifest } from '../manifest/manifest.ts'

/** Compares the documents of each type with what the manifest says. Holds only the types that it names. */
export function typeCounts({ documents: { byType } }: StoredManifest): {
  readonly add: (type: string) => void
  readonly differ: () => boolean
} {
  const left = new Map(Object.entries(byType))
  let others = 0
  return {
    add: (type) => {
      // The manifest makes a type harmless.
      const name = left.has(type) ? type : quoteOutside(type)
      const count = left.get(name)
      if (count === undefined) others++
      else left.set(name, count - 1)
    },
    // One that has no types to tell leaves them out.
    differ: () => left.size > 0 && (others > 0 || [...left.values()].some((count) => count !== 0)),
  }
}
