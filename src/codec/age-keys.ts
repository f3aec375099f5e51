import { isIdentity, isRecipient } from './age-header.ts'

/**
 * Recipients and identities as people write them: one a line, `#` begins a comment. What is wrong with a line is told by its number and a reason,
 * never by what it says: it may be a secret key, or one with a typo.
 */

/** X25519 (`age1…`), which every tool opens, or the hybrid of ML-KEM-768 and X25519 (`age1pq1…`). */
export type KeyKind = 'x25519' | 'hybrid'

/**
 * - `none`: there is no key at all. `line` is then 0.
 * - `secret-key`: a secret key stands where a public one belongs, even in a comment. It must be masked, and it is burnt.
 * - `mixed-kinds`: the recipient is of another kind than the first: the weaker one would undo the stronger.
 * - `letter-case`: age writes recipients in lower case and identities in upper case, and takes nothing else.
 * - `unsupported`: a key of a plugin, a hardware tag, SSH, or an encrypted key file.
 * - `malformed`: none of these, or with a typo.
 * - `unusable`: well-formed, but nothing can be encrypted to it.
 */
export type RecipientReason = 'none' | 'secret-key' | 'mixed-kinds' | 'letter-case' | 'unsupported' | 'malformed' | 'unusable'

/**
 * - `none`, `letter-case`, `malformed`: as for recipients.
 * - `public-key`: a recipient stands where an identity belongs.
 * - `ssh-key`: a key of SSH, public or private, or any other private key over several lines.
 * - `encrypted-file`: a key file that only a passphrase opens, or any other age file.
 * - `unsupported`: a key of a plugin or a device.
 */
export type IdentityReason = 'none' | 'public-key' | 'ssh-key' | 'encrypted-file' | 'letter-case' | 'unsupported' | 'malformed'

export type KeyProblem<Reason = RecipientReason> = { readonly line: number; readonly reason: Reason }

type Line = { readonly line: number; readonly text: string }

export type Recipients = {
  readonly kind: KeyKind
  /** Each one once, with the line where it stands first. */
  readonly keys: readonly Line[]
  /** The lines that say what one before them says. */
  readonly repeated: readonly number[]
}

/** The recipients in a text, or everything that is wrong with them. */
export function parseRecipients(text: string): Recipients | { readonly problems: readonly KeyProblem[] } {
  const lines = linesOf(text)
  const block = lines.find(isBlock)
  if (block) return problemAt(block.line, privateKey.test(block.text) ? 'secret-key' : 'unsupported')
  const secrets = lines.filter((line) => secretKey.test(line.text))
  const keys = lines.filter((line) => !isComment(line) && !secrets.includes(line))
  const kind = keys[0] && kindOf(keys[0].text)
  const problems = [
    ...secrets.map(({ line }) => ({ line, reason: 'secret-key' as const })),
    ...keys.flatMap((key) => asProblem(key.line, recipientFault(key.text) ?? (kindOf(key.text) === kind ? undefined : 'mixed-kinds'))),
  ].sort((a, b) => a.line - b.line)
  if (problems.length > 0) return { problems }
  if (kind === undefined) return problemAt(0, 'none')
  const isFirst = (key: Line) => keys.find((other) => other.text === key.text) === key
  return { kind, keys: keys.filter(isFirst), repeated: keys.filter((key) => !isFirst(key)).map(({ line }) => line) }
}

/** The identities in a text, each once, or everything that is wrong with them. */
export function parseIdentities(text: string): readonly string[] | { readonly problems: readonly KeyProblem<IdentityReason>[] } {
  const keys = linesOf(text).filter((line) => !isComment(line))
  const block = keys.find(isBlock)
  if (block) return problemAt(block.line, blockReason(block.text))
  const problems = keys.flatMap((key) => asProblem(key.line, identityFault(key.text)))
  if (problems.length > 0) return { problems }
  if (keys.length === 0) return problemAt(0, 'none')
  return [...new Set(keys.map((key) => key.text))]
}

