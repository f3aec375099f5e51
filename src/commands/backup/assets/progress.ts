import { formatBytes, formatCount, formatDuration, plural } from '../../../text.ts'
import type { Tools } from '../../../tools.ts'
import type { Fetched } from './fetched.ts'
import type { SavedAssets } from './saved.ts'

/** What the log says of assets, while they are saved and at the end. */
export type AssetProgress = {
  /** So many more files are wanted. */
  readonly more: (count: number) => void
  /** One more file was fetched or given up. */
  readonly done: (fetched: Fetched) => void
  readonly end: (saved: SavedAssets) => void
}

/** Makes an {@link AssetProgress}, whose time begins now. */
export function assetProgress({ log }: Pick<Tools, 'log'>): AssetProgress {
  const startedAt = performance.now()
  const counts = { wanted: 0, done: 0, bytes: 0 }
  return {
    more: (count) => {
      counts.wanted += count
    },
    done: (fetched) => {
      counts.done++
      if (fetched.kind === 'saved') counts.bytes += fetched.file.sizeBytes
      log.progress(() => {
        const seconds = Math.max(0.001, (performance.now() - startedAt) / 1000)
        const rate = formatBytes(Math.round(counts.bytes / seconds))
        return `Saving assets: ${formatCount(counts.done)} of ${formatCount(counts.wanted)}, ${formatBytes(counts.bytes)}, ${rate}/s`
      })
    },
    end: ({ count, sizeBytes, reused, provenByHost }) => {
      const cached = reused > 0 ? `, ${formatCount(reused)} of them from the cache` : ''
      log.info(`Saved ${plural(count, 'asset')} (${formatBytes(sizeBytes)}${cached}) in ${formatDuration(performance.now() - startedAt)}`)
      if (provenByHost > 0) {
        log.info(
          `${plural(provenByHost, 'asset')} differed from the SHA-1 in the id, as cleaned SVG files do, and fit what the asset host says of them.`,
        )
      }
    },
  }
}
