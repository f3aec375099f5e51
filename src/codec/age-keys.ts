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
 * - `public-key`: a recipient stands where an identity belongs.
 * - `mixed-kinds`: the recipient is of another kind than the first: the weaker one would undo the stronger.
 * - `letter-case`: age writes recipients in lower case and identities in upper case, and takes nothing else.
 * - `unsupported`: a key of a plugin, a hardware tag, SSH, or an encrypted key file.
 * - `malformed`: none of these, or with a typo.
 * - `unusable`: well-formed, but nothing can be encrypted to it.
 */
export type KeyReason = 'none' | 'secret-key' | 'public-key' | 'mixed-kinds' | 'letter-case' | 'unsupported' | 'malformed' | 'unusable'

export type KeyProblem = { readonly line: number; readonly reason: KeyReason }

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
  const secrets = linesOf(text).filter(({ text }) => secretKey.test(text))
  const keys = keyLines(text).filter(({ line }) => !secrets.some((secret) => secret.line === line))
  const kind = keys[0] && kindOf(keys[0].text)
  const problems = [
    ...secrets.map(({ line }) => ({ line, reason: 'secret-key' as const })),
    ...keys.flatMap(({ line, text }) => asProblem(line, recipientFault(text) ?? (kindOf(text) === kind ? undefined : 'mixed-kinds'))),
  ].sort((a, b) => a.line - b.line)
  if (problems.length > 0) return { problems }
  if (kind === undefined) return { problems: [{ line: 0, reason: 'none' }] }
  const isFirst = ({ line, text }: Line) => keys.find((key) => key.text === text)?.line === line
  return { kind, keys: keys.filter(isFirst), repeated: keys.filter((key) => !isFirst(key)).map(({ line }) => line) }
}

/** The identities in a text, each once, or everything that is wrong with them. */
export function parseIdentities(text: string): readonly string[] | { readonly problems: readonly KeyProblem[] } {
  const keys = keyLines(text)
  // The lines that follow are its insides: nothing is to be said about each.
  const block = keys.find(({ text }) => keyFile.test(text))
  if (block) return { problems: [{ line: block.line, reason: 'unsupported' }] }
  const problems = keys.flatMap(({ line, text }) => asProblem(line, identityFault(text)))
  if (problems.length > 0) return { problems }
  if (keys.length === 0) return { problems: [{ line: 0, reason: 'none' }] }
  return [...new Set(keys.map(({ text }) => text))]
}

/**
 * Everything in a text that has to be masked before a word is printed about it: each line that is no comment and each secret key, also as it
 * stands in a comment. For `recipients`, only what looks like a secret key. The result is secret.
 */
export function secretsIn(text: string, meantAs: 'recipients' | 'identities'): readonly string[] {
  const lines = linesOf(text).filter(({ text }) => secretKey.test(text) || (meantAs === 'identities' && !text.startsWith('#')))
  return [...new Set(lines.flatMap(({ text }) => [text, ...text.split(/[^\w-]+/).filter((word) => secretKey.test(word))]))]
}

/** In any letter case and with any typo behind its beginning. A comment that only talks about keys has nothing behind it. */
const secretKey = /age-secret-key[-_]?(?:pq[-_]?)?\w{6}|age-plugin-[\w-]*1\w{6}|BEGIN [A-Z ]*PRIVATE KEY/i
/** Keys that take several lines, and files that are themselves encrypted. */
const keyFile = /^-----BEGIN |^age-encryption\.org\//

function recipientFault(text: string): KeyReason | undefined {
  if (/^age1/i.test(text) && text !== text.toLowerCase()) return 'letter-case'
  if (/^(?:ssh|ecdsa|sk)-/.test(text) || keyFile.test(text)) return 'unsupported'
  if (!/^age1(?:pq1)?[^1]*$/.test(text)) return /^age1[a-z][a-z0-9-]{1,20}1/.test(text) ? 'unsupported' : 'malformed'
  return isRecipient(text) ? undefined : 'malformed'
}

function identityFault(text: string): KeyReason | undefined {
  if (/^age1/i.test(text) || /^(?:ssh|ecdsa|sk)-/.test(text)) return 'public-key'
  if (/^age-secret-key-/i.test(text) && text !== text.toUpperCase()) return 'letter-case'
  if (/^age-plugin-/i.test(text)) return 'unsupported'
  return isIdentity(text) ? undefined : 'malformed'
}

const kindOf = (recipient: string): KeyKind => (recipient.startsWith('age1pq1') ? 'hybrid' : 'x25519')

const asProblem = (line: number, reason: KeyReason | undefined): KeyProblem[] => (reason ? [{ line, reason }] : [])

const keyLines = (text: string): Line[] => linesOf(text).filter(({ text }) => !text.startsWith('#'))

function linesOf(text: string): Line[] {
  return text
    .split(/\r\n|\r|\n/)
    .map((line, index) => ({ line: index + 1, text: line.trim() }))
    .filter(({ text }) => text !== '')
}