/**
 * Everything in a text that has to be masked before a word is printed about it. Of what is meant as identities, each line that is no comment; of
 * recipients, what looks like a secret key; of both, also secret keys in comments. Each as it is written, and of a key also what stands behind its
 * kind, in either letter case. The result is secret.
 */
export function secretsIn(text: string, meantAs: 'recipients' | 'identities'): readonly string[] {
  const everyLine = meantAs === 'identities' || privateKey.test(text)
  const lines = linesOf(text).filter((line) => secretKey.test(line.text) || (everyLine && !isComment(line)))
  const written = lines.flatMap((line) => [line.text, ...line.text.split(/[^\w-]+/).filter((word) => secretKey.test(word))])
  return [...new Set([...written, ...written.flatMap(otherForms)])]
}

/** What keys of age begin with. What stands behind it is the secret. */
const beginnings = ['AGE-SECRET-KEY-1', 'AGE-SECRET-KEY-PQ-1'] as const

/** Secret keys in a text that lack the beginning which all keys have, in either letter case. The result is secret. */
export function bareKeysIn(text: string): readonly string[] {
  const words = [...new Set(text.match(/(?<!\w)[a-z0-9]{40,120}(?!\w)/gi))].slice(0, mostWords)
  return words.filter((word) => beginnings.some((beginning) => isIdentity(`${beginning}${word.toUpperCase()}`))).flatMap(otherForms)
}

/** Each is tried as a key, which takes a moment. */
const mostWords = 1000

/** A key can be told in the other letter case too, and without the beginning that all keys have: its data, behind its last `1`. */
function otherForms(secret: string): string[] {
  if (/\s/.test(secret)) return []
  const data = /1([a-z0-9]{20,})$/i.exec(secret)?.[1]
  return [secret, data ?? secret].flatMap((form) => [form, form.toUpperCase(), form.toLowerCase()])
}

/** In any letter case and with any typo behind its beginning. A comment that only talks about keys has nothing behind it. */
const secretKey = /age-secret-key[-_]?(?:pq[-_]?)?\w{6}|age-plugin-[\w-]*1\w{6}/i
const privateKey = /-----BEGIN [A-Z ]*PRIVATE KEY/

const isComment = ({ text }: Line): boolean => text.startsWith('#')

/** The beginning of a key over several lines, or of an encrypted file. What follows are its insides: there is nothing to say of each line. */
const isBlock = ({ text }: Line): boolean => /^-----BEGIN |^age-encryption\.org\//.test(text)

function blockReason(text: string): IdentityReason {
  if (privateKey.test(text)) return 'ssh-key'
  return /^-----BEGIN AGE |^age-encryption/.test(text) ? 'encrypted-file' : 'unsupported'
}

function recipientFault(text: string): RecipientReason | undefined {
  if (/^age1/i.test(text) && text !== text.toLowerCase()) return 'letter-case'
  // What stands before the second `1` is the name of a plugin, or a hardware tag.
  if (sshKey.test(text) || /^age1(?!pq1)[a-z][a-z0-9-]{1,20}1/.test(text)) return 'unsupported'
  return isRecipient(text) ? undefined : 'malformed'
}

function identityFault(text: string): IdentityReason | undefined {
  if (/^age1/i.test(text)) return 'public-key'
  if (sshKey.test(text)) return 'ssh-key'
  if (/^age-secret-key-/i.test(text) && text !== text.toUpperCase()) return 'letter-case'
  if (/^age-plugin-/i.test(text)) return 'unsupported'
  return isIdentity(text) ? undefined : 'malformed'
}

const sshKey = /^(?:ssh|ecdsa|sk)-/

const kindOf = (recipient: string): KeyKind => (recipient.startsWith('age1pq1') ? 'hybrid' : 'x25519')

function asProblem<Reason>(line: number, reason: Reason | undefined): KeyProblem<Reason>[] {
  return reason === undefined ? [] : [{ line, reason }]
}

function problemAt<Reason>(line: number, reason: Reason) {
  return { problems: [{ line, reason }] }
}

function linesOf(text: string): Line[] {
  return text
    .split(/\r\n|\r|\n/)
    .map((line, index) => ({ line: index + 1, text: line.trim() }))
    .filter(({ text }) => text !== '')
}
