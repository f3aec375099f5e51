import { inspect } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { Decrypter } from 'age-encryption'
import fc from 'fast-check'
import { opener } from '../../src/codec/age.ts'
import { AgeError } from '../../src/codec/age-error.ts'
import { type IdentityReason, parseIdentities, parseRecipients, type RecipientReason, secretsIn } from '../../src/codec/age-keys.ts'
import { collect, collectBytes, rejection, source } from '../support/feed.ts'
import { makeKeys, sealBytes, sealerFor } from './age-files.ts'

const ann = await makeKeys('x25519')
const bob = await makeKeys('x25519')
const hanna = await makeKeys('hybrid')
const problem = (line: number, reason: RecipientReason | IdentityReason) => ({ problems: [{ line, reason }] })
/** With another character in its middle, from the alphabet of Bech32. */
const typo = (key: string) => `${key.slice(0, 30)}${/[qQ]/.test(key.charAt(30)) ? 'P' : 'Q'}${key.slice(31)}`
const lowTypo = (key: string) => typo(key.toUpperCase()).toLowerCase()
const openssh = '-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----'

/** Every six characters that follow each other in the data of a key, which is what stands behind its last `1`. */
const pieces = [ann, bob, hanna]
  .flatMap(({ identity, recipient }) => [identity, recipient])
  .map((key) => key.toLowerCase().slice(key.lastIndexOf('1') + 1))
  .flatMap((data) => Array.from({ length: data.length - 5 }, (_, index) => data.slice(index, index + 6)))

