import { fileKeyIn, findHeader, isIdentity } from './age-header.ts'
import type { KeyProblem, Recipients } from './age-keys.ts'
import { type FileKey, openSealed, openWith } from './age-open.ts'
import { sealPayload } from './age-payload.ts'

/** Encryption in age's format (age-encryption.org/v1, binary): bytes in, bytes out, nothing held but a chunk of 64 KiB. */

/** One file that is to be encrypted. */
export type Seal = {
  /** Gives the age file. */
  readonly seal: (content: AsyncIterable<Buffer>) => AsyncGenerator<Buffer>
  /** Opens what `seal` gave, as `openSealed` does: to prove that it is whole. */
  readonly openSealed: (chunks: AsyncIterable<Buffer>) => AsyncGenerator<Buffer>
  /** What `openSealed` takes in another thread, to which no function can be sent. Opens this file alone; must not be kept or shown. */
  readonly key: FileKey
}

export type Sealer = {
  /** Each file gets a key of its own. It is known here as long as the `Seal` is, and to the recipients. */
  readonly newFile: () => Promise<Seal>
}

/** Encrypts to recipients, after a try with each of them: one that is well-formed can still be useless. */
export async function sealer(recipients: Recipients): Promise<Sealer | { readonly problems: readonly KeyProblem[] }> {
  const tried = await Promise.all(
    recipients.keys.map(async ({ line, text }) => ({ line, usable: (await findHeader([text])) !== undefined })),
  )
  const problems = tried.filter(({ usable }) => !usable).map(({ line }): KeyProblem => ({ line, reason: 'unusable' }))
  if (problems.length > 0) return { problems }
  const keys = recipients.keys.map(({ text }) => text)
  return { newFile: async () => sealWith(await headerFor(keys)) }
}

function sealWith(key: FileKey): Seal {
  return {
    async *seal(content) {
      yield Buffer.from(key.header)
      yield* sealPayload(key.fileKey, content)
    },
    openSealed: (chunks) => openSealed(key, chunks),
    key,
  }
}

async function headerFor(recipients: readonly string[]): Promise<FileKey> {
  const header = await findHeader(recipients)
  if (!header) throw new Error('no header could be made for recipients that were tried before')
  return header
}

export type Opener = {
  /**
   * Gives the content of an age file. Throws an `AgeError` if no identity fits, or if the file is not exactly as it was encrypted; what was given
   * until then is authentic, but only a beginning.
   */
  readonly open: (chunks: AsyncIterable<Buffer>) => AsyncGenerator<Buffer>
}

/** Decrypts with identities as `parseIdentities` gives them. */
export function opener(identities: readonly string[]): Opener {
  if (identities.length === 0 || !identities.every(isIdentity)) throw new TypeError('an identity that was not checked before')
  return { open: (chunks) => openWith(chunks, (header) => fileKeyIn(header, identities)) }
}
