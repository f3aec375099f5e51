import { generateHybridIdentity, generateX25519Identity, identityToRecipient } from 'age-encryption'
import { type Opener, opener, type Sealer, sealer } from '../../src/codec/age.ts'
import { AgeError } from '../../src/codec/age-error.ts'
import { type KeyKind, parseRecipients } from '../../src/codec/age-keys.ts'
import { collectBytes, cut, source } from '../support/feed.ts'

export type KeyPair = { readonly identity: string; readonly recipient: string }

export async function makeKeys(kind: KeyKind): Promise<KeyPair> {
  const identity = await { x25519: generateX25519Identity, hybrid: generateHybridIdentity }[kind]()
  return { identity, recipient: await identityToRecipient(identity) }
}

export async function sealerFor(...keys: readonly KeyPair[]): Promise<Sealer> {
  const recipients = parseRecipients(keys.map(({ recipient }) => recipient).join('\n'))
  if ('problems' in recipients) throw new Error(JSON.stringify(recipients))
  const made = await sealer(recipients)
  if ('problems' in made) throw new Error(JSON.stringify(made))
  return made
}

export const openerFor = (...keys: readonly KeyPair[]): Opener => opener(keys.map(({ identity }) => identity))

export async function sealBytes(made: Sealer, content: Buffer, sizes: readonly number[] = [content.length + 1]): Promise<Buffer> {
  const { seal } = await made.newFile()
  return await collectBytes(seal(source(cut(content, sizes)).items))
}

export type Opened = { readonly given: Buffer; readonly reason: string | undefined }

/** What a reader gives of a file until its end, or until it throws, and why it does. */
export async function openBytes({ open }: Opener, file: Buffer, sizes: readonly number[] = [file.length + 1]): Promise<Opened> {
  const given: Buffer[] = []
  try {
    for await (const chunk of open(source(cut(file, sizes)).items)) given.push(chunk)
    return { given: Buffer.concat(given), reason: undefined }
  } catch (error) {
    if (!(error instanceof AgeError)) throw error
    return { given: Buffer.concat(given), reason: error.reason }
  }
}
