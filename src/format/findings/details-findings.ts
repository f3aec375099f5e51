import { formatCount, plural } from '../../text.ts'
import type { StoredManifest } from '../manifest/manifest.ts'
import { areFiltersOf, type Details, detailsFile, sealedName } from '../manifest/sealed.ts'
import { type Finding, fileFinding } from './finding.ts'
import { missingAssets } from './manifest-findings.ts'

/** Where the file of details of an encrypted snapshot contradicts its manifest. */
export function findInDetails(manifest: StoredManifest, { filters, byType, missing }: Details): Finding[] {
  const path = sealedName(detailsFile)
  const { count } = manifest.documents
  const sum = Object.values(byType).reduce((total, each) => total + each, 0)
  const said = missingAssets(manifest)
  return [
    ...(areFiltersOf(manifest.filters, filters) ? [] : [fileFinding('content-differs', path, 'names other filters than the manifest')]),
    ...(sum === count
      ? []
      : [fileFinding('documents-differ', path, `says ${plural(sum, 'document')} by type, and the manifest ${formatCount(count)}`)]),
    ...(missing.length === said
      ? []
      : [
          fileFinding(
            'assets-differ',
            path,
            `names ${plural(missing.length, 'missing asset')}, and the manifest says ${formatCount(said)}`,
          ),
        ]),
  ]
}
