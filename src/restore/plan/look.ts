import { assetTypes, findAssetName } from '../../format/asset-id.ts'
import { strongReferences } from '../../format/references.ts'
import { canonicalDigest, membersOf } from '../canonical/canonical.ts'
import { stampsIn } from '../mutations/stamps.ts'
import { isUnfinished } from '../mutations/unfinished.ts'
import type { Noted, Side } from './catalog.ts'
import { isRelease, releaseOwnMembers } from './release.ts'

/** A document's line, with what it is called. */
export type Document = { readonly id: string; readonly type: string; readonly bytes: Buffer }

/** What counts as the same. */
export type LookRules = {
  /** Whether the target is the dataset that the snapshot is of: only there an asset keeps its address. */
  readonly sameDataset: boolean
  /** Ids of assets that come back under another one, with that one. */
  readonly newIds: ReadonlyMap<string, string>
}

/** Sanity sets these at every write. `_createdAt` is compared as a time. */
const written = ['_rev', '_updatedAt', '_system', '_createdAt']
/** What an upload sets anew. */
const uploaded = ['uploadId']
/** What depends on the dataset that a file lies in. */
const placed = ['url', 'path']
/** What depends on the bytes that were uploaded. */
const hashed = ['_id', 'assetId', 'sha1hash', 'size']

const withoutWritten: ReadonlySet<string> = new Set(written)
const withoutUploaded: ReadonlySet<string> = new Set([...written, ...uploaded])
const withoutPlace: ReadonlySet<string> = new Set([...written, ...uploaded, ...placed])
const withoutHash: ReadonlySet<string> = new Set([...written, ...uploaded, ...placed, ...hashed])

/** Whether a document stands for the file of an asset that can be uploaded. */
export function isAsset({ id, type }: Pick<Document, 'id' | 'type'>): boolean {
  return assetTypes.some((each) => each === type) && findAssetName(id) !== undefined && !/^(drafts|versions)\./.test(id)
}

/** The members of an asset's document that a restore never writes: what the server found out by itself. */
export function ownMembersOfAsset({ sameDataset, isNew }: { readonly sameDataset: boolean; readonly isNew: boolean }): ReadonlySet<string> {
  if (isNew) return new Set([...withoutHash, '_type', 'extension', 'mimeType'])
  return new Set([...(sameDataset ? withoutUploaded : withoutPlace), '_id', '_type'])
}

/** Notes of a line what a plan needs of it. */
export function lookAt(document: Document, side: Side, { sameDataset, newIds }: LookRules): Noted {
  const { id, type, bytes } = document
  const references = side === 'snapshot' ? newIds : undefined
  const digestWithout = (without: ReadonlySet<string>) => canonicalDigest(bytes, { without, ...(references ? { references } : {}) })
  const asset = isAsset(document)
  const own = asset ? (sameDataset ? withoutUploaded : withoutPlace) : withoutWritten
  const targets = strongReferences(bytes)
  return {
    id,
    type,
    digest: digestWithout(isRelease(id) ? membersBeyond(bytes) : own),
    looseDigest: asset ? digestWithout(withoutHash) : undefined,
    references: side === 'snapshot' ? targets.map((target) => newIds.get(target) ?? target) : targets,
    bytes: bytes.length,
    ...(side === 'target' ? { ...stampsIn(bytes), unfinished: asset ? isBare(bytes) : isUnfinished(bytes) } : {}),
    // Of an asset that was uploaded again, and of a release, the time is a new one.
    ...(side === 'snapshot' && !asset && !isRelease(id) ? { createdMs: stampsIn(bytes).createdMs } : {}),
  }
}

/** Whether two lines of one document have the same content. */
export function isSameContent(wanted: Buffer, there: Buffer): boolean {
  const [wantedMs, thereMs] = [stampsIn(wanted).createdMs, stampsIn(there).createdMs]
  const digestOf = (line: Buffer) => canonicalDigest(line, { without: withoutWritten })
  return (Number.isNaN(wantedMs) || wantedMs === thereMs) && digestOf(wanted).equals(digestOf(there))
}

/** What the document of an asset has right after an upload. */
const bare: ReadonlySet<string> = new Set([...withoutHash, '_type', 'extension', 'metadata', 'mimeType', 'originalFilename'])

/** Whether nobody has written anything about an asset's file. */
function isBare(bytes: Buffer): boolean {
  return membersOf(bytes).every(({ key }) => bare.has(key))
}

function membersBeyond(bytes: Buffer): ReadonlySet<string> {
  return new Set(membersOf(bytes).flatMap(({ key }) => (releaseOwnMembers.has(key) ? [] : key)))
}