describe('parseRecipients', () => {
  it.each([
    { name: 'one', text: ann.recipient, kind: 'x25519', keys: [{ line: 1, text: ann.recipient }], repeated: [] },
    {
      name: 'comments, empty lines, spaces and CRLF around them',
      text: `\ufeff# keys\r\n\r\n  ${ann.recipient}\t\r\n#${bob.recipient}\r\n${bob.recipient}\r\n`,
      kind: 'x25519',
      keys: [
        { line: 3, text: ann.recipient },
        { line: 5, text: bob.recipient },
      ],
      repeated: [],
    },
    { name: 'a hybrid one', text: `\n${hanna.recipient}\n`, kind: 'hybrid', keys: [{ line: 2, text: hanna.recipient }], repeated: [] },
    {
      name: 'one that is repeated, once',
      text: [ann, ann, bob, ann].map(({ recipient }) => recipient).join('\n'),
      kind: 'x25519',
      keys: [
        { line: 1, text: ann.recipient },
        { line: 3, text: bob.recipient },
      ],
      repeated: [2, 4],
    },
    {
      name: 'a comment that talks about secret keys',
      text: `# AGE-SECRET-KEY-1… is offline, AGE-SECRET-KEY-PQ-1... too\n${ann.recipient}`,
      kind: 'x25519',
      keys: [{ line: 2, text: ann.recipient }],
      repeated: [],
    },
  ])('takes $name', ({ text, kind, keys, repeated }) => {
    expect(parseRecipients(text)).toEqual({ kind, keys, repeated })
  })

  it.each([
    { name: 'nothing', text: '', expected: problem(0, 'none') },
    { name: 'comments alone', text: '\n # age1\n#\n', expected: problem(0, 'none') },
    { name: 'a word', text: 'password', expected: problem(1, 'malformed') },
    { name: 'a typo', text: `# a\n${lowTypo(ann.recipient)}`, expected: problem(2, 'malformed') },
    { name: 'a typo in a hybrid one', text: lowTypo(hanna.recipient), expected: problem(1, 'malformed') },
    { name: 'one that was cut off', text: ann.recipient.slice(0, 50), expected: problem(1, 'malformed') },
    { name: 'two on a line', text: `${ann.recipient} ${bob.recipient}`, expected: problem(1, 'malformed') },
    { name: 'a comment behind one', text: `${ann.recipient} # ann`, expected: problem(1, 'malformed') },
    { name: 'upper case', text: ann.recipient.toUpperCase(), expected: problem(1, 'letter-case') },
    { name: 'upper case in part', text: ann.recipient.replace(/^age/, 'Age'), expected: problem(1, 'letter-case') },
    { name: 'X25519 beside hybrid', text: `${hanna.recipient}\n${ann.recipient}`, expected: problem(2, 'mixed-kinds') },
    { name: 'hybrid beside X25519', text: `${ann.recipient}\n\n${hanna.recipient}`, expected: problem(3, 'mixed-kinds') },
    { name: 'a plugin', text: `age1yubikey1${'q'.repeat(58)}`, expected: problem(1, 'unsupported') },
    { name: 'a tag', text: `age1tag1${'q'.repeat(58)}`, expected: problem(1, 'unsupported') },
    { name: 'SSH', text: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI ann@home', expected: problem(1, 'unsupported') },
    { name: 'a secret key', text: ann.identity, expected: problem(1, 'secret-key') },
    { name: 'a hybrid secret key', text: hanna.identity, expected: problem(1, 'secret-key') },
    { name: 'a secret key in lower case', text: ann.identity.toLowerCase(), expected: problem(1, 'secret-key') },
    { name: 'a secret key with a typo', text: typo(ann.identity), expected: problem(1, 'secret-key') },
    { name: 'a secret key cut off', text: ann.identity.slice(0, 40), expected: problem(1, 'secret-key') },
    { name: 'a secret key of a plugin', text: `AGE-PLUGIN-YUBIKEY-1${'Q'.repeat(40)}`, expected: problem(1, 'secret-key') },
    { name: 'an SSH private key', text: `${ann.recipient}\n${openssh}`, expected: problem(2, 'secret-key') },
    { name: 'an encrypted file', text: '-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n', expected: problem(1, 'unsupported') },
    { name: 'a key file', text: `# public key: ${ann.recipient}\n${ann.identity}\n`, expected: problem(2, 'secret-key') },
    { name: 'a secret key in a comment', text: `${ann.recipient}\n# ${bob.identity} (bob)`, expected: problem(2, 'secret-key') },
    { name: 'a secret key behind a recipient', text: `${ann.recipient} ${ann.identity}`, expected: problem(1, 'secret-key') },
  ])('refuses $name', ({ text, expected }) => {
    expect(parseRecipients(text)).toEqual(expected)
  })

  it('tells everything that is wrong, in the order of the lines', () => {
    const text = ['x', ann.recipient, bob.identity, ann.recipient.toUpperCase(), hanna.recipient].join('\n')
    expect(parseRecipients(text)).toEqual({
      problems: [
        { line: 1, reason: 'malformed' },
        { line: 3, reason: 'secret-key' },
        { line: 4, reason: 'letter-case' },
        { line: 5, reason: 'mixed-kinds' },
      ],
    })
  })
})

const badIdentities = [
  { name: 'nothing', text: '', expected: problem(0, 'none') },
  { name: 'comments alone', text: `# created: today\n# public key: ${ann.recipient}\n`, expected: problem(0, 'none') },
  { name: 'a recipient', text: ann.recipient, expected: problem(1, 'public-key') },
  { name: 'an SSH public key', text: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI', expected: problem(1, 'ssh-key') },
  { name: 'a typo', text: `${bob.identity}\n${typo(ann.identity)}`, expected: problem(2, 'malformed') },
  { name: 'a typo in a hybrid one', text: typo(hanna.identity), expected: problem(1, 'malformed') },
  { name: 'a character that Bech32 has not', text: ann.identity.replace(/.$/, 'B'), expected: problem(1, 'malformed') },
  { name: 'a typo in its beginning', text: ann.identity.replace('SECRET', 'SECRTE'), expected: problem(1, 'malformed') },
  { name: 'one that was cut off', text: ann.identity.slice(0, -1), expected: problem(1, 'malformed') },
  { name: 'one with something behind it', text: `${ann.identity}, `, expected: problem(1, 'malformed') },
  { name: 'one in quotes', text: `"${ann.identity}"`, expected: problem(1, 'malformed') },
  { name: 'one of the other kind in its beginning', text: ann.identity.replace('KEY-1', 'KEY-PQ-1'), expected: problem(1, 'malformed') },
  { name: 'lower case', text: ann.identity.toLowerCase(), expected: problem(1, 'letter-case') },
  { name: 'its data alone', text: ann.identity.slice('AGE-SECRET-KEY-1'.length), expected: problem(1, 'malformed') },
  {
    name: 'one over two lines',
    text: ann.identity.replace(/^.{40}/, '$&\n'),
    expected: { problems: [problem(1, 'malformed'), problem(2, 'malformed')].flatMap(({ problems }) => problems) },
  },
  { name: 'a plugin', text: `AGE-PLUGIN-YUBIKEY-1${'Q'.repeat(40)}`, expected: problem(1, 'unsupported') },
  { name: 'an SSH key', text: openssh, expected: problem(1, 'ssh-key') },
  { name: 'a certificate', text: '-----BEGIN CERTIFICATE-----\nMIIB', expected: problem(1, 'unsupported') },
  { name: 'an encrypted key file', text: '# mine\nage-encryption.org/v1\n-> scrypt a 18\n', expected: problem(2, 'encrypted-file') },
  { name: 'an encrypted key file as text', text: '-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n', expected: problem(1, 'encrypted-file') },
] as const

describe('parseIdentities', () => {
  it('takes what age-keygen writes, and several, each once', () => {
    const text = `# created: 2026-11-28T16:00:00Z\r\n# public key: ${ann.recipient}\r\n${ann.identity}\r\n\r\n ${hanna.identity} \n${ann.identity}`
    expect(parseIdentities(text)).toEqual([ann.identity, hanna.identity])
  })

  it.each(badIdentities)('refuses $name', ({ text, expected }) => {
    expect(parseIdentities(text)).toEqual(expected)
  })
})

describe('no part of a key', () => {
  it.each(badIdentities)('is in what is said of $name, as identity or as recipient', ({ text }) => {
    expect(piecesIn(said(text))).toEqual([])
  })

  it('is in what is said of any mutation of one', () => {
    const mutated = fc
      .tuple(fc.constantFrom(ann.identity, hanna.identity, ann.recipient), fc.nat(80), fc.nat(3), fc.string({ maxLength: 3 }))
      .map(([key, at, removed, added]) => key.slice(0, at) + added + key.slice(at + removed))
    fc.assert(
      fc.property(mutated, (text) => {
        expect(piecesIn(said(text))).toEqual([])
      }),
      { numRuns: 1000 },
    )
  })

  it.each([
    { name: 'a file for others', file: async () => await sealBytes(await sealerFor(bob), Buffer.from('abc')) },
    { name: 'a file that was changed', file: async () => (await sealBytes(await sealerFor(ann), Buffer.from('abc'))).fill(1, 180) },
    { name: 'a header that was changed', file: async () => (await sealBytes(await sealerFor(ann), Buffer.from('abc'))).fill('~', 60, 61) },
    { name: 'no age file', file: async () => Buffer.from('hello') },
  ])('is in the error that $name causes, nor in its stack or cause', async ({ file }) => {
    const bytes = await file()
    for (const identities of [[ann.identity], [hanna.identity, ann.identity]]) {
      const error = (await rejection(collect(opener(identities).open(source([bytes]).items)))) as AgeError
      expect(error).toBeInstanceOf(AgeError)
      expect(error.cause).toBeUndefined()
      expect(piecesIn(inspect(error, { showHidden: true, depth: 10 }))).toEqual([])
    }
  })

  it.each(badIdentities)('is in the error for whoever opens with $name without a look at it', ({ text }) => {
    const errors = [text, typo(text.padEnd(31))].map((identity) => {
      try {
        return opener([identity])
      } catch (error) {
        return error as Error
      }
    })
    expect(errors.map((error) => 'message' in error && error.message)).toEqual(Array(2).fill('an identity that was not checked before'))
    expect(piecesIn(inspect(errors, { showHidden: true, depth: 10 }))).toEqual([])
  })

  it('would be in the messages of the library, which these tests would see', () => {
    let said = ''
    try {
      new Decrypter().addIdentity(typo(ann.identity))
    } catch (error) {
      said = String(error)
    }
    expect(piecesIn(said)).not.toEqual([])
  })
})

describe('secretsIn', () => {
  it('finds every line of an input for identities, whatever is wrong with it, and secret keys in comments', () => {
    const text = ` ${ann.identity} \r\n# public key: ${ann.recipient}\nnonsense here\n# old: ${bob.identity}, gone`
    expect(secretsIn(text, 'identities')).toEqual([
      ann.identity,
      'nonsense here',
      `# old: ${bob.identity}, gone`,
      bob.identity,
      ...[ann, bob].flatMap(({ identity }) => [identity.toLowerCase(), dataOf(identity), dataOf(identity).toLowerCase()]),
    ])
  })

  it('finds only secret keys among recipients, whole lines and the keys in them', () => {
    const text = `${ann.recipient}\n"${typo(ann.identity)}"\n# talk\npassword\n${hanna.identity.toLowerCase()}`
    expect(secretsIn(text, 'recipients')).toEqual(
      expect.arrayContaining([`"${typo(ann.identity)}"`, typo(ann.identity), hanna.identity.toLowerCase(), hanna.identity]),
    )
    expect(secretsIn(text, 'recipients')).not.toEqual(expect.arrayContaining([expect.stringMatching(/talk|password|^age1/)]))
  })

  it('finds the insides of a private key among recipients', () => {
    expect(secretsIn(`# mine\n${openssh}`, 'recipients')).toEqual(expect.arrayContaining(openssh.split('\n')))
  })

  it.each(badIdentities)('covers each line that is called a secret key: $name', ({ text }) => {
    const parsed = parseRecipients(text)
    const lines = 'problems' in parsed ? parsed.problems.filter(({ reason }) => reason === 'secret-key').map(({ line }) => line) : []
    const secrets = secretsIn(text, 'recipients')
    expect(lines.filter((line) => !secrets.includes(text.split('\n')[line - 1]!.trim()))).toEqual([])
  })
})

it('opens with a key that was pasted with its comments', async () => {
  const identities = parseIdentities(`# created\n${ann.identity}\n`)
  if ('problems' in identities) throw new Error('refused')
  const file = await sealBytes(await sealerFor(ann), Buffer.from('abc'))
  expect(String(await collectBytes(opener(identities).open(source([file]).items)))).toBe('abc')
})

/** What stands behind the last `1`. */
function dataOf(key: string): string {
  return key.slice(key.lastIndexOf('1') + 1)
}

/** What we say of a text, unless it is fine. */
function said(text: string): string {
  return JSON.stringify([parseIdentities(text), parseRecipients(text)].filter((parsed) => 'problems' in parsed))
}

/** Every six characters of the keys' data that are in a text. */
function piecesIn(text: string): string[] {
  const lower = text.toLowerCase()
  return pieces.filter((piece) => lower.includes(piece))
}
