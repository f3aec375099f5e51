import { BackupError } from '../../../errors.ts'
import type { Lack } from '../../../sanity/asset-host.ts'
import { findReferrers } from '../../../snapshot/read/referrers.ts'
import { formatCount, plural } from '../../../text.ts'
import type { Tools } from '../../../tools.ts'
import type { MissingFile } from './saved.ts'

/** An asset that is missing, with the first documents that refer to it; undefined where no documents are at hand. */
type NamedAsset = MissingFile & { readonly referrers: readonly string[] | undefined }

/** The assets that are missing: the first ones by name, and what all of them lack. */
export type MissingAssets = { readonly count: number; readonly lacks: ReadonlySet<Lack>; readonly first: readonly NamedAsset[] }

/** So many missing assets are named with the documents that refer to them; the manifest lists all. */
const namedAssets = 20

/** The folder of the snapshot, and its data file; undefined where it is not to be looked into, or there is none. */
type DataPlace = { readonly folder: string; readonly data: string | undefined }

/** Looks up which documents refer to the first missing assets, by going through the data file once more. */
export async function findMissing(
  missing: readonly MissingFile[],
  { folder, data }: DataPlace,
  { signal, clean }: Tools,
): Promise<MissingAssets> {
  const first = missing.slice(0, namedAssets)
  if (first.length === 0) return { count: 0, lacks: new Set(), first: [] }
  const ids = first.map(({ id }) => id)
  const found = data === undefined ? undefined : await findReferrers({ folder, data, ids, signal })
  return {
    count: missing.length,
    lacks: new Set(missing.map(({ lack }) => lack)),
    first: first.map((asset) => ({ ...asset, referrers: found && (found.get(asset.id) ?? []).map(clean) })),
  }
}

/** What the input `on-missing-asset` asks for. */
export type OnMissingAsset = 'fail' | 'warn' | 'ignore'

/** Says in the log which assets are missing, as loudly as a user asks for. Gives `asset-missing` if the run is to fail because of them. */
export function checkMissing(missing: MissingAssets, onMissingAsset: OnMissingAsset, { log }: Pick<Tools, 'log'>): BackupError | undefined {
  if (missing.count === 0) return undefined
  const error = missingError(missing)
  if (onMissingAsset === 'fail') return error
  const write = onMissingAsset === 'warn' ? log.warning : log.info
  write(`${error.title}: ${error.message}`)
  return undefined
}

/** So many are named in a message; the job summary names more. */
const shownAssets = 5

function missingError({ count, lacks, first }: MissingAssets): BackupError {
  const shown = first.slice(0, shownAssets).map(describeMissing)
  const more = count > shown.length ? [`and ${formatCount(count - shown.length)} more, which the manifest lists`] : []
  return new BackupError({
    code: 'asset-missing',
    title: `${plural(count, 'asset')} could not be saved`,
    message: [...shown, ...more].join('\n'),
    hint: [...cures.filter(([lack]) => lacks.has(lack)).map(([, cure]) => cure), goOn].join(' '),
  })
}

/** What helps, by what is lacking. Deleting an asset document deletes the file: only where that is gone may it be advised. */
const cures: readonly (readonly [Lack, string])[] = [
  ['answer', 'The asset host had trouble with some files: run the backup again.'],
  ['right', 'Some may not be read with this token: give it the Viewer role.'],
  [
    'proof',
    'Where nothing proves the bytes, check that no proxy changes them, and compare `sha1hash` and `url` in the asset’s document with the file that the Studio shows.',
  ],
  [
    'address',
    'Where neither `url` nor `path` of the asset’s document leads to Sanity, the file itself may be well: look for it in the Studio, and mend those fields, or choose the file again in the documents that refer to it.',
  ],
  [
    'name',
    'An asset whose id and path are not of Sanity’s form cannot be named in a snapshot, but nothing is wrong with it: leave it as it is, and keep its file elsewhere, or upload it once more and refer to that.',
  ],
  [
    'file',
    'Where Sanity answers 404 or 410, open the documents named here in the Studio. If it does not show the file either, the file is gone: choose another one, then delete its asset document.',
  ],
]
const goOn = 'To go on without such files set `on-missing-asset: warn`.'

function describeMissing({ id, status, why, referrers }: NamedAsset): string {
  return `${id} (${status === 0 ? 'no answer' : status}): ${why}.${describeReferrers(referrers)}`.replace(/\.\.(?= |$)/, '.')
}

function describeReferrers(referrers: readonly string[] | undefined): string {
  if (referrers === undefined) return ''
  return referrers.length === 0 ? ' No document in the snapshot refers to it.' : ` Referred to by ${referrers.join(', ')}.`
}
