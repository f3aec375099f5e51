import { isOtherAsset } from '../format/asset-id.ts'
import { isUnsafeId, isUnsafeType } from '../format/branch-layout.ts'
import { findLack } from './importable.ts'
import { looksSecret, type SecretType, withDocument } from './secret-types.ts'

/** A document as it goes by: `bytes` is its line without the line feed. */
export type PassingDocument = { readonly id: string; readonly type: string; readonly bytes: Buffer }

/** What a user should know of the documents in a snapshot, which holds them as they are all the same. */
export type Notices = {
  /** Documents with a U+FFFD, which stands for a character that was lost before the documents came here. */
  readonly damaged: number
  /** Whether a document holds the token. */
  readonly holdsToken: boolean
  /** Documents of images and files that the stock importer does not take, by the property that they lack. */
  readonly lacking: ReadonlyMap<string, number>
  /** Documents of other assets that the stock importer does not take, by their type: nobody can give them what they lack. */
  readonly untaken: ReadonlyMap<string, number>
  /** Documents whose type or id makes a name that some systems do not take for a file or a folder. */
  readonly unsafeNames: number
  /** Types of documents that look like secrets. */
  readonly secretTypes: readonly SecretType[]
}

/** Looks at documents as they go by, in constant memory; `result` may be read when all have. */
export function noticer(token: Buffer): { readonly look: (document: PassingDocument) => void; readonly result: () => Notices } {
  const types = new Map<string, { readonly unsafe: boolean; secret: SecretType | undefined }>()
  const lacking = new Map<string, number>()
  const untaken = new Map<string, number>()
  const counts = { damaged: 0, unsafeNames: 0, holdsToken: false }

  const lookAtType = (type: string) => {
    const known = types.get(type)
    if (known) return known
    const fresh = { unsafe: isUnsafeType(type), secret: looksSecret(type) ? { type, count: 0, pattern: undefined } : undefined }
    types.set(type, fresh)
    return fresh
  }

  return {
    look: ({ id, type, bytes }) => {
      const ofType = lookAtType(type)
      if (ofType.secret) ofType.secret = withDocument(ofType.secret, id)
      if (ofType.unsafe || isUnsafeId(id)) counts.unsafeNames++
      const lack = findLack({ type, bytes })
      if (lack !== undefined) {
        if (isOtherAsset(type)) countOne(untaken, type)
        else countOne(lacking, lack)
      }
      if (bytes.includes(replacementCharacter)) counts.damaged++
      counts.holdsToken ||= bytes.includes(token)
    },
    result: () => ({ ...counts, lacking, untaken, secretTypes: [...types.values()].flatMap(({ secret }) => secret ?? []) }),
  }
}

function countOne(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

const replacementCharacter = Buffer.from('\ufffd')
