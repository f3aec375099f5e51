import { findAssetName } from '../../format/asset-id.ts'
import { type Findings, fileFinding } from '../../format/findings/finding.ts'
import { findLedgerEntry, ledgerFile } from '../../format/ledger.ts'
import type { FileEntry, StoredManifest } from '../../format/manifest/manifest.ts'
import { isSealed, plainName } from '../../format/manifest/sealed.ts'
import { idSet } from '../../streams/id-set.ts'
import { plural } from '../../text.ts'

/** What the ledger of a snapshot says of its assets. */
export type Ledger = {
  readonly add: (line: Buffer) => void
  /** Tells what does not fit, when all lines were added. */
  readonly end: () => void
  /** Whether an asset has its file, by its id's key. */
  readonly hasKey: (key: string) => boolean
  /** Whether the bytes of a file need not be those of its name: the asset host had changed them. By the name that it has in the clear. */
  readonly isChanged: (path: string) => boolean
}

/** Every asset has its file in the manifest, and every file of an asset its asset. */
export function ledgerCheck({ files, assets }: StoredManifest, findings: Findings): Ledger {
  const own = files.find(({ path }) => plainName(path) === ledgerFile)?.path ?? ledgerFile
  const waiting = new Map(files.filter(({ path }) => path.startsWith('assets/')).map((entry) => [plainName(entry.path), inTheClear(entry)]))
  const unclaimed = new Set(waiting.keys())
  const changed = new Set<string>()
  const ids = idSet()
  const count = assets?.count ?? 0
  let lines = 0
  let strangers = 0
  let newIds = 0
  return {
    add: (line) => {
      lines++
      // More lines than assets are told as they are: a file may be full of them.
      const entry = lines > count ? undefined : findLedgerEntry(line)
      const file = entry && waiting.get(entry.path)
      if (!file || file.sizeBytes !== entry.sizeBytes || file.digest !== entry.digest) {
        strangers++
        return
      }
      ids.add(entry.id)
      unclaimed.delete(entry.path)
      if (entry.provenBy === 'sha1' || entry.provenBy === 'sha1hash') return
      changed.add(entry.path)
      if (/\.svg$/i.test(entry.path) && findAssetName(entry.id) !== undefined) newIds++
    },
    end: () => {
      if (lines !== count || strangers > 0 || unclaimed.size > 0) {
        const says = `does not fit the manifest: ${lines} assets of ${count}, ${strangers} without their file, ${unclaimed.size} files without an asset`
        findings.add(fileFinding('assets-differ', own, says))
      }
      if (newIds > 0) {
        const says = `tells of ${plural(newIds, 'SVG file')} that Sanity has cleaned: uploaded again, ${newIds === 1 ? 'it gets a new id' : 'they get new ids'}`
        findings.add(fileFinding('needs-new-ids', own, says))
      }
    },
    hasKey: ids.hasKey,
    isChanged: (path) => changed.has(path),
  }
}

/** What the ledger says of a file: of an encrypted one, too, it is the size and digest before. */
function inTheClear(entry: FileEntry): { readonly sizeBytes: number | undefined; readonly digest: string | undefined } {
  return isSealed(entry) ? { sizeBytes: entry.contentBytes, digest: entry.contentDigest } : entry
}
