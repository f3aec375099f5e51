import { formatCount, plural } from '../../text.ts'
import { ledgerFile } from '../ledger.ts'
import { manifestFile, type StoredManifest } from '../manifest/manifest.ts'
import { detailsFile, isSealed, plainName, sealedName } from '../manifest/sealed.ts'
import { type Finding, fileFinding, finding } from './finding.ts'

/** The name of a data file, or of a part of one. */
const dataName = /^(data\.ndjson\.(?:gz|zst)(?:\.age)?)(?:\.\d{3,})?$/

/** The name of the whole data file that a file is, or is a part of; undefined for any other. */
export function dataFileOf(path: string): string | undefined {
  return dataName.exec(path)?.[1]
}

/** The file of an asset, where docs/format.md has it. */
const assetName = /^assets\/(?:images|files)\/[^/]+$/

/** Whether a file has a place in the layout of a snapshot: all others may be anything, also what somebody runs one day. */
function hasPlace(path: string): boolean {
  return dataFileOf(path) !== undefined || isLedger(path) || path === sealedName(detailsFile) || assetName.test(path)
}

function isLedger(path: string): boolean {
  return plainName(path) === ledgerFile
}

/** Where a manifest contradicts itself, and what it says itself is missing. */
export function findInManifest(manifest: StoredManifest): Finding[] {
  return [...findWrongFiles(manifest), ...findWrongSealing(manifest), ...findWrongDocuments(manifest), ...findWrongAssets(manifest)]
}

/** How many assets the manifest says are missing. */
export function missingAssets({ assets }: StoredManifest): number {
  const { missing = 0 } = assets ?? {}
  return typeof missing === 'number' ? missing : missing.length
}

function findWrongFiles({ files, branch, shard, documents }: StoredManifest): Finding[] {
  const dataFiles = new Set(files.flatMap(({ path }) => dataFileOf(path) ?? []))
  const needsData = branch === undefined && ((shard?.index ?? 1) === 1 || documents.count > 0)
  return [
    ...files.filter(({ path }) => !hasPlace(path)).map(({ path }) => fileFinding('file-unexpected', path, 'is no file of a snapshot')),
    ...[...dataFiles].slice(needsData ? 1 : 0).map((path) => fileFinding('file-unexpected', path, 'is a data file too many')),
    ...(needsData && dataFiles.size === 0 ? [fileFinding('file-missing', manifestFile, 'lists no data file')] : []),
  ]
}

/** All files are encrypted, or none is: one that is not may have been put there by anybody. */
function findWrongSealing({ files, encryption, branch }: StoredManifest): Finding[] {
  const details = sealedName(detailsFile)
  const isOdd = ({ path }: { readonly path: string }) => isSealed({ path: dataFileOf(path) ?? path }) !== (encryption != null)
  const says =
    encryption == null ? 'is encrypted, and the manifest says that nothing is' : 'is not encrypted, and the manifest says that all is'
  return [
    ...files.filter(isOdd).map(({ path }) => fileFinding('file-unexpected', path, says)),
    ...(encryption != null && !files.some(({ path }) => path === details)
      ? [fileFinding('file-missing', details, 'is not listed in the manifest')]
      : []),
    ...(encryption != null && branch !== undefined
      ? [fileFinding('file-unexpected', manifestFile, 'says that all is encrypted, and that documents lie in files of their own')]
      : []),
  ]
}

function findWrongDocuments({ documents, shard }: StoredManifest): Finding[] {
  const { count, byType, drafts = 0, versions = 0 } = documents
  const byTypes = Object.values(byType)
  const sum = byTypes.reduce((total, each) => total + each, 0)
  const says = [
    // One that has no types to tell leaves them out.
    ...(byTypes.length > 0 && sum !== count ? [`says ${plural(count, 'document')}, and ${formatCount(sum)} by type`] : []),
    ...(drafts + versions > count
      ? [`says ${plural(count, 'document')}, and ${formatCount(drafts + versions)} of them drafts and versions`]
      : []),
    ...(shard && shard.index > 1 && count > 0 ? [`is that of a shard without documents, and says ${plural(count, 'document')}`] : []),
  ]
  return says.map((each) => fileFinding('documents-differ', manifestFile, each))
}

/** Without a word on assets there are none. */
const noAssets: NonNullable<StoredManifest['assets']> = { count: 0 }

function findWrongAssets(manifest: StoredManifest): Finding[] {
  const { files, assets = noAssets, complete } = manifest
  const own = files.filter(({ path }) => path.startsWith('assets/'))
  // Of encrypted files it is what they hold that counts.
  const ownBytes = own.reduce((total, file) => total + (isSealed(file) ? (file.contentBytes ?? 0) : file.sizeBytes), 0)
  const missing = missingAssets(manifest)
  const hasLedger = files.some(({ path }) => isLedger(path))
  const says = [
    ...(own.length > assets.count || (own.length === 0 && assets.count > 0)
      ? [`says ${plural(assets.count, 'asset')}, and lists ${plural(own.length, 'file')} of them`]
      : []),
    ...(assets.sizeBytes !== undefined && assets.sizeBytes !== ownBytes
      ? [`says that the assets have ${formatCount(assets.sizeBytes)} bytes, and lists ${formatCount(ownBytes)}`]
      : []),
    ...(complete === true && missing > 0 ? [`says that nothing is missing, and names ${plural(missing, 'asset')}`] : []),
  ]
  return [
    ...says.map((each) => fileFinding('assets-differ', manifestFile, each)),
    ...(assets.count > 0 && !hasLedger ? [fileFinding('file-missing', ledgerFile, 'is not listed in the manifest')] : []),
    ...(missing > 0 || complete === false
      ? [
          finding(
            'assets-missing',
            `The snapshot says itself that ${missing > 0 ? `the files of ${plural(missing, 'asset')}` : 'files of assets'} are missing`,
          ),
        ]
      : []),
  ]
}
