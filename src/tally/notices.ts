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
  /** Documents of assets that the stock importer does not take, by the property that they lack. */
  readonly lacking: ReadonlyMap<string, number>
  /** Documents whose type or id makes a name that some systems do not take for a file or a folder. */
  readonly unsafeNames: number
  /** Types of documents that look like secrets. */
  readonly secretTypes: readonly SecretType[]
}

/** Looks at documents as they go by, in constant memory; `result` may be read when all have. */
export function noticer(token: Buffer): { readonly look: (document: PassingDocument) => void; readonly result: () => Notices } {
  const types = new Map<string, { readonly unsafe: boolean; secret: SecretType | undefined }>()
  const lacking = new Map<string, number>()
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
      if (lack !== undefined) lacking.set(lack, (lacking.get(lack) ?? 0) + 1)
      if (bytes.includes(replacementCharacter)) counts.damaged++
      counts.holdsToken ||= bytes.includes(token)
    },
    result: () => ({ ...counts, lacking, secretTypes: [...types.values()].flatMap(({ secret }) => secret ?? []) }),
  }
}

const replacementCharacter = Buffer.from('\ufffd')
