import { Decrypter, Encrypter, type Identity } from 'age-encryption'
import { AgeError } from './age-error.ts'
import type { FileKey } from './age-open.ts'
import { nonceBytes } from './age-payload.ts'

/**
 * The header of an age file, and the keys in it: all that is the library's business. Only this file knows the library, so that nothing which the
 * library says gets past it: its messages contain what it was given, secret keys too.
 */

/** Whether the library takes this as a recipient. A key that is well-formed and yet useless shows only when `makeHeader` is asked for. */
export function isRecipient(text: string): boolean {
  return isTaken(() => new Encrypter().addRecipient(text))
}

/** Whether the library takes this as an identity. */
export function isIdentity(text: string): boolean {
  return isTaken(() => new Decrypter().addIdentity(text))
}

function isTaken(add: () => void): boolean {
  try {
    add()
    return true
  } catch {
    return false
  }
}

/** The library's file of no content ends in a nonce and in the tag of its one empty chunk. */
const emptyPayloadBytes = nonceBytes + 16

/** A header with a new file key for these recipients; undefined if one of them cannot be encrypted to, although it is well-formed. */
export async function findHeader(recipients: readonly string[]): Promise<FileKey | undefined> {
  let fileKey: Uint8Array | undefined
  try {
    const encrypter = new Encrypter()
    for (const recipient of recipients) encrypter.addRecipient(recipient)
    // A recipient that leaves nothing in the header, and by which we learn the key.
    encrypter.addRecipient({
      wrapFileKey: (key) => {
        fileKey = Uint8Array.from(key)
        return []
      },
    })
    const file = await encrypter.encrypt(new Uint8Array())
    return fileKey && { header: file.subarray(0, -emptyPayloadBytes), fileKey }
  } catch {
    return undefined
  }
}

/** The file key in a header. Throws `locked` if no identity fits, and `damaged` for anything that is not a header, or not as it was written. */
export async function fileKeyIn(header: Uint8Array, identities: readonly string[]): Promise<Uint8Array> {
  let noneFits = false
  try {
    const decrypter = new Decrypter()
    decrypter.addIdentity(passphraseStandsAlone)
    for (const identity of identities) decrypter.addIdentity(identity)
    // Asked last, and only if none before it fits: the library tells this apart from damage in words only.
    decrypter.addIdentity({
      unwrapFileKey: () => {
        noneFits = true
        return null
      },
    })
    return await decrypter.decryptHeader(header)
  } catch {
    throw new AgeError(noneFits ? 'locked' : 'damaged')
  }
}

/** Age allows no recipient beside a passphrase: who knows that could make files that seem to come from someone else. */
const passphraseStandsAlone: Identity = {
  unwrapFileKey: (stanzas) => {
    if (stanzas.length > 1 && stanzas.some(({ args }) => args[0] === 'scrypt')) throw new Error('not alone')
    return null
  },
}
